"""Which words the target has: in its headers, and as configuration symbols in its Kconfig files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from backport.model.series import Patch
from backport.replay.guard.landed import KCONFIG, Speaks
from backport.replay.situation import Library

_DEFINED = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)[ \t\r]*$", re.M)

_COMMON = (b"arch/x86/Kconfig", b"init/Kconfig")


class Vocabulary:
    """Remembers the configuration symbols that were found in the target or in what landed on it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._configured: set[bytes] = set()

    def of(self, patch: Patch, before: str, after: str) -> Speaks:
        """Looks words up in the headers of `before`, and configuration symbols, which the patch may define itself, in `after`.

        A symbol that upstream does not define either is no difference: a9605391cfab selects a GCD that never was.
        """
        history = self._library.history

        def speaks(words: Collection[bytes], where: str) -> set[bytes]:
            if where != KCONFIG:
                return history.speaks(before, words, where)
            if new := set(words) - self._configured:
                self._configured |= new & self._beside(patch, after)
            if new := new - self._configured:
                self._configured |= history.configures(after, new)
            nowhere = set(words) - self._configured
            theirs = history.configures(patch.tree, nowhere) if nowhere else nowhere
            return set(words) - theirs

        return speaks

    def _beside(self, patch: Patch, tree: str) -> set[bytes]:
        """The symbols that are defined beside the files of the patch, in folders above, and where those stand that all depend on.

        Most symbols that a patch asks for are there, and what is found there need not be looked for in the whole tree (80 ms).
        """
        if self._library.store.partial:  # each file would be a trip to the server
            return set()
        trees = self._library.trees
        paths = sorted({*_COMMON, *(path for change in patch.changes for path in _kconfigs(change.new_path))})
        trees.prefetch(((tree, path) for path in paths), contents=True)
        return {symbol for path in paths for symbol in _DEFINED.findall(trees.read(tree, path) or b"")}


def _kconfigs(path: bytes) -> Iterator[bytes]:
    """Where Kconfig files may be in the folder of a file and above."""
    while path := path.rpartition(b"/")[0]:
        yield path + b"/Kconfig"

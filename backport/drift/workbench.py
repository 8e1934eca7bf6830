"""What the guards of one process share, so that one more patch or target costs a few milliseconds.

The index, open once; the include graphs of the trees seen last; the added lines of patches. Nothing of it depends on a series or
on what was accepted: that is the guard's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from backport.csource.answers import Shelf
from backport.csource.closure import Includes, Search, makefiles
from backport.csource.generated import Makers
from backport.csource.index import Index
from backport.csource.reading import Reader
from backport.drift.elsewhere import HeaderSearch
from backport.drift.side import Side
from backport.drift.view import Target
from backport.git.history import History
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.result import Skipped
from backport.model.series import Patch

Lines = Mapping[bytes, list[tuple[int, bytes]]]
"""The lines that a patch adds: by new path, with their number in the new file."""

_MOST = 8  # include graphs that are kept: the blob ids of what one tree's files see

_USUAL = (
    b"include/linux/usb", b"include/linux/sunrpc", b"include/linux/byteorder", b"include/net/netns", b"include/scsi",
    b"include/asm-generic/bitops", b"include/trace/events", b"include/acpi", b"include/media", b"include/video",
    b"arch/x86/include/asm",
)  # fmt: skip
"""Folders of which nearly every C file sees something."""


class Workbench:
    """Use it as a context manager: it holds the index's database and helper processes. `cache` is the folder of the index.

    Without a `cache` nothing is kept for the next run (1.5 s slower for KSM).
    """

    def __init__(self, trees: Trees, store: Store, history: History, cache: Path | None = None) -> None:
        self.trees = trees
        self.store = store
        self.history = history
        self.index = Index(Reader(store), cache)
        self._cache = cache
        self._makers = Makers(self.index)
        self._shelf: Shelf[Search] = Shelf(trees)
        self._graphs: dict[str, Includes] = {}  # the one asked for last at the end
        self._lines: dict[tuple[str, str], Lines] = {}

    def __enter__(self) -> Workbench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.index.__exit__(kind, error, trace)

    def target(self, tree: str) -> Target:
        """The tree that a series goes onto. Two guards never share one: a guard tells it what the series brings."""
        search = HeaderSearch(tree, self.trees, self.store, self.index)
        return Target(self.side(tree), search, self.trees)

    def side(self, tree: str) -> Side:
        """A tree; one that was asked about lately is not read again."""
        return Side(tree, self.trees, self.index, lambda: self._graph(tree), self._makers)

    def grep(self, words: Sequence[str], tree: str, where: Sequence[str]) -> list[bytes] | None:
        """The files of a tree, of those that `where` matches, in which git grep finds what `words` say.

        In one process; None where the tree cannot be searched (a partial clone).
        """
        command = ["--no-literal-pathspecs", "grep", "-z", "-l", "-I", *words, tree, "--", *where]
        try:
            out = self.store.git.run(command, ok=(0, 1))
        except GitFailedError:
            return None
        return sorted(row.partition(b":")[2] for row in out.split(b"\0") if row)

    def _graph(self, tree: str) -> Includes:
        """The include graph of a tree; all of them are on one shelf."""
        graph = self._graphs.pop(tree, None) or Includes(self.trees, tree, self.index, shelf=self._shelf)
        self._graphs[tree] = graph
        while len(self._graphs) > _MOST:
            del self._graphs[next(iter(self._graphs))]
        return graph

    def added_lines(self, patches: Sequence[Patch]) -> list[Lines]:
        """The added lines of each patch, in one process for all that were not asked about before."""
        pairs = [(patch.parent_tree, patch.tree) for patch in patches]
        asked = [pair for pair in dict.fromkeys(pairs) if pair not in self._lines]
        if asked:
            self._lines.update(zip(asked, self.history.added_lines(asked), strict=True))
        return [self._lines[pair] for pair in pairs]

    def prefetch(self, pairs: Iterable[tuple[Patch, str]]) -> None:
        """Read, in few steps, what most guards ask of a patch and the tree that it goes onto."""
        folders: list[tuple[str, bytes]] = []
        files: list[tuple[str, bytes]] = []
        for patch, tree in pairs:
            folders += [(each, folder) for each in (tree, patch.tree) for folder in _USUAL]
            for change in patch.changes:
                files += [(patch.parent_tree, change.old_path), (patch.tree, change.new_path), (tree, change.old_path)]
                files += [(tree, name) for name in makefiles(change.new_path)]
        self.trees.prefetch(folders)
        self.trees.prefetch(files, contents=True)

    def skipped(self) -> tuple[Skipped, ...]:
        """That nothing could be kept, where something should have been: the next run will be as slow as this one."""
        if self._cache is None or not self.index.in_memory:
            return ()
        return (Skipped("drift", str(self._cache), "the index cannot be written there, so nothing is kept for the next run"),)

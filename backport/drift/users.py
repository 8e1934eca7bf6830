"""Files that are no interface but a piece of their users' code: what such a file leans on is declared by whoever includes it.

arch/x86/kvm/paging_tmpl.h includes nothing and is included twice by mmu.c, with other macros each time: PT_PDPE_LEVEL, which
7e4e4056f72d uses there, stands in mmu.c and came with e04da980c35d. Without a look into mmu.c nothing explains the name.
"""

from __future__ import annotations

from collections.abc import Collection

from backport.csource.outline import includes
from backport.csource.tokens import mentioned
from backport.drift.side import Place, Side
from backport.git.trees import Trees
from backport.model.series import TREE

_MOST = 8  # users that are read: what has more is an interface


def _including(name: bytes, text: bytes) -> bool:
    return b'"' + name + b'"' in text and any(include.path == name for include in includes(text))


class Users:
    """The source files of its own folder that include a header, or another source file (kernel/sched_fair.c), in quotes."""

    def __init__(self, path: bytes, side: Side, trees: Trees) -> None:
        self._side = side
        folder, _, name = path.rpartition(b"/")
        entry = trees.entry(side.tree, folder) if folder else None
        listing = trees.listing(entry.oid) if entry is not None and entry.mode == TREE else {}
        paths = [folder + b"/" + each for each in listing if each.endswith(b".c") and each != name]
        texts = {path: (listing[path.rpartition(b"/")[2]].oid, trees.read(side.tree, path) or b"") for path in paths}
        wanted = {path: found for path, found in texts.items() if _including(name, found[1])}
        self._files = wanted if len(wanted) <= _MOST else {}

    def declared(self, names: Collection[bytes]) -> dict[bytes, Place]:
        """Where the users, or what they include, declare the names; the first place of each."""
        found: dict[bytes, Place] = {}
        for path, (oid, text) in self._files.items():
            closure = self._side.closure(path, includes(text))
            for name, places in self._side.declared(names, closure, (path, oid)).items():
                if places:
                    found.setdefault(name, places[0])
        return found

    def mention(self, name: bytes) -> bool:
        """Whether the code of any of them has the word."""
        return any(name in mentioned(text) for _, text in self._files.values())

    def __bool__(self) -> bool:
        return bool(self._files)

"""Numbers that reach programs through a file, not through a header: those that a program which comes with the kernel repeats.

KPF_KSM of fs/proc/page.c is the bit that /proc/kpageflags shows; before include/linux/kernel-page-flags.h only
Documentation/vm/page-types.c said so to programs. May be wrong for numbers that both happen to have: hence only names with a
prefix
(`KPF_`) of which program and kernel share at least three, in fs/, mm/ and kernel/.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from backport.csource.tokens import Lines, blank_comments
from backport.drift.uapi.items import Item, Kind
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.series import TREE

FOLDERS = (b"Documentation", b"tools/vm", b"tools/mm")
_NUMBER = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+([A-Z][A-Z0-9]*_\w+)[ \t]+(0[xX][0-9a-fA-F]{1,16}|\d{1,20})[uUlL]*[ \t\r]*$", re.M
)
_NUMBER_LIKE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+[A-Z][A-Z0-9]*_\w+[ \t]+\d", re.M)
_SHARED = 3


class Programs:
    """The programs that come with trees; equal folders are read once."""

    def __init__(self, trees: Trees, store: Store) -> None:
        self._trees = trees
        self._store = store
        self._folders: dict[str, dict[bytes, int]] = {}
        self._blobs: dict[str, dict[bytes, int]] = {}

    def key(self, tree: str) -> bytes:
        """Names what the programs of a tree are: equal keys, equal programs."""
        return b" ".join(self._oid(tree, folder).encode() for folder in FOLDERS)

    def repeated(self, path: bytes, text: bytes, tree: str) -> Iterator[Item]:
        """The numbers of a C file that a program of the tree repeats with the same value."""
        mine = list(_numbers(text)) if path.startswith((b"fs/", b"mm/", b"kernel/")) and b"#define" in text else []
        if not mine:
            return
        known = [self._numbers(self._oid(tree, folder)) for folder in FOLDERS]
        shared = [(name, value, line) for name, value, line in mine if any(each.get(name) == value for each in known)]
        families = Counter(name.split(b"_")[0] for name, _, _ in shared)
        for name, value, line in shared:
            if families[name.split(b"_")[0]] >= _SHARED:
                scope = path.decode("utf-8", "backslashreplace")
                note = "repeated by a program in Documentation/ or tools/"
                yield Item(Kind.CONSTANT, name.decode(), scope, str(value), path, line, note)

    def _oid(self, tree: str, folder: bytes) -> str:
        found = self._trees.entry(tree, folder)
        return found.oid if found is not None and found.mode == TREE else ""

    def _numbers(self, folder: str) -> Mapping[bytes, int]:
        if folder and folder not in self._folders:
            files = [entry.oid for path, entry in self._trees.walk(folder) if entry.is_file and path.endswith(b".c")]
            self._store.prefetch(oid for oid in files if oid not in self._blobs)
            for oid in files:
                if oid not in self._blobs:
                    self._blobs[oid] = {name: value for name, value, _ in _numbers(self._store.read(oid, "blob"))}
            self._folders[folder] = {name: value for oid in files for name, value in self._blobs[oid].items()}
        return self._folders.get(folder, {})


def _numbers(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The #defines that are plain numbers: name, value, line."""
    if _NUMBER_LIKE.search(text) is None:
        return
    plain, lines = blank_comments(text), Lines(text)
    for match in _NUMBER.finditer(plain):
        yield match[1], int(match[2], 16 if match[2][:2].lower() == b"0x" else 10), lines.line(match.start(1))

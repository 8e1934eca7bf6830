"""The Kconfig files of a tree, each blob read and cut into blocks once, whatever number of trees hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from backport.drift.kconfig.blocks import Block, File, scan
from backport.git.store import Store
from backport.git.trees import Trees

_ENTRY = re.compile(rb"(?:^|\0)(100\d{3}) blob ([0-9a-f]{40})\t([^\0]*)(?=\0)")
_CHANGE = re.compile(rb":\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) [A-Z]\0([^\0]*)\0")
_NAME = re.compile(r"(?:^|/)[^/]*[Kk]config[^/]*$")
_LARGEST = 1 << 20  # bytes; the largest Kconfig file of 6.x has 100 KB


class Scans:
    """Blobs, cut into blocks when they are first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._files: dict[str, File] = {}
        self.cut: set[str] = set()

    def ensure(self, oids: list[str]) -> None:
        """Read those that were not read yet, in one go."""
        missing = [oid for oid in dict.fromkeys(oids) if oid not in self._files]
        if self._store.partial:
            self._store.prefetch(missing)
        for oid, content in self._store.stream(missing):
            if len(content) > _LARGEST:
                self.cut.add(oid)
            self._files[oid] = scan(content[:_LARGEST].decode("latin-1"))

    def file(self, oid: str) -> File:
        """One blob's blocks."""
        self.ensure([oid])
        return self._files[oid]


class KconfigTree:
    """The Kconfig files of one tree by path (latin-1 text)."""

    def __init__(self, tree: str, oids: Mapping[str, str], trees: Trees, scans: Scans) -> None:
        self.tree = tree
        self.oids = dict(oids)
        self._trees = trees
        self._scans = scans
        scans.ensure(list(self.oids.values()))

    def file(self, path: str) -> File | None:
        """The file at a path, whatever its name is (`source` may name any); None where the tree has none."""
        if path not in self.oids:
            entry = self._trees.entry(self.tree, path.encode("latin-1")) if path else None
            if entry is None or not entry.is_file:
                return None
            self.oids[path] = entry.oid
        return self._scans.file(self.oids[path])

    def paths(self) -> list[str]:
        """Every Kconfig file, sorted."""
        return sorted(self.oids)

    def read(self, path: str) -> str | None:
        """The text of any file of the tree: a defconfig, a Makefile."""
        content = self._trees.read(self.tree, path.encode("latin-1"))
        return content.decode("latin-1") if content is not None else None

    @cached_property
    def defined(self) -> dict[str, list[tuple[str, Block]]]:
        """Where each symbol is defined, anywhere in the tree, whether or not an architecture sources the file."""
        found: dict[str, list[tuple[str, Block]]] = {}
        for path, block in self._definitions():
            found.setdefault(block.name, []).append((path, block))
        return found

    def _definitions(self) -> Iterator[tuple[str, Block]]:
        for path in self.paths():
            for block in self._scans.file(self.oids[path]).definitions():
                yield path, block


def open_pair(onto: str, result: str, trees: Trees, store: Store, scans: Scans) -> tuple[KconfigTree, KconfigTree]:
    """The target's Kconfig files and the result's: one listing of the whole tree, and what differs."""
    rows = _ENTRY.findall(b"\0" + store.git.run(["ls-tree", "-r", "-z", onto]))
    before = {path.decode("latin-1"): oid.decode() for _, oid, path in rows if b"onfig" in path}
    before = {path: oid for path, oid in before.items() if _NAME.search(path)}
    after = dict(before)
    if onto != result:
        out = store.git.run(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", onto, result])
        for mode, oid, path in _CHANGE.findall(out):
            name = path.decode("latin-1")
            after.pop(name, None)
            if mode.startswith(b"100") and _NAME.search(name):
                after[name] = oid.decode()
    return KconfigTree(onto, before, trees, scans), KconfigTree(result, after, trees, scans)


def is_kconfig(path: bytes) -> bool:
    """Whether a file is called like a Kconfig file. A defconfig is none."""
    return bool(_NAME.search(path.decode("latin-1"))) and b"defconfig" not in path

"""Trees as they are in the object store: looked up path by path, changed without a checkout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backport.git.store import EMPTY_TREE, Store
from backport.model.errors import InputError
from backport.model.series import TREE, Entry, show_path

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.S)


class PathTakenError(InputError):
    """A path cannot be made because a part of it is a file, or is itself a folder; `path` is the one that stands there."""

    def __init__(self, path: bytes, kind: str) -> None:
        super().__init__(f"{show_path(path)} is a {kind} there")
        self.path = path
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Change:
    """What is to stand at a path: an entry, or None for nothing."""

    path: bytes
    entry: Entry | None


class Trees:
    """Reads each tree object once; only the folders on the way to a path are ever opened."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: dict[str, dict[bytes, Entry]] = {}
        self._entries = _Entries()

    def listing(self, tree: str) -> Mapping[bytes, Entry]:
        """The entries of one tree object by name. InputError where it is missing or not a tree."""
        if tree not in self._parsed:
            self._parsed[tree] = {} if tree == EMPTY_TREE else self._parse(self._store.read(tree, "tree"))
        return self._parsed[tree]

    def _parse(self, content: bytes) -> dict[bytes, Entry]:
        """A folder of a thousand names takes 0.2 ms, a third of what one loop over the bytes takes."""
        known = self._entries
        return {name: known[mode, raw] for mode, name, raw in _ENTRY.findall(content)}

    def entry(self, tree: str, path: bytes) -> Entry | None:
        """What stands at `path`, None where nothing does. A folder has mode 040000."""
        found: Entry | None = Entry(TREE, tree)
        for name in path.split(b"/"):
            if found is None or found.mode != TREE:
                return None
            found = self.listing(found.oid).get(name)
        return found

    def prefetch(self, places: Iterable[tuple[str, bytes]], *, contents: bool = False) -> None:
        """Read the folders on the way to many paths (tree, path), one round for each level of them; their `contents` if asked.

        A folder that is read when somebody asks is a trip to git: 24 of them for a patch of the stable series.
        """
        level = [(tree, path) for tree, path in dict.fromkeys(places)]
        files: list[str] = []
        while level:
            self._store.prefetch(tree for tree, _ in level if tree not in self._parsed and tree != EMPTY_TREE)
            below = []
            for tree, path in level:
                name, _, rest = path.partition(b"/")
                found = self.listing(tree).get(name)
                if found is not None and found.mode == TREE:
                    below.append((found.oid, rest))
                elif found is not None and found.is_file and not rest:
                    files.append(found.oid)
            level = below
        if contents:
            self._store.prefetch(files)

    def read(self, tree: str, path: bytes) -> bytes | None:
        """The content of the file at `path`, None where there is no file."""
        found = self.entry(tree, path)
        return self._store.read(found.oid, "blob") if found is not None and found.is_file else None

    def walk(self, tree: str, prefix: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
        """Every entry below `tree` that is not a folder, in git's order."""
        for name, entry in self.listing(tree).items():
            path = prefix + name
            if entry.mode == TREE:
                yield from self.walk(entry.oid, path + b"/")
            else:
                yield path, entry

    def differing(self, old: str, new: str, prefix: bytes = b"") -> Iterator[bytes]:
        """The paths of `new` at which it has another file than `old`, opening only folders that differ."""
        before = self.listing(old)
        for name, now in self.listing(new).items():
            was = before.get(name)
            if now == was:
                continue
            if now.mode == TREE:
                yield from self.differing(was.oid if was and was.mode == TREE else EMPTY_TREE, now.oid, prefix + name + b"/")
            else:
                yield prefix + name

    def edit(self, tree: str, changes: Mapping[bytes, Entry | None]) -> str:
        """The id of `tree` with each path set or (None) removed; new tree objects are written to the store.

        A folder that becomes empty goes, as in git's index. PathTakenError where a file stands where a folder is needed, or the
        other way round, and is not itself removed by the same changes.
        """
        return self._edit(tree, b"", {tuple(path.split(b"/")): entry for path, entry in changes.items()}) or EMPTY_TREE

    def _edit(self, tree: str, prefix: bytes, changes: Mapping[tuple[bytes, ...], Entry | None]) -> str:
        entries = dict(self.listing(tree))
        below: dict[bytes, dict[tuple[bytes, ...], Entry | None]] = {}
        here = {parts[0]: entry for parts, entry in changes.items() if len(parts) == 1}
        for parts, entry in changes.items():
            if len(parts) > 1:
                below.setdefault(parts[0], {})[parts[1:]] = entry
        for name in [n for n, entry in here.items() if entry is None]:
            if name in entries and entries[name].mode != TREE:
                del entries[name]
        for name, inner in below.items():
            self._edit_folder(entries, prefix, name, inner)
        for name, entry in here.items():
            if entry is None:
                continue
            if name in entries and entries[name].mode == TREE:
                raise PathTakenError(prefix + name, "folder")
            entries[name] = entry
        return self.make(entries)

    def _edit_folder(
        self, entries: dict[bytes, Entry], prefix: bytes, name: bytes, changes: Mapping[tuple[bytes, ...], Entry | None]
    ) -> None:
        old = entries.get(name)
        if old is not None and old.mode != TREE:
            if all(entry is None for entry in changes.values()):
                return
            raise PathTakenError(prefix + name, "file")
        new = self._edit(old.oid if old is not None else EMPTY_TREE, prefix + name + b"/", changes)
        if new != EMPTY_TREE:
            entries[name] = Entry(TREE, new)
        elif old is not None:
            del entries[name]

    def make(self, entries: Mapping[bytes, Entry]) -> str:
        """Write one tree object with exactly these entries; its id."""
        ordered = dict(sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1].mode == TREE else b"")))
        content = b"".join(b"%o %s\0" % (entry.mode, name) + bytes.fromhex(entry.oid) for name, entry in ordered.items())
        oid = self._store.write("tree", content)
        self._parsed[oid] = ordered
        return oid


class _Entries(dict[tuple[bytes, bytes], Entry]):
    """Entries by mode and id as they stand in a tree, each made once: trees of one line of history share most of theirs."""

    def __missing__(self, key: tuple[bytes, bytes]) -> Entry:
        entry = self[key] = Entry(_mode(key[0]), key[1].hex())
        return entry


def _mode(octal: bytes) -> int:
    """As git reads it: a file is executable or not. Trees of 2005 have 100664, which every diff shows as 100644."""
    mode = int(octal, 8)
    if mode & 0o170000 == 0o100000:
        return 0o100755 if mode & 0o100 else 0o100644
    return mode

"""The surface of a tree: what programs and administrators see of it, read file by file.

A file's items follow from its content (and, for a constant that leans on another header, from that one): what was read for one
tree is not read again for the next. Each kind of file has its reader in a module of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backport.drift.uapi import declared, documents, parameters, procfs, syscalls, sysfs
from backport.drift.uapi.calls import Code
from backport.drift.uapi.exported import Exported
from backport.drift.uapi.headers import Header, Headers, Scope, Used
from backport.drift.uapi.items import Item, Kind, Surface, order
from backport.drift.uapi.programs import Programs
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import InputError
from backport.model.result import Skipped
from backport.model.series import TREE, Entry

STAGE = "uapi"
_LONGEST = 4 << 20
_NOT_THE_KERNEL = (b"Documentation/", b"tools/", b"samples/", b"scripts/")


@dataclass(frozen=True, slots=True)
class _Read:
    """What one blob gave, and the words under which something of it was not read."""

    items: tuple[Item, ...]
    missed: tuple[str, ...]


class Reader:
    """Reads surfaces of many trees of one store; equal blobs at equal paths are read once."""

    def __init__(self, trees: Trees, store: Store) -> None:
        self._trees = trees
        self._store = store
        self._known: dict[tuple[bytes, str, bytes], _Read] = {}
        self._sides: dict[str, _Side] = {}
        self._programs = Programs(trees, store)

    def surface(self, tree: str, paths: Iterable[bytes] | None = None) -> Surface:
        """What is seen of `tree`, or of only these paths of it (those it does not have count for nothing)."""
        side = self._side(tree)
        files = self._files(tree, paths)
        self._store.prefetch(entry.oid for _, entry in files[:2000] if paths is not None)
        items: list[Item] = []
        missed: Counter[str] = Counter()
        if not side.exported.known:
            missed["exported headers: the tree says not which (no include/uapi, no include/Kbuild)"] += 1
        for path, entry in files:
            found = self._file(side, path, entry)
            items.extend(found.items)
            missed.update(found.missed)
        return Surface(tree, tuple(_merged(items)), tuple(_skipped(missed)))

    def prefetch(self, entries: Iterable[Entry | None]) -> None:
        """Read many files in one go; what will be asked for soon."""
        self._store.prefetch(entry.oid for entry in entries if entry is not None and entry.is_file)

    def reached(self, tree: str, item: Item) -> Item | None:
        """A number that its file no longer defines, but gets from a header that it includes: only the place moved.

        KPF_KSM of fs/proc/page.c stands in linux/kernel-page-flags.h since 2.6.33.
        """
        side = self._side(tree)
        for path in (item.path, *sorted(declared.places(item.scope))):
            start = side.headers.header(path)
            for header in side.headers.reach(start) if start is not None else ():
                constant = header.by_name.get(item.name.encode("latin-1", "replace"))
                if constant is not None and constant.params is None:
                    value = declared.value_of(constant, Scope(header, side.headers))
                    return Item(
                        item.kind, item.name, item.scope, value, header.path, constant.line, "in a header that it includes"
                    )
        return None

    def switched(self, before: str, after: str, touched: Iterable[bytes]) -> set[bytes]:
        """Headers that a change of the lists of exported headers gives to programs or takes from them."""
        lists = {path.rpartition(b"/")[0] for path in touched if path.endswith((b"/Kbuild", b"/Kbuild.asm"))}
        if b"include/asm-generic" in lists:  # Kbuild.asm stands there, and every architecture includes it
            found = self._trees.entry(after, b"arch")
            names = self._trees.listing(found.oid) if found is not None and found.mode == TREE else {}
            lists |= {b"arch/" + name + b"/include/asm" for name in names}
        old, new = self._side(before).exported, self._side(after).exported
        return {path for folder in lists for path in old.listed(folder) ^ new.listed(folder)}

    def _side(self, tree: str) -> _Side:
        if tree not in self._sides:
            self._sides[tree] = _Side(tree, self._trees)
        return self._sides[tree]

    def _files(self, tree: str, paths: Iterable[bytes] | None) -> list[tuple[bytes, Entry]]:
        if paths is None:
            return [(path, entry) for path, entry in self._trees.walk(tree) if entry.is_file and _is_read(path)]
        found = ((path, self._trees.entry(tree, path)) for path in sorted(set(paths)) if _is_read(path))
        return [(path, entry) for path, entry in found if entry is not None and entry.is_file]

    def _file(self, side: _Side, path: bytes, entry: Entry) -> _Read:
        name = side.exported.name(path)
        key = (path, entry.oid, name if path.endswith(b".h") else self._programs.key(side.tree))
        if key not in self._known:
            try:
                text = self._store.read(entry.oid, "blob")
            except InputError:
                return _Read((), ("files: the clone lacks their content",))
            if len(text) > _LONGEST:
                return _Read((), ("files: larger than 4 MB",))
            used = Used()
            items, missed = _read(side, path, text, name, used)
            if path.endswith(b".c"):
                items = (*items, *self._programs.repeated(path, text, side.tree))
            found = _Read(items, missed)
            if used.elsewhere:
                return found
            self._known[key] = found
        return self._known[key]


def surface(tree: str, trees: Trees, store: Store, paths: Iterable[bytes] | None = None) -> Surface:
    """What programs see of a tree (or of only the given paths). Never raises for what a file holds: what was not read counts."""
    return Reader(trees, store).surface(tree, paths)


class _Side:
    """One tree: its rules and its headers."""

    def __init__(self, tree: str, trees: Trees) -> None:
        self.tree = tree
        self.headers = Headers(tree, trees)
        self.exported = Exported(tree, trees)


def _is_read(path: bytes) -> bool:
    return path.endswith((b".c", b".h")) or documents.is_kconfig(path) or documents.is_abi(path) or syscalls.is_table(path)


def _read(side: _Side, path: bytes, text: bytes, name: bytes, used: Used) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """The items of one file by what kind of file it is."""
    if documents.is_abi(path):
        return tuple(documents.read_abi(path, text)), ()
    if documents.is_kconfig(path):
        return tuple(documents.read_kconfig(path, text)), ()
    if syscalls.is_table(path):
        return tuple(syscalls.read_table(path, text)), ()
    if path.endswith(b".c"):
        return (() if path.startswith(_NOT_THE_KERNEL) else tuple(_source(path, text))), ()
    if not name:
        return (), ()
    header = side.headers.header(path) or Header(path, text, b"x86")
    missed = ["exported headers: #if and #endif do not match"] if not header.seen.balanced else []
    missed += ["macros with arguments in exported headers"] * sum(c.params is not None for c in header.constants)
    missed += ["structs in exported headers: members not understood"] * sum(s.opaque for s in header.types[2])
    return tuple(declared.read(header, side.headers, name, used)), tuple(missed)


def _source(path: bytes, text: bytes) -> Iterator[Item]:
    readers = [module for module in (sysfs, procfs, parameters, syscalls) if any(word in text for word in module.INTEREST)]
    if readers:
        code = Code(text)
        for module in readers:
            yield from module.read(path, code)


def _merged(items: Iterable[Item]) -> list[Item]:
    """In order; what several places declare (a file of several drivers, a prompt per arch) becomes one with all values."""
    found: dict[tuple[Kind, str, str], list[Item]] = {}
    for item in sorted(items, key=order):
        found.setdefault(item.key, []).append(item)
    made = []
    for same in found.values():
        first = same[0]
        values = " | ".join(dict.fromkeys(item.value for item in same))
        made.append(
            Item(first.kind, first.name, first.scope, values, first.path, first.line, first.note) if len(same) > 1 else first
        )
    return made


def _skipped(missed: Counter[str]) -> Iterator[Skipped]:
    for words, count in sorted(missed.items()):
        what, _, why = words.partition(": ")
        yield Skipped(STAGE, f"{count} {what}", why or "what they stand for depends on how they are used")

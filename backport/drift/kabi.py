"""The kernel's interface to modules that were compiled before: what a series changes in it.

Nothing promises that interface upstream, but a distribution with a frozen kABI does, and whoever runs a module from elsewhere
relies on it. The kernel itself compares checksums that genksyms makes of each exported symbol's declaration and of every
type in it; here the declarations are compared, so that each difference has a name and a place.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backport.drift.exports import Shape, differing, exported
from backport.drift.kconfig.added import Place, Rows, locate
from backport.drift.layout import Shift, bodies, compare, is_operations, members
from backport.drift.reaching import Reach, search
from backport.drift.unchecked import LARGEST
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Finding, Level
from backport.model.series import FileChange, Patch, Series

_SHOWN = 8  # exported symbols named in one finding
_SECTION = re.compile(rb"\[[^\]]*\]")
_CHECKSUM = re.compile(rb"0x[0-9a-fA-F]+")
_GENKSYMS = b"__GENKSYMS__"
_WHERE = {
    "removed": "removed: ", "type": "", "moved": "moved to ", "middle": "added in the middle, ", "hole": "added in a hole, ",
    "end": "added at the end, ",
}  # fmt: skip
_PROTOTYPES = ("prototype", "extern")
_WORST = ("removed", "type", "moved", "middle")


def parse_whitelist(text: bytes) -> frozenset[str]:
    """The symbols of a kABI list as RHEL ships it: one a line, `[section]` headers and `#` comments left out.

    Module.symvers and Module.kabi lines (`0x1234 symbol vmlinux ...`) are read too.
    """
    found = set()
    for row in text.splitlines():
        words = row.split(b"#", 1)[0].split()
        if words and _CHECKSUM.fullmatch(words[0]):
            words = words[1:]
        if words and not _SECTION.match(words[0]):
            found.add(words[0].decode("ascii", "backslashreplace"))
    return frozenset(found)


def check(
    series: Series,
    onto_tree: str,
    result_tree: str,
    trees: Trees,
    store: Store,
    whitelist: frozenset[str] | None = None,
    history: History | None = None,
) -> tuple[Finding, ...]:
    """What differs between the exported interfaces of the target and of the target with the series.

    A symbol on the whitelist makes an error, another one a warning; what only grows where nobody looks is a note. Reads the
    files that differ, and looks for what reaches a changed struct only where one changed (see `reaching`, which may miss ways).
    """
    history = history or History(store)
    changes = history.changes([(onto_tree, result_tree)])[0] if onto_tree != result_tree else ()
    rows = list(zip(series.patches, history.added_lines([(p.parent_tree, p.tree) for p in series.patches]), strict=True))
    gate = _Gate(rows, whitelist or frozenset(), store)
    for change in changes:
        if change.new_path.endswith((b".c", b".h")) or change.old_path.endswith((b".c", b".h")):
            gate.file(change)
    return tuple(gate.findings(onto_tree, trees))


@dataclass(frozen=True, slots=True)
class _Struct:
    """A changed struct: its two member lists compared, and where it is."""

    name: bytes
    path: bytes
    shifts: tuple[Shift, ...]
    rows: tuple[bytes, ...]
    typedef: bool
    operations: bool
    hidden: bool


@dataclass(slots=True)
class _Gate:
    """Collects what differs file by file, then asks once for what reaches it."""

    rows: Sequence[tuple[Patch, Mapping[bytes, Rows]]]
    whitelist: frozenset[str]
    store: Store
    gone: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    came: dict[bytes, bytes] = field(default_factory=dict)
    functions: dict[bytes, tuple[bytes, Shape, Shape]] = field(default_factory=dict)
    declared: dict[bytes, tuple[bytes, Shape, Shape]] = field(default_factory=dict)
    structs: list[_Struct] = field(default_factory=list)
    new_types: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    old_types: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    folders: set[bytes] = field(default_factory=set)
    unread: list[tuple[bytes, bytes]] = field(default_factory=list)

    def file(self, change: FileChange) -> None:
        """Compare one file's exports, prototypes and types."""
        old = self._read(change, 0)
        new = self._read(change, 1)
        path = change.new_path if change.new is not None else change.old_path
        self.folders.add(posixpath.dirname(path))
        self._exports(path, old, new)
        if path.endswith(b".h"):  # what it declares may be exported by a file that did not change
            self.declared.update((name, (path, mine, theirs)) for name, mine, theirs in differing(old, new, _PROTOTYPES))
        if path.endswith(b".h") or exported(old):
            self._types(path, old, new)

    def _read(self, change: FileChange, side: int) -> bytes:
        entry = (change.old, change.new)[side]
        if entry is None or not entry.is_file:
            return b""
        text = self.store.read(entry.oid, "blob")
        if len(text) > LARGEST:
            self.unread.append((change.new_path, b""))
            return b""
        return text

    def _exports(self, path: bytes, old: bytes, new: bytes) -> None:
        before, after = exported(old), exported(new)
        self.gone.update({name: (path, macro) for name, macro in before.items() if after.get(name) != macro})
        self.came.update({name: macro for name, macro in after.items() if before.get(name) != macro})
        kept = before.keys() & after.keys()
        for name, mine, theirs in differing(old, new, ("function", "variable"), kept) if kept else ():
            self.functions[name] = (path, mine, theirs)

    def _types(self, path: bytes, old: bytes, new: bytes) -> None:
        was, now = bodies(old), bodies(new)
        self.new_types.update({name: (path, body) for name, body in now.items() if name not in was})
        for name, before in was.items():
            after = now.get(name)
            if after is None:
                self.old_types.append((name, path, before))
            elif b"".join(before.split()) != b"".join(after.split()):
                self._compare(name, path, before, after)

    def _compare(self, name: bytes, path: bytes, before: bytes, after: bytes) -> None:
        mine, theirs = members(before), members(after) if after else []
        if mine is None or theirs is None:
            self.unread.append((path, name))
            return
        shifts = tuple(compare(mine, theirs)) if after else (Shift("removed", b"", "the whole type", 0),)
        if shifts:
            rows = after.split(b"\n")
            shown = tuple(rows[shift.line - 1] for shift in shifts if 0 < shift.line <= len(rows))
            hidden = _GENKSYMS in after and _GENKSYMS not in before
            self.structs.append(_Struct(name, path, shifts, shown, before.startswith(b"typedef"), is_operations(mine), hidden))

    # --- findings -------------------------------------------------------------------------------------------------------

    def findings(self, tree: str, trees: Trees) -> Iterator[Finding]:
        """All of them: vanished, changed, structs, and what could not be read."""
        for name, (path, macro) in sorted(self.gone.items()):
            if name not in self.came:
                yield self._finding(
                    "kabi-removed", name, path, (macro + b"(" + name,), "exported no longer", f"{_show(macro)} has it"
                )
            elif self.came[name] != macro:
                said = f"exported by {_show(self.came[name])}"
                yield self._finding("kabi-signature", name, path, (self.came[name] + b"(" + name,), said, f"by {_show(macro)}")
        for name, (path, mine, theirs) in sorted(self.functions.items()):
            yield self._finding("kabi-signature", name, path, theirs.rows, theirs.text, mine.text)
        for name, path, before in self.old_types:  # gone from its file: moved to another one of the series, or from the kernel
            there, after = self.new_types.get(name, (path, b""))
            if b"".join(before.split()) != b"".join(after.split()):
                self._compare(name, there, before, after)
        self.structs.sort(key=lambda s: (not _public(s.path), s.path, s.name))
        if self.structs or self.declared:
            yield from self._searched(self._search(tree, trees))
        for path, name in self.unread:
            if name and not _public(path):
                continue
            said = f"{_show(name)} differs, but could not be read" if name else "too large to be read"
            place = self._place(path, (name,))
            yield Finding(
                Level.NOTE, "kabi-unread", _show(name), place.patch, path, place.line, "", said, None, "compare by hand"
            )

    def _search(self, tree: str, trees: Trees) -> Reach | None:
        folders = {folder for folder in self.folders if folder and not folder.startswith(b"include")}
        typedefs = frozenset(struct.name for struct in self.structs if struct.typedef)
        return search(tree, [struct.name for struct in self.structs], typedefs, folders, trees, self.store)

    def _searched(self, reach: Reach | None) -> Iterator[Finding]:
        if reach is None:
            said = "the clone lacks objects: what reaches the changed types was not searched"
            yield Finding(Level.NOTE, "kabi-unread", "", "", b"", 0, "", said, None, "give a full clone with --kernel")
        exports = reach.exports if reach is not None else frozenset()
        for name, (path, mine, theirs) in sorted(self.declared.items()):
            if (name in exports or _show(name) in self.whitelist) and name not in self.functions and name not in self.gone:
                yield self._finding("kabi-signature", name, path, theirs.rows, theirs.text, mine.text)
        for struct in self.structs:
            yield from self._struct(struct, reach)
        if reach is not None and reach.left:
            said = f"{reach.left} more headers mention the changed types and were not searched"
            yield Finding(
                Level.NOTE, "kabi-unread", "", "", b"", 0, "", said, None, "the lists of symbols above are not complete"
            )

    def _struct(self, struct: _Struct, reach: Reach | None) -> Iterator[Finding]:
        """One finding for the struct, and one more for each whitelisted symbol that reaches it."""
        by = sorted(reach.by.get(struct.name, frozenset())) if reach is not None else []
        if not by and not _public(struct.path):
            return  # no module from elsewhere can include it
        shown = ", ".join(map(_show, by[:_SHOWN])) + (f" and {len(by) - _SHOWN} more" if len(by) > _SHOWN else "")
        place = self._place(struct.path, struct.rows)
        said = "; ".join(_told(shift) for shift in struct.shifts[:_SHOWN])
        said += f" and {len(struct.shifts) - _SHOWN} more" if len(struct.shifts) > _SHOWN else ""
        target = f"reached by {shown}" if by else "no exported symbol was found that reaches it"
        if reach is None or struct.name not in reach.by:
            target = "what reaches it was not searched"
        level = self._level(struct, by, reach)
        hint = (
            "hidden from genksyms"
            if struct.hidden
            else "with a frozen kABI: a reserved member, or another struct for the new members"
        )
        name = _show(struct.name)
        yield Finding(level, "kabi-struct", name, place.patch, struct.path, place.line, said, target, None, hint)
        for symbol in map(_show, by):
            if symbol in self.whitelist:
                text = f"its signature reaches {name}: {said}"
                yield Finding(
                    Level.ERROR, "kabi-struct", symbol, place.patch, struct.path, place.line, text, "on the list", None, hint
                )

    def _level(self, struct: _Struct, by: Sequence[bytes], reach: Reach | None) -> Level:
        """A note where nothing compiled before can notice: no way leads there, or it grew at its end and is only pointed to."""
        if not by and reach is not None and struct.name in reach.by:
            return Level.NOTE
        if any(shift.what in _WORST for shift in struct.shifts):
            return Level.WARNING
        grew = any(shift.what == "end" for shift in struct.shifts)
        held = struct.operations or reach is None or struct.name in reach.embedded
        return Level.WARNING if grew and held else Level.NOTE

    def _finding(self, kind: str, name: bytes, path: bytes, rows: Sequence[bytes], upstream: str, target: str) -> Finding:
        place = self._place(path, rows)
        symbol = _show(name)
        level = Level.ERROR if symbol in self.whitelist else Level.WARNING
        hint = (
            "on the kABI list: keep it and add a new function beside it"
            if level is Level.ERROR
            else "modules must be built again"
        )
        return Finding(level, kind, symbol, place.patch, path, place.line, upstream, target, None, hint)

    def _place(self, path: bytes, rows: Sequence[bytes]) -> Place:
        """The first of the lines that the series adds to the file; else the last patch that changes it."""
        places = [locate(self.rows, path, row) for row in rows]
        return next((place for place in places if place.line), locate(self.rows, path, b""))


def _public(path: bytes) -> bool:
    """Whether a header is one that modules built elsewhere can include: only these are in kernel-devel."""
    return path.startswith(b"include/") or (path.startswith(b"arch/") and b"/include/" in path)


def _told(shift: Shift) -> str:
    return f"{_show(shift.member)} {_WHERE[shift.what]}{shift.detail}".strip()


def _show(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")

"""The lines that a series adds, as far as they concern configuration: which symbols they use, and where each line stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.drift.kconfig.blocks import names
from backport.drift.kconfig.files import Scans, is_kconfig
from backport.git.store import Store
from backport.model.series import FileChange, Patch

Rows = Sequence[tuple[int, bytes]]
_CONFIG = re.compile(rb"\bCONFIG_(\w+)")
_MAKEFILE = re.compile(rb"(?:^|/)(?:Makefile|Kbuild)[^/]*$")
_SOURCE = (b".c", b".h", b".S")


@dataclass(frozen=True, slots=True)
class Use:
    """A configuration symbol on an added line. `how`: a Kconfig keyword ("depends", "select", ...), "make" or "code".

    `block` is the symbol on whose definition the line stands, in Kconfig.
    """

    name: str
    how: str
    patch: str
    path: bytes
    line: int
    block: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An added line: the commit, the path there, and the line (0: only the file is known, the commit may be empty)."""

    patch: str
    path: bytes
    line: int


def is_makefile(path: bytes) -> bool:
    """Whether a file is one that kbuild reads for its objects."""
    return bool(_MAKEFILE.search(path))


def locate(patches: Sequence[tuple[Patch, Mapping[bytes, Rows]]], path: bytes, text: bytes) -> Place:
    """The last added line of a file that has `text` in it (blanks aside); else the last patch that changes the file, line 0."""
    wanted, found, touched = b"".join(text.split()), Place("", path, 0), Place("", path, 0)
    for patch, rows in patches:
        if any(path in (change.new_path, change.old_path) for change in patch.changes):
            touched = Place(patch.commit, path, 0)
        for number, row in rows.get(path, ()) if wanted else ():
            if wanted in b"".join(row.split()):
                found = Place(patch.commit, path, number)
    return found if found.line else touched


class Added:
    """All added lines of a series, `rows` as History.added_lines gives them, patch by patch."""

    def __init__(self, patches: Sequence[Patch], rows: Sequence[Mapping[bytes, Rows]], store: Store, scans: Scans) -> None:
        self.patches = patches
        self._patches = list(zip(patches, rows, strict=True))
        self._store = store
        self._scans = scans
        self.unread: set[bytes] = set()

    def files(self) -> Iterator[tuple[Patch, FileChange, Rows]]:
        """Each changed file with its added lines."""
        for patch, rows in self._patches:
            for change in patch.changes:
                if change.new is not None and change.new.is_file and rows.get(change.new_path):
                    yield patch, change, rows[change.new_path]

    def definitions(self) -> dict[str, Place]:
        """Every `config X` on an added line of a Kconfig file, the first place of each."""
        found: dict[str, Place] = {}
        for patch, change, rows in self.files():
            if is_kconfig(change.new_path) and change.new is not None:
                lines = {number for number, _ in rows}
                for block in self._scans.file(change.new.oid).definitions():
                    if block.line in lines:
                        found.setdefault(block.name, Place(patch.commit, change.new_path, block.line))
        return found

    def place(self, path: bytes, text: bytes) -> Place:
        """Where the series adds a line of a file that reads like `text`."""
        return locate(self._patches, path, text)

    def uses(self) -> Iterator[Use]:
        """Every configuration symbol on an added line of Kconfig, Makefiles and C, in order."""
        for patch, change, rows in self.files():
            if is_kconfig(change.new_path):
                yield from self._kconfig(patch, change, rows)
            elif is_makefile(change.new_path):
                yield from _found(rows, "make", patch, change.new_path)
            elif change.new_path.endswith(_SOURCE) and any(b"CONFIG_" in row for _, row in rows):
                yield from _found(self._code(change, rows), "code", patch, change.new_path)

    def _kconfig(self, patch: Patch, change: FileChange, rows: Rows) -> Iterator[Use]:
        lines = {number for number, _ in rows}
        if change.new is None:
            return
        for block in self._scans.file(change.new.oid).blocks:
            for item in block.properties if block.kind != "source" else ():
                if item.line in lines:
                    for name in sorted(names(item.rest)):
                        yield Use(name, item.keyword, patch.commit, change.new_path, item.line, block.name)

    def _code(self, change: FileChange, rows: Rows) -> Rows:
        """The same lines without comments and literals."""
        if change.new is None:
            return ()
        plain = blank(self._store.read(change.new.oid, "blob")).split(b"\n")
        return [(number, plain[number - 1]) for number, _ in rows if number <= len(plain)]


def _found(rows: Rows, how: str, patch: Patch, path: bytes) -> Iterator[Use]:
    for number, row in rows:
        text = row.split(b"#", 1)[0] if how == "make" else row
        for name in dict.fromkeys(_CONFIG.findall(text)):
            yield Use(name.decode("latin-1").removesuffix("_MODULE"), how, patch.commit, path, number)

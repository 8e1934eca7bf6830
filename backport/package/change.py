"""What an edit of somebody's spec is to bring in, and the edit itself: lines to insert, files to write, things to say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from backport.model.definition import ConfigValue
from backport.model.errors import InputError
from backport.package import blocks, escape
from backport.package.document import Document, Line, parse
from backport.package.plan import Packager, PatchFile


@dataclass(frozen=True, slots=True)
class Change:
    """A series as a spec takes it in.

    `entries` has one changelog text a patch file; `date` is in seconds since 1970 (UTC); `buildid` is "ksm" or ".ksm", empty for
    none; `bump` raises the release by one; `evr` is what the changelog header is to say where the spec itself does not tell;
    `own_lines` asks the ark dialect for patches of its own instead of linux-kernel-test.patch; `asked` are the symbols that the
    series brings and that ask for a value, where the kernel's tree told (None: as the text of the patches shows).
    """

    series: str
    patches: tuple[PatchFile, ...]
    entries: tuple[str, ...]
    config: tuple[ConfigValue, ...]
    packager: Packager
    date: int
    buildid: str
    evr: str = ""
    own_lines: bool = False
    bump: bool = False
    asked: tuple[str, ...] | None = None

    @property
    def digest(self) -> str:
        """Twelve digits that change with any byte of any patch file."""
        return digest([(escape.patch_name(patch.name), patch.data) for patch in self.patches])


@dataclass(frozen=True, slots=True)
class Insertion:
    """Lines to stand before line `before` (from 1; one past the last line is the end), as a block of ours."""

    before: int
    lines: tuple[bytes, ...]
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way in which distributions write a kernel.spec.

    `why_not` says what a spec lacks to be of this dialect (nothing: it is). `plan` has the lines that declare and apply the
    patches, and the buildid. `config` are name patterns of the file that takes the symbols, the first that is there counts;
    `overriding` those of files that have the last word over it; `strict_config` says that the build stops at a symbol without a
    line. `trees` are folders of one file a symbol, preferred to `config`. `test_patch` is the file that takes all patches,
    where the dialect has one; `presets` are macros whose value only a shell could say;
    `spec_name` is what the spec must be called for its own scripts.
    """

    name: str
    why_not: Callable[[Document], Sequence[str]]
    plan: Callable[[Document, Change], Sequence[Insertion]]
    config: tuple[str, ...] = ()
    overriding: str = ""
    trees: tuple[str, ...] = ()
    test_patch: str = ""
    strict_config: bool = False
    spec_name: str = ""
    presets: Callable[[Document], dict[str, str | None]] = lambda _: {}


def digest(files: Sequence[tuple[str, bytes]]) -> str:
    """Twelve digits that change with any name, order or byte of the files."""
    summed = hashlib.sha256()
    for name, data in files:
        summed.update(f"{name} {len(data)}\n".encode() + data)
    return summed.hexdigest()[:12]


def insert(document: Document, series: str, insertions: Sequence[Insertion]) -> Document:
    """The document with every insertion made, as blocks of the series; all else is as it was, byte for byte.

    A place inside another block (a second series' buildid behind the first one's) moves behind that block.
    """
    data, known = document.data, blocks.find(document.data, document.where)
    for insertion in sorted(insertions, key=lambda i: i.before, reverse=True):
        place = document.offset(insertion.before)
        place = next((block.stop for block in known if block.start < place < block.stop), place)
        block = blocks.make(series, insertion.lines, end_of_line(document), blank=insertion.blank)
        data = data[:place] + block + data[place:]
    return parse(data, document.where)


def end_of_line(document: Document) -> bytes:
    """CR LF where every line ends so, else LF. InputError where the file has both: any choice would be wrong for some reader."""
    ends = {line.end for line in document.lines if line.end}
    if len(ends) > 1:
        odd = next(line for line in document.lines if line.end == b"\r\n")
        then = "write it with one kind of line end (dos2unix)"
        raise InputError(
            f"the spec mixes line ends: line {odd.number} ends in CR LF, others in LF", where=document.where, then=then
        )
    return ends.pop() if ends else b"\n"


def same_conditions(document: Document, one: Line, other: Line) -> None:
    """InputError where two lines do not count in the same builds: a patch would be declared and not applied, or the reverse."""
    said = [[(c.keyword, c.expression, c.branch) for c in line.conditions] for line in (one, other)]
    if said[0] != said[1]:
        quoted = " and ".join(f"line {line.number} ({_inside(line)})" for line in (one, other))
        raise InputError(
            f"patches would be declared and applied under different conditions: {quoted}",
            where=document.where,
            then="nothing was written; put both anchors under the same %if",
        )


def encoded(document: Document, lines: Sequence[str]) -> tuple[bytes, ...]:
    """The lines in the encoding of the spec; InputError where that has no such letters."""
    try:
        return tuple(line.encode(document.encoding) for line in lines)
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        raise InputError(
            f"the spec is not UTF-8, and latin-1 has no {letter!r}", where=document.where, then="convert the spec"
        ) from error


def with_evr(change: Change, evr: str) -> Change:
    """The change with the version that the edited spec says."""
    return replace(change, evr=evr)


def _inside(line: Line) -> str:
    names = [f"%{c.keyword.decode()} {c.expression.decode('utf-8', 'replace')}".strip() for c in line.conditions]
    return "in " + ", ".join(names) if names else "in no %if"

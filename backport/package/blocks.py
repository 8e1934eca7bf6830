"""The lines that this tool wrote into somebody else's file, marked so that it finds exactly those again.

    # begin backport ksm 1f0c9a52
    Patch14465: linux-2.6-ksm.patch
    # end backport ksm

The eight digits sum the lines between, so that lines which a person changed are noticed and never thrown away. A comment
serves everywhere: rpm drops it from preamble and changelog, the shell of %prep skips it, `merge.pl` and Kconfig read past
it, git apply and patch(1) take it for a letter's text. It holds no `%`: a macro in a comment is expanded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.model.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BEGIN = re.compile(rb"^# begin backport ([A-Za-z0-9._-]+) ([0-9a-f]{8})\r?$", re.M)
_BLANK = re.compile(rb"\r?\n")
_END = b"# end backport "


@dataclass(frozen=True, slots=True)
class Block:
    """One block of ours: the series, where it is (bytes, with its markers and the blank line behind), and the lines in it."""

    series: str
    start: int
    stop: int
    line: int
    lines: tuple[bytes, ...]
    intact: bool


def make(series: str, lines: Sequence[bytes], eol: bytes = b"\n", *, blank: bool = True) -> bytes:
    """The lines as a block of the series; `blank` sets an empty line behind it, which belongs to it."""
    if not _NAME.fullmatch(series):
        raise InputError(f"{series!r} cannot mark lines as a series' own", then="use letters, digits, `.`, `_` and `-`")
    begin = f"# begin backport {series} {_sum(lines, blank=blank)}".encode()
    return eol.join([begin, *lines, _END + series.encode(), *([b""] if blank else []), b""])


def find(data: bytes, where: str) -> list[Block]:
    """Every block, in order. InputError for one without an end, or one in another."""
    found = []
    for begin in _BEGIN.finditer(data):
        series, line = begin[1].decode(), data.count(b"\n", 0, begin.start()) + 1
        end = re.compile(rb"^# end backport " + re.escape(begin[1]) + rb"\r?(?:\n|\Z)", re.M).search(data, begin.end())
        inside = data[begin.end() + 1 : end.start()] if end else b""
        if end is None or _BEGIN.search(inside):
            raise InputError(
                f"the lines of {series} begin here and do not end",
                where=f"{where}:{line}",
                then=f"put `# end backport {series}` where they do, or take them out by hand",
            )
        lines = tuple(text.removesuffix(b"\r") for text in inside.split(b"\n")[:-1])
        blank = _BLANK.match(data, end.end()) if _sum(lines, blank=True).encode() == begin[2] else None
        intact = begin[2] in (_sum(lines, blank=True).encode(), _sum(lines, blank=False).encode())
        found.append(Block(series, begin.start(), blank.end() if blank else end.end(), line, lines, intact))
    return found


def without(data: bytes, series: str, where: str) -> bytes:
    """The file as it was before the series: its blocks taken out. InputError where a person changed lines in one."""
    for block in reversed(find(data, where)):
        if block.series == series:
            refuse_changed(block, where)
            data = data[: block.start] + data[block.stop :]
    return data


def refuse_changed(block: Block, where: str) -> None:
    """InputError where the lines of the block are not those that were written."""
    if not block.intact:
        raise InputError(
            f"lines that backport wrote for {block.series} were changed by hand, and would be lost",
            where=f"{where}:{block.line}",
            then="move what you added out of the block and undo the rest, or delete the whole block",
        )


def _sum(lines: Sequence[bytes], *, blank: bool) -> str:
    """The digits also tell whether the empty line behind the block was written with it."""
    return hashlib.sha256(b"\n".join([b"+" if blank else b"-", *lines])).hexdigest()[:8]

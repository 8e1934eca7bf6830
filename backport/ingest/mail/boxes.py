"""Mails in files: an mbox (plain or .gz), a maildir, single mails, a folder of patches as `git format-patch` writes them.

Files are mapped, not loaded; a mail is looked at one at a time. What begins a mail in an mbox is what `git mailsplit` says: a
body that holds `From <sha> Mon Sep 17 00:00:00 2001` is thus cut there as git cuts it, in an mbox and nowhere else.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import IO

from backport.model.errors import InputError
from backport.model.mail import Refused

MOST_UNPACKED = 2 << 30
_STEP = 1 << 20
_KEPT = 64 << 20  # of a mapped file at a time
_LINE = b"\nFrom "
_FROM = re.compile(rb"From [^\n]*\d[^\n]\d\d:\d\d\s*(\d+)[^:\n]*$", re.M)  # mailsplit.c, is_from_line()
_PATCHES = (".patch", ".diff", ".mbox", ".eml", ".mbx")


@dataclass(frozen=True, slots=True)
class Found:
    """One mail of a source: where it is, its bytes (b"" where it was refused), how many folders its paths are to lose."""

    where: str
    raw: bytes
    strip: int = 1
    refused: Refused | None = None


class Box:
    """A file or folder of mails. `walk` gives all of them in order; `read` some of them again by their places."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def walk(self) -> Iterator[Found]:
        """Every mail, in the order of the file, or of the names in a folder. What cannot be read is handed over as refused."""
        for path in _files(self.path):
            yield from _walk_file(path)

    def read(self, wheres: Sequence[str]) -> list[Found]:
        """These mails again."""
        wanted = set(wheres)
        found = {each.where: each for each in self.walk() if each.where in wanted}
        return [found[where] for where in wheres]


def _files(path: Path) -> list[Path]:
    """The files of a source, in the order of their names."""
    if path.is_file():
        return [path]
    if (path / "cur").is_dir() or (path / "new").is_dir():
        found = [each for part in ("cur", "new") if (path / part).is_dir() for each in (path / part).iterdir()]
        return sorted((each for each in found if each.is_file()), key=lambda each: each.name)
    names = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    patches = [each for each in names if each.suffix in _PATCHES or each.name.endswith(".mbox.gz")]
    return patches or names


def _walk_file(path: Path) -> Iterator[Found]:
    import tempfile

    try:
        if path.suffix == ".gz":
            with tempfile.TemporaryFile(prefix="backport-") as unpacked:
                refused = _unpack(path, unpacked)
                yield from _walk_mapped(path, unpacked)
            if refused:
                yield Found(shown(path), b"", refused=Refused(shown(path), 0, refused))
            return
        with path.open("rb") as handle:
            yield from _walk_mapped(path, handle)
    except OSError as error:
        yield Found(shown(path), b"", refused=Refused(shown(path), 0, f"cannot read it: {error.strerror or error}"))


def _unpack(path: Path, into: IO[bytes]) -> str:
    """Unpack a .gz up to MOST_UNPACKED; why it ended early, or ''. What came before is kept, which gzip.open would throw away."""
    import zlib

    size, inside, engine = 0, False, zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as packed:
            while piece := packed.read(_STEP):
                while piece:
                    found, inside = engine.decompress(piece, _STEP), True
                    size += len(found)
                    into.write(found)
                    if size > MOST_UNPACKED:
                        return f"it unpacks to more than {MOST_UNPACKED >> 20} MB: the rest was not read"
                    piece = engine.unused_data if engine.eof else engine.unconsumed_tail
                    if engine.eof:  # several .gz one behind the other are one
                        inside, engine = False, zlib.decompressobj(wbits=31)
        return f"the archive is cut off after {size} bytes" if inside else ""
    except zlib.error as error:
        return f"the archive is damaged after {size} bytes: {error}"
    finally:
        into.flush()


def _walk_mapped(path: Path, handle: IO[bytes]) -> Iterator[Found]:
    try:
        content = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:  # an empty file cannot be mapped
        return
    with content:
        starts = _starts(content)
        if (first := next(starts, None)) is None or (second := next(starts, None)) is None:
            yield _cut(content, shown(path), 0, len(content))
            return
        for number, (start, end) in enumerate(pairwise(chain((first, second), starts, (len(content),))), 1):
            yield _cut(content, f"{shown(path)}#{number}", start, end)


def _starts(content: mmap.mmap) -> Iterator[int]:
    """Where mails begin, for a file that begins with one."""
    at = 0
    while at >= 0:
        if (match := _FROM.match(content, at)) and int(match[1][:9]) > 90:
            yield at
        elif at == 0:
            return
        at = _next(content, at)


def _next(content: mmap.mmap, at: int) -> int:
    """The next line with `From `, -1 for none. What was passed is given back, so that 2 GB take no 2 GB of memory."""
    step = at - at % _KEPT
    while step < len(content):
        found = content.find(_LINE, max(at, step), step + _KEPT + len(_LINE) - 1)
        if found >= 0:
            return found + 1
        step += _KEPT
        if hasattr(mmap, "MADV_DONTNEED"):
            content.madvise(mmap.MADV_DONTNEED)
    return -1


def _cut(content: mmap.mmap, where: str, start: int, end: int) -> Found:
    """A mail, or that it is too large."""
    from backport.ingest.mail.message import LARGEST, too_large

    if end - start > LARGEST:
        return Found(where, b"", refused=Refused(where, 0, too_large(end - start)))
    return Found(where, content[start:end])


def check(path: Path) -> None:
    """InputError where there is nothing at a path."""
    if not path.exists():
        then = (
            "give an mbox, a maildir, a folder of patches, a quilt series, a public-inbox archive, a Message-ID, REPOSITORY#A..B"
        )
        raise InputError("there is no such file or folder", where=str(path), then=then)
    if not (path.is_file() or path.is_dir()):
        raise InputError("it is neither a file nor a folder", where=str(path), then="write what comes out of it to a file first")


def shown(path: Path | str) -> str:
    """A path as text that any file can hold: bytes of its name that are no UTF-8 are written with backslashes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")

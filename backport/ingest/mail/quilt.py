"""A quilt series: the `series` file with guards and strip levels, and patches that need not be mails.

quilt(1): a line is `name [-pN] [-R] [# comment]`. guards(1), as in SUSE's series.conf: `+x` before the name takes the patch only
with the guard x, `-x` only without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.ingest.mail.boxes import Found
from backport.ingest.mail.message import LARGEST, NO_DATE
from backport.model.errors import InputError
from backport.model.mail import Refused

_HEADER = re.compile(rb"\A(?:From [^\n]*\n)?(?:From|Subject|Date|Message-Id|Return-Path|Received|MIME-Version|To|Cc):", re.I)
_SUBJECT = re.compile(rb"^(?:Subject|Description): *(\S[^\n]*)", re.M | re.I)
_AUTHOR = re.compile(rb"^(?:From|Author): *([^\n]*<[^\n<>]+@[^\n<>]+>)", re.M | re.I)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a series file: the patch, its strip level, whether it is applied in reverse, its guards, its number."""

    name: str
    strip: int
    reverse: bool
    guards: tuple[str, ...]
    number: int


class Quilt:
    """A quilt series; `guards` are those that hold. A patch of them is read as a mail from whoever it says, or from nobody."""

    def __init__(self, series: Path, guards: Sequence[str] = ()) -> None:
        self.path = series
        self.guards = frozenset(guards)

    def walk(self) -> Iterator[Found]:
        """The patches that the guards leave, in the order of the series file."""
        wanted = [line for line in read_series(self.path) if _taken(line, self.guards)]
        for number, line in enumerate(wanted, 1):
            yield self._patch(line, number, len(wanted))

    def read(self, wheres: Sequence[str]) -> list[Found]:
        """These patches again."""
        found = {each.where: each for each in self.walk()}
        return [found[where] for where in wheres]

    def _patch(self, line: Line, number: int, total: int) -> Found:
        where = f"{self.path}:{line.number}"
        if line.reverse:
            return Found(where, b"", refused=Refused(where, 0, f"{line.name} is applied in reverse (-R), which no mail can say"))
        path = self.path.parent / line.name
        try:
            inside = path.resolve().is_relative_to(self.path.parent.resolve())
            raw = path.read_bytes() if inside and path.stat().st_size <= LARGEST else b""
        except (OSError, ValueError) as error:
            return Found(where, b"", refused=Refused(where, 0, f"{line.name}: cannot read it: {error}"))
        if not raw:
            why = "is empty or too large" if inside else "leaves the folder of the series"
            return Found(where, b"", refused=Refused(where, 0, f"{line.name} {why}"))
        return Found(where, _as_mail(raw, line.name, number, total), line.strip)


def is_series(path: Path) -> Path | None:
    """The series file that a path means: itself, or `series` in the folder or its `patches`; None where it is no quilt series."""
    if path.is_file():
        return path if path.name in ("series", "series.conf") else None
    places = (path / "series", path / "series.conf", path / "patches" / "series")
    return next((place for place in places if place.is_file()), None)


def read_series(path: Path) -> list[Line]:
    """The lines of a series file. InputError, with its line, for an option that quilt does not know either."""
    try:
        content = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    found = []
    for number, text in enumerate(content.split("\n"), 1):
        words = text.split(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        guards = [word for word in words if word[0] in "+-" and not re.fullmatch(r"-(?:p\d*|pab|R)", word)]
        rest = [word for word in words if word not in guards]
        strip, reverse, names = 1, False, []
        for word in rest:
            if match := re.fullmatch(r"-p(\d?)(?:ab)?", word):
                strip = int(match[1] or 1)
            elif word == "-R":
                reverse = True
            else:
                names.append(word)
        if len(names) != 1:
            raise InputError("this is no line of a quilt series", where=f"{path}:{number}", then="write NAME [-pN] [# comment]")
        found.append(Line(names[0], strip, reverse, tuple(guards), number))
    return found


def _taken(line: Line, guards: frozenset[str]) -> bool:
    wants = [guard[1:] for guard in line.guards if guard.startswith("+")]
    bars = [guard[1:] for guard in line.guards if guard.startswith("-")]
    return not any(bar in guards for bar in bars) and (not wants or any(want in guards for want in wants))


def _as_mail(raw: bytes, name: str, number: int, total: int) -> bytes:
    """A patch file as a numbered mail. What is a mail already keeps its own headers but for the subject's number."""
    stem = Path(name).name.removesuffix(".patch").removesuffix(".diff").encode("utf-8", "surrogateescape")
    subject = _SUBJECT.search(raw[:4000])
    author = _AUTHOR.search(raw[:4000])
    title = re.sub(rb"^\[[^]\n]*\] *", b"", subject[1]) if subject else stem
    label = b"Subject: [PATCH %d/%d] %s" % (number, total, title.strip())
    if _HEADER.match(raw):
        head, _, body = raw.partition(b"\n\n")
        kept = re.sub(rb"^Subject:[^\n]*(?:\n[ \t][^\n]*)*\n?", b"", head, flags=re.M | re.I).rstrip(b"\n")
        if re.search(rb"^From:", kept, re.M | re.I):
            date = b"" if re.search(rb"^Date:", kept, re.M | re.I) else NO_DATE + b"\n"
            return kept + b"\n" + date + label + b"\n\n" + body
    who = author[1] if author else b"quilt <quilt@localhost>"
    return b"From: " + who + b"\n" + NO_DATE + b"\n" + label + b"\n\n" + raw

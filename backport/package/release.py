"""Raises the release of a spec by one, as its era counts it: fedora_build, baserelease, specrelease, or the Release tag itself.

As with the buildid, the distribution's own line stays as it is and a line of ours has the last word:

    %global baserelease 200
    # begin backport ksm 5b1f0e77
    # release 200 to 201 for 1f0c9a52beef
    %global baserelease 201
    # end backport ksm

A tag cannot be said twice; `Release: 3%{?dist}` is put between `%if 0` and `%endif`, which are ours, and ours follows it.
F12's fedora_build is the distance of CVS's $Revision$ from an origin: a commit raised it by one, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backport.model.errors import InputError
from backport.package import blocks
from backport.package.blocks import Block
from backport.package.change import Insertion
from backport.package.document import Document, Line

_MACROS = (b"baserelease", b"specrelease", b"fedora_build")
_SHELL = re.compile(rb"%(?:define|global)\s+fedora_build\s+%\(")
# What stands before the number (0.rc2.20230307git8ca09d5fa354.) and behind it (%{?buildid}%{?dist}) is kept.
_NUMBER = re.compile(rb"(?P<before>(?:[A-Za-z0-9~^_]+\.)*)(?P<number>\d+)(?P<behind>(?:%\{\?\w+\})*)\s*$")
_TAG = re.compile(rb"Release\s*:\s*", re.IGNORECASE)
_MARK = re.compile(rb"# release ([\w.~^]+) to ([\w.~^]+) for ([0-9a-f]{12})$")


@dataclass(frozen=True, slots=True)
class Raised:
    """What a block of ours says: the release from which, to which, and the digest of the patches for which it was raised."""

    old: str
    new: str
    digest: str


def recorded(lines: Sequence[bytes]) -> Raised | None:
    """What a block of ours says of the release; None for a block of another kind."""
    found = _MARK.match(lines[0]) if lines else None
    return Raised(*(word.decode() for word in found.groups())) if found else None


def number(written: Sequence[Block | Insertion]) -> str:
    """The release to which blocks (written, or to be written) raise the spec; '' where none does."""
    return next((raised.new for raised in map(recorded, (one.lines for one in written)) if raised), "")


def bump(document: Document, presets: Mapping[str, str | None], digest: str, before: Sequence[Block]) -> list[Insertion]:
    """The lines that raise the release. `before` are the blocks that the series had, which `document` has no more.

    A release that was made for these very patches keeps its number; other patches get the next one, whatever it was raised to.
    InputError where the spec has no number of its own, or several, or where another series raised it already.
    """
    _refuse_raised(document)
    line, start = _place(document)
    shell = _SHELL.match(line.text)
    text = (presets.get("fedora_build") or "").encode() if shell else line.text[start:]
    found = _NUMBER.match(text)
    if found is None:
        then = "nothing was written: raise it by hand and edit without --bump"
        raise InputError("the release is not a number that can be raised", where=f"{document.where}:{line.number}", then=then)
    old = found["before"] + found["number"]
    new = found["before"] + str(_next(found, digest, before)).encode()
    mark = b"# release %s to %s for %s" % (old, new, digest.encode())
    ours = (b"%global fedora_build " if shell else line.text[:start]) + new + found["behind"]
    if not _TAG.match(line.text):
        return [Insertion(line.number + 1, (mark, ours), blank=False)]
    return [
        Insertion(line.number, (mark, b"%if 0"), blank=False),
        Insertion(line.number + 1, (mark, b"%endif", ours), blank=False),
    ]


def _refuse_raised(document: Document) -> None:
    for block in blocks.find(document.data, document.where):
        if raised := recorded(block.lines):
            raise InputError(
                f"{block.series} raised the release already, from {raised.old} to {raised.new}",
                where=f"{document.where}:{block.line}",
                then="once is enough for a build: edit without --bump",
            )


def _place(document: Document) -> tuple[Line, int]:
    """The line that says the release, and where in it the value begins: the first macro that is a number, else the tag."""
    for name in _MACROS:
        pattern = re.compile(rb"%(?:define|global)\s+" + name + rb"\s+(?=%\(|[\w.~^]*\d)")
        if found := document.matching(pattern, ""):
            line = document.only(found, f"definition of {name.decode()}")
            return line, _end(pattern, line)
    line = document.only([line for line in document.matching(_TAG, "") if not line.conditions], "Release outside of every %if")
    return line, _end(_TAG, line)


def _end(pattern: re.Pattern[bytes], line: Line) -> int:
    found = pattern.match(line.text)
    return found.end() if found else 0


def _next(found: re.Match[bytes], digest: str, before: Sequence[Block]) -> int:
    number = int(found["number"])
    for raised in filter(None, (recorded(block.lines) for block in before)):
        prefix, _, last = raised.new.rpartition(".")
        if f"{prefix}." * bool(prefix) == found["before"].decode() and last.isdigit() and int(last) > number:
            return int(last) + (raised.digest != digest)
    return number + 1

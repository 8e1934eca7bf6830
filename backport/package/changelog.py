"""The changelog entry of an edit, in the style in which the spec's own entries are written."""

from __future__ import annotations

import calendar
import re

from backport.model.errors import InputError
from backport.package import escape
from backport.package.change import Change, Insertion, encoded
from backport.package.document import Document, Line

_SECTION = re.compile(rb"%changelog\s*$")
_HEADER = re.compile(rb"\*\s+(?:\w{3})\s+(\w{3})\s+(\d{1,2})\s+(\d{4})\s+(.*?)\s*$")
_STYLED = re.compile(rb".*>(?P<before>\s+-\s+|\s+\[|\s+)(?P<evr>[^\s\]<>]*\d[^\s\]<>]*)(?P<after>\]?)$")
_MONTHS = {name.encode(): number for number, name in enumerate(calendar.month_abbr) if name}


def automatic(document: Document) -> bool:
    """Whether rpmautospec writes the changelog from git: then none is ours to write."""
    return any(b"%autochangelog" in line.text or b"%{autochangelog}" in line.text for line in document.section("changelog"))


def entry(document: Document, change: Change) -> Insertion:
    """The newest entry of the changelog: header as the last ones have it, and one item a patch file.

    The date is the change's, or the newest entry's where that is later: rpm drops all entries behind one that is out of order.
    """
    found = [line for line in document.lines if line.section == "changelog" and line.text.startswith(b"%changelog")]
    anchor = document.only(found, "%changelog")
    if not _SECTION.match(anchor.text):
        raise InputError(f"line {anchor.number} has more than %changelog", where=document.where, then="nothing was written")
    return Insertion(anchor.number + 1, (*encoded(document, [_header(document, change)]), *items(document, change)))


def items(document: Document, change: Change) -> tuple[bytes, ...]:
    """The entry without its header."""
    return encoded(document, "\n".join(escape.changelog_entry(text) for text in change.entries).split("\n"))


def headers(document: Document) -> list[Line]:
    """The header line of every entry, newest first."""
    return [line for line in document.section("changelog") if line.text.startswith(b"*")]


def _header(document: Document, change: Change) -> str:
    """`* Fri Dec 04 2009 Name <mail> 2.6.31.6-163`, with ` - ` or brackets round the version where the spec has them."""
    known = headers(document)
    newest = _seconds(known[0]) if known else 0
    before, after = next((style for line in known[:40] if (style := _style(line.text)) is not None), (" ", ""))
    plain = escape.changelog_header(max(change.date, newest), change.packager.name, change.packager.mail, change.evr)
    person, _, evr = plain.rpartition(" ")
    return f"{person}{before}{evr}{after}"


def _style(header: bytes) -> tuple[str, str] | None:
    found = _STYLED.match(header)
    if found is None:
        return None
    before = " - " if b"-" in found["before"] else " [" if b"[" in found["before"] else " "
    return before, "]" if before == " [" else ""


def _seconds(header: Line) -> int:
    """The day of a header in seconds since 1970; 0 for one that rpm could not read either."""
    found = _HEADER.match(header.text)
    if found is None or found[1] not in _MONTHS:
        return 0
    return calendar.timegm((int(found[3]), _MONTHS[found[1]], int(found[2]), 12, 0, 0))

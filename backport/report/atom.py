"""An Atom feed (RFC 4287) of events. Dates are the events' own, so that equal events give an equal feed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from backport.report import safe

_SPACE = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: a key that never changes, a title, seconds since 1970, what was said, the folder of its result or ''."""

    key: str
    title: str
    date: int
    said: str
    folder: str


def render(title: str, entries: Sequence[Entry]) -> bytes:
    """The feed, the newest event first."""
    Xml.register_namespace("", _SPACE)
    feed = Xml.Element(f"{{{_SPACE}}}feed")
    _text(feed, "title", title)
    _text(feed, "id", _identity(title))
    _text(feed, "updated", _date(max((entry.date for entry in entries), default=0)))
    _text(Xml.SubElement(feed, f"{{{_SPACE}}}author"), "name", "backport watch")
    for entry in reversed(entries):
        made = Xml.SubElement(feed, f"{{{_SPACE}}}entry")
        _text(made, "title", entry.title)
        _text(made, "id", _identity(entry.key))
        _text(made, "updated", _date(entry.date))
        _text(made, "summary", entry.said)
        if entry.folder:
            Xml.SubElement(made, f"{{{_SPACE}}}link", rel="alternate", href=quote(f"{entry.folder}/summary.md"))
    Xml.indent(feed)
    document: bytes = Xml.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _text(parent: Xml.Element, name: str, value: str) -> None:
    Xml.SubElement(parent, f"{{{_SPACE}}}{name}").text = safe.line(value)


def _identity(key: str) -> str:
    """A name for ever: RFC 4287 wants an IRI, and a Message-ID may hold what an IRI may not."""
    return f"urn:sha256:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Findings as workflow commands of GitHub Actions: one line each, shown beside the line of code in a pull request.

A runner reads every line of a job's output for `::`, so nothing from outside may start a line or end a property.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backport.model.finding import Finding, Level
from backport.report import safe
from backport.report.sarif import sentences

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(findings: Sequence[Finding]) -> bytes:
    """The commands, the worst level first because GitHub shows only ten of each, otherwise in the order of the findings."""
    ranked = [found for level in Level for found in findings if found.level is level]
    return "".join(line + "\n" for line in map(_annotation, ranked)).encode("utf-8")


def _annotation(found: Finding) -> str:
    """`::error file=mm/ksm.c,line=7,title=kind: symbol::what, and why`."""
    properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(found))
    return f"::{_COMMAND[found.level]} {properties}::{_data(chr(10).join(sentences(found)))}"


def _properties(found: Finding) -> Iterator[tuple[str, str]]:
    if found.path:
        yield "file", _path(found.path)
        if found.line > 0:
            yield "line", str(found.line)
    yield "title", safe.line(f"{found.kind}: {found.symbol}" if found.symbol else found.kind)


def _path(path: bytes) -> str:
    """A path that GitHub can find again: line breaks stay, whatever else does not show becomes a backslash escape."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(char if char in "\r\n" else safe.line(char) for char in text)


def _data(text: str) -> str:
    """What follows the second `::`, escaped as @actions/core does it; the percent sign first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value before the second `::`."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")

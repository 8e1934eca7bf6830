"""Findings as SARIF 2.1.0, the format that code scanning of GitHub, GitLab and Azure reads.

One run, one rule a kind of finding. The bytes are deterministic: no time, no host, no absolute path. Texts are made fit to
look at (`safe`), and escaped as the specification's messages want it: nothing from outside becomes a link or a placeholder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from backport.model.finding import Finding, Level
from backport.model.series import show_path
from backport.report import safe
from backport.report.kinds import KINDS

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"
_ESCAPED = re.compile(r"[\\\[\]]")
_WORST = (Level.ERROR, Level.WARNING, Level.NOTE)


def render(findings: Sequence[Finding], tool_version: str) -> bytes:
    """The whole log, in the order of the findings. Valid against the schema whatever the findings hold."""
    kinds = sorted({found.kind for found in findings})
    numbers = {kind: number for number, kind in enumerate(kinds)}
    seen: dict[str, int] = {}
    driver = {
        "name": "backport",
        "version": safe.line(tool_version),
        "rules": [_rule(kind, [found.level for found in findings if found.kind == kind]) for kind in kinds],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "backport/drift/"},
        "results": [_result(found, numbers[found.kind], seen) for found in findings],
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return (json.dumps(log, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _rule(kind: str, levels: Sequence[Level]) -> dict[str, Any]:
    """A reporting descriptor; its default level is the worst that this kind has here."""
    name = safe.line(kind) or "finding"
    said, way_out = KINDS.get(kind, (name.replace("-", " ").capitalize(), "See the message of each finding."))
    return {
        "id": name,
        "name": "".join(part.capitalize() for part in re.findall(r"\w+", name)) or "Finding",
        "shortDescription": {"text": _message(f"{said}.")},
        "fullDescription": {"text": _message(f"{said}. {way_out}")},
        "help": {"text": _message(f"{said}. {way_out}")},
        "defaultConfiguration": {"level": str(next((level for level in _WORST if level in levels), Level.NOTE))},
    }


def _result(found: Finding, rule: int, seen: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": safe.line(found.kind) or "finding",
        "ruleIndex": rule,
        "level": str(found.level),
        "message": {"text": _message("; ".join(sentences(found)))},
    }
    if found.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": uri(found.path), "uriBaseId": "%SRCROOT%"}}
        if found.line > 0:
            place["region"] = {"startLine": found.line}
        result["locations"] = [{"physicalLocation": place}]
    result["partialFingerprints"] = {"backport/v1": _fingerprint(found, seen)}
    if found.accepted:
        result["suppressions"] = [{"kind": "external", "justification": safe.line(found.accepted)}]
    result["properties"] = _properties(found)
    return result


def sentences(found: Finding) -> Iterator[str]:
    """A finding in words, a part at a time: what it is about, what each side has, who made the difference, the way out."""
    about = safe.line(found.symbol)
    yield f"{KINDS[found.kind][0] if found.kind in KINDS else safe.line(found.kind)}{': ' + about if about else ''}"
    for name, value in (("upstream", found.upstream), ("target", found.target)):
        if value:
            yield f"{name}: {safe.line(value)}"
    if found.introduced_by is not None:
        yield f"because of {safe.line(found.introduced_by.commit[:12])} ({safe.line(found.introduced_by.subject)})"
    if found.hint:
        yield f"hint: {safe.line(found.hint)}"


def uri(path: bytes) -> str:
    """A path as a relative URI: every byte that is not plain is percent-encoded, so that none can be lost or misread."""
    return quote(path.lstrip(b"/"), safe="/")


def _message(text: str) -> str:
    """A SARIF message: brackets would make a link (3.11.6), braces a placeholder (3.11.5)."""
    return _ESCAPED.sub(r"\\\g<0>", text).replace("{", "{{").replace("}", "}}")


def _fingerprint(found: Finding, seen: dict[str, int]) -> str:
    """The same for the same finding whatever its line: kind, symbol, file, commit; and a number among equal ones."""
    parts = (found.kind, found.symbol, found.path.hex(), found.patch)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{digest}:{seen[digest]}"


def _properties(found: Finding) -> dict[str, Any]:
    """The fields of the finding; empty ones are left out."""
    fields: dict[str, Any] = {
        "symbol": safe.line(found.symbol),
        "patch": safe.line(found.patch),
        "path": show_path(found.path),
        "upstream": safe.line(found.upstream),
        "target": safe.line(found.target),
        "hint": safe.line(found.hint),
    }
    if found.introduced_by is not None:
        cause = found.introduced_by
        fields["introduced_by"] = {
            "commit": safe.line(cause.commit), "subject": safe.line(cause.subject), "why": safe.line(cause.why),
        }  # fmt: skip
    return {name: value for name, value in fields.items() if value}

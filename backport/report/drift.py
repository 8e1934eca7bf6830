"""Findings alone, as JSON: what `backport drift --json` prints and a CI job reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backport.model import codec
from backport.model.finding import Finding, Level
from backport.model.result import Skipped

SCHEMA = "backport-drift/1"


def dump(onto: str, findings: Sequence[Finding], skipped: Sequence[Skipped]) -> bytes:
    """The findings in their order, what was not checked, and the counts; deterministic, one trailing newline.

    A finding's keys are level, kind, symbol, patch, file, line, upstream, target, introduced_by, hint, accepted.
    """
    counts = {level.value: sum(f.level is level and not f.accepted for f in findings) for level in Level}
    document = {
        "schema": SCHEMA,
        "onto": onto,
        "summary": counts,
        "findings": [finding(f) for f in findings],
        "skipped": [codec.encode(s) for s in skipped],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def finding(found: Finding) -> dict[str, object]:
    """One finding as a JSON object."""
    return {"file" if key == "path" else key: value for key, value in codec.encode(found).items()}

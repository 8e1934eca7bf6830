"""The seal of a report: a digest for each of its parts, so that a change by accident or by hand is seen, and where.

It is no signature: whoever changes a report can seal it again. What follows from the histories, `backport verify` therefore
derives anew; the seal covers the rest, which is words for people.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

KEY = "seal"
_DIGITS = 32


def seal(document: Mapping[str, Any]) -> dict[str, Any]:
    """For each key of the document its digest; for a list, those of its items."""
    return {key: _digests(value) for key, value in document.items() if key != KEY}


def broken(document: Mapping[str, Any]) -> list[str]:
    """The places whose digest is another than the seal says, e.g. `patches[3]`; `seal` itself where it is of another shape."""
    told, now = document.get(KEY), seal(document)
    if not isinstance(told, dict) or told.keys() != now.keys():
        return [KEY]
    found: list[str] = []
    for key, value in now.items():
        if not isinstance(value, list) or not isinstance(told[key], list) or len(value) != len(told[key]):
            found += [key] if told[key] != value else []
        else:
            found += [f"{key}[{i}]" for i, (one, other) in enumerate(zip(value, told[key], strict=True)) if one != other]
    return found


def _digests(value: Any) -> Any:
    return [_digest(item) for item in value] if isinstance(value, list) else _digest(value)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

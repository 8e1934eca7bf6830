"""What `backport verify` found, for people and as JSON."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.text import Text

from backport.model.codec import encode
from backport.model.difference import Verified
from backport.model.plural import plural
from backport.report.view import GUIDE, text

_MOST = 100


def render(found: Verified) -> RenderableType:
    """Every difference on a line, or what was found to be as the report says."""
    told = (
        f"{plural(found.patches, 'patch', 'patches')}, {plural(found.files, 'file decision')}, "
        f"{plural(found.evidence, 'hunk')} with evidence, {plural(found.artifacts, 'output file')}"
    )
    if not found.differences:
        return Text(f"All is as the report says: {told}.", "bold green")
    rows = [text(("✗ ", "red"), (d.place, "bold"), (f"  {d.what}", "")) for d in found.differences[:_MOST]]
    if len(found.differences) > _MOST:
        rows.append(Text(f"… {len(found.differences) - _MOST} more", GUIDE))
    head = Text(f"{plural(len(found.differences), 'difference')} in {told}.", "bold red")
    return Group(*rows, Text(), head)


def dump(found: Verified) -> bytes:
    """One object: what was looked at, and the differences."""
    return (json.dumps(encode(found), ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")

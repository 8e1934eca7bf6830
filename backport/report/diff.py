"""What `backport diff` found: a line for each patch, and below it where backport and upstream part."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from backport.model.codec import encode
from backport.model.comparison import Comparison, Part
from backport.model.plural import plural
from backport.report import safe
from backport.report.view import GUIDE, STYLE, text

_MOST = 40  # lines of one place that are shown
_SIDES = {"before": ("<", "red"), "after": (">", "green"), "both": (" ", GUIDE)}


def render(found: Sequence[Comparison]) -> RenderableType:
    """`=` does the same, `!` does not, `·` did not land; then `<` only upstream, `>` only the backport."""
    digits = len(str(len(found)))
    rows: list[RenderableType] = []
    for number, one in enumerate(found, 1):
        mark, style = ("=", "green") if one.same else ("!", "bold yellow") if one.commit else ("·", "blue")
        rows.append(
            text(
                (f"{number:>{digits}} ", GUIDE),
                (f"{mark} ", style),
                (f"{one.verdict.value:<15} ", STYLE[one.verdict]),
                (one.upstream[:12] + " ", "cyan"),
                (one.subject, ""),
                crop=True,
            )
        )
        for part in one.parts:
            rows += _part(part, digits + 3)
    differ = sum(bool(one.parts) for one in found)
    same = sum(one.same for one in found)
    told = f"{plural(same, 'patch does', 'patches do')} what upstream's does, {differ} differ, "
    told += f"{len(found) - same - differ} did not land."
    return Group(*rows, Text(), Text(told, "bold green" if not differ else "bold yellow"))


def _part(part: Part, indent: int) -> list[Text]:
    blank = " " * indent
    return [Text(blank) + row for row in part_rows(part)]


def part_rows(part: Part) -> list[Text]:
    """The place of a difference, and its lines."""
    where = text((part.path, "bold"), (f":{part.line}" if part.line else "", "bold"))
    if part.function:
        where.append_text(text((f" in {part.function}", "")))
    if not part.lines:
        where.append_text(text((" is another file", GUIDE)))
    rows = [where]
    for line in part.lines[:_MOST]:
        mark, style = _SIDES[line.side]
        (shown, *_), _ = safe.excerpt(line.text + b"\n", 1)
        rows.append(Text(f"  {mark} {line.sign}{shown}", style))
    if len(part.lines) > _MOST:
        rows.append(Text(f"  … {len(part.lines) - _MOST} more lines (--json has them)", GUIDE))
    return rows


def dump(found: Sequence[Comparison]) -> bytes:
    """A list of patches in JSON, each with `same` beside its fields."""
    value = [{**encode(one), "same": one.same} for one in found]
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")

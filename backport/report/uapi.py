"""The userspace API of a series: a table by kind, one line of verdict for each comparison; or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from backport.model import codec
from backport.model.uapi import ApiAnswer, ApiChange, ApiComparison
from backport.report.view import GUIDE, text

SCHEMA = "backport-uapi/1"


def dump(answer: ApiAnswer) -> bytes:
    """The answer as JSON; deterministic, one trailing newline."""
    document = {"schema": SCHEMA, "stable": answer.stable, **codec.encode(answer)}
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def uapi_view(answer: ApiAnswer) -> Group:
    """What programs see of the series, then each comparison: stable, or what moved."""
    parts: list[Table | Text] = [_table(answer.changes) if answer.changes else Text("Programs see no difference.")]
    return Group(*parts, *(comparison_view(comparison) for comparison in answer.comparisons))


def comparison_view(comparison: ApiComparison) -> Group:
    """One line of verdict, and what moved."""
    mark = ("✓ ", "green") if comparison.stable else ("✗ ", "bold red")
    told = text(mark, (comparison.verdict, ""))
    return Group(told, _table(comparison.changes)) if comparison.changes else Group(told)


def _table(changes: Sequence[ApiChange]) -> Table:
    """One row a thing; the place tells the header and the architecture, so that the scope needs no column."""
    table = Table(box=None, pad_edge=False, header_style=GUIDE)
    table.add_column("")
    table.add_column("kind")
    table.add_column("name", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("where", overflow="fold")
    for change in changes:
        value = f"{change.before} → {change.after}" if change.before and change.after else change.after or change.before
        place = text((change.path, ""), (f":{change.line}", ""))
        table.add_row(text((change.word, "")), text((change.kind, GUIDE)), text((change.name, "bold")), text((value, "")), place)
    return table

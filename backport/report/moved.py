"""What moved between two states of a series: a tree by patch, the verdict in one line; or JSON."""

from __future__ import annotations

import json

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from backport.model import codec
from backport.model.moved import Moved, Movement
from backport.report import safe
from backport.report.uapi import comparison_view
from backport.report.view import GUIDE, text

SCHEMA = "backport-compare/1"
_MOST = 40
_STYLE = {"same": GUIDE, "renamed": "cyan", "changed": "yellow", "added": "green", "dropped": "red"}
_MARK = {"before": ("-", "red"), "after": ("+", "green"), "both": (" ", GUIDE)}


def dump(found: Movement) -> bytes:
    """The movement as JSON; deterministic, one trailing newline."""
    document = {"schema": SCHEMA, "stable": found.stable, "verdict": found.verdict, **codec.encode(found)}
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def view(found: Movement) -> Group:
    """Each patch with what differs in it, what programs see, and the verdict."""
    tree = Tree(text((f"{found.names[0]} → {found.names[1]}", "bold")), guide_style=GUIDE)
    for one in found.moved:
        _add(tree, one)
    parts: list[Tree | Text | Group] = [tree]
    if found.api is not None:
        parts.append(comparison_view(found.api))
    mark = ("✓ ", "green") if found.stable else ("✗ ", "bold red")
    parts.append(text(mark, (found.verdict, "")))
    return Group(*parts)


def _add(tree: Tree, one: Moved) -> None:
    numbers = " → ".join(str(number) if number else "-" for number in one.numbers)
    style = _STYLE[one.word]
    label = text((f"{numbers}  ", GUIDE), (f"{one.word} ", style), (one.after or one.before, ""))
    if one.word in ("renamed", "changed") and one.before != one.after:
        label.append_text(text((f"  was: {one.before}", GUIDE)))
    branch = tree.add(label)
    for spot in one.spots:
        leaf = branch.add(text((safe.line(spot.path), "bold")))
        for line in spot.lines[:_MOST]:
            mark, colour = _MARK[line.side]
            leaf.add(text((f"{mark} {line.sign}", colour), (safe.line(line.text.expandtabs(8)), colour)))
        if len(spot.lines) > _MOST:
            leaf.add(Text(f"… {len(spot.lines) - _MOST} more lines (--json has them)", GUIDE))
        if not spot.lines:
            leaf.add(Text("too large to be shown line by line", GUIDE))

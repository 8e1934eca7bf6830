"""What moved between two states of a series: a tree by patch, the verdict in one line; or JSON."""

from __future__ import annotations

import json

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from backport.model import codec
from backport.model.moved import Moved, Movement
from backport.report.diff import part_rows
from backport.report.uapi import comparison_view
from backport.report.view import GUIDE, text

SCHEMA = "backport-compare/1"
_STYLE = {"same": GUIDE, "renamed": "cyan", "changed": "yellow", "added": "green", "dropped": "red"}


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
    for part in one.parts:
        branch.add(Group(*part_rows(part)))

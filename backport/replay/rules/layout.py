"""How lines are laid out: what they open and close, and how far they are indented."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.csource.tokens import blank

ELSE = re.compile(rb"\s*(?:\}\s*)?else\b")
TELLING = re.compile(rb"\w{3}.*\w{3}")
"""What is in a line by which it can be known again."""

_OPEN = re.compile(rb"^[ \t]*#[ \t]*if|\{|\(", re.M)
_CLOSE = re.compile(rb"^[ \t]*#[ \t]*endif|\}|\)", re.M)


def balance(lines: Sequence[bytes]) -> tuple[int, int]:
    """What lines open and what they close of braces, parentheses and #if: how much deeper it is behind them, and their lowest."""
    depth = lowest = 0
    for row in blank(b"".join(lines)).split(b"\n"):
        depth += len(_OPEN.findall(row)) - len(_CLOSE.findall(row))
        lowest = min(lowest, depth)
    return depth, lowest


def indent(row: bytes) -> int:
    """The column of a line's first word."""
    return len(row.expandtabs()) - len(row.expandtabs().lstrip())


def tabs(row: bytes) -> int:
    """The tabs that a line begins with."""
    return len(row) - len(row.lstrip(b"\t"))


def margin(row: bytes) -> int:
    """The column of a line's first word, but for whole tabs."""
    return indent(row) % 8

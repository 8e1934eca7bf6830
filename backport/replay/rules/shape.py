"""What a line of a file stands in: the function, type or entry, how many braces deep, inside a comment or not.

Added lines that would stand in another function, deeper, or in a comment are not in their place, however well the lines beside
them agree.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from backport.csource.outline import outline
from backport.csource.tokens import blank

_HOLDS = frozenset(("function", "struct", "union", "enum", "variable", "macro"))
_COMMENT = re.compile(rb'"(?:\\.|[^"\\\n])*+"|/\*.*?(?:\*/|\Z)', re.S)
_ENTRY = re.compile(rb"^(?:menu)?config[ \t]+(\w+)|^(?:choice|menu|comment)\b", re.M)
_LABEL = re.compile(rb"^(?:ENTRY\(|_GLOBAL\()?([A-Za-z_.]\w*)[:)]", re.M)
_C = (b".c", b".h")


@dataclass(frozen=True, slots=True)
class Shape:
    """One text: for each line (0-based) its holder, brace depth at its start, whether it goes on with a call or a list of
    parameters that an earlier line began, and whether it starts inside a comment. `names` are all holders.
    """

    holders: tuple[bytes, ...]
    depths: tuple[int, ...]
    continued: tuple[bool, ...]
    commented: tuple[bool, ...]
    names: frozenset[bytes]

    def holder(self, line: int) -> bytes:
        """The name of what holds a line, empty at file level and beyond the end."""
        return self.holders[line] if line < len(self.holders) else b""

    def around(self, line: int) -> bytes:
        """The name of what holds both a line and the one before it: what is put between them would be inside of that."""
        return self.holder(line) if line and self.holder(line - 1) == self.holder(line) else b""

    def depth(self, line: int) -> int:
        """How many braces are open where a line begins."""
        return self.depths[min(line, len(self.depths) - 1)]

    def statement(self, a: int, b: int) -> tuple[int, int]:
        """The lines a..b with those that begin and end what they are a part of; at most ten more on a side."""
        low, high = a, b
        while low > 0 and a - low < 10 and low < len(self.continued) and self.continued[low]:
            low -= 1
        while high < len(self.continued) and high - b < 10 and self.continued[high]:
            high += 1
        return low, high

    def in_comment(self, line: int) -> bool:
        """Whether a line begins inside a comment."""
        return line < len(self.commented) and self.commented[line]


@lru_cache(maxsize=16)
def shape(path: bytes, text: bytes) -> Shape:
    """Read a text as what its name says it is; never raises. What is no C, assembly or Kconfig has no holders."""
    size = text.count(b"\n") + 1
    if path.endswith(_C):
        holders = _declared(text, size)
        return Shape(holders, *_depths(text), _commented(text, size), frozenset(holders))
    found = _ENTRY if b"Kconfig" in path else _LABEL if path.endswith(b".S") else None
    no = (False,) * size
    holders = _headed(text, size, found) if found else (b"",) * size
    return Shape(holders, (0,) * size, no, no, frozenset(holders))


def _declared(text: bytes, size: int) -> tuple[bytes, ...]:
    holders = [b""] * size
    for found in outline(text).declarations:
        if found.kind in _HOLDS and found.end > found.line:
            for line in range(found.line - 1, min(found.end, size)):
                holders[line] = holders[line] or found.name
    return tuple(holders)


def _headed(text: bytes, size: int, pattern: re.Pattern[bytes]) -> tuple[bytes, ...]:
    """Files that are a list of entries, each with a head line: a line belongs to the last head above it."""
    heads = [(text.count(b"\n", 0, m.start()), m.group(1) or b"") for m in pattern.finditer(text)] if size < 100_000 else []
    starts = [line for line, _ in heads]
    return tuple(heads[at - 1][1] if (at := bisect_right(starts, line - 1)) else b"" for line in range(size))


def _depths(text: bytes) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Brace depth, and whether a parenthesis is open, where each line begins. A brace in column one closes all parentheses."""
    depths, continued, depth, inside = [], [], 0, 0
    for row in blank(text).split(b"\n"):
        depths.append(depth)
        inside = 0 if row[:1] in (b"{", b"}") else inside
        continued.append(inside > 0)
        depth += row.count(b"{") - row.count(b"}")
        inside = max(0, inside + row.count(b"(") - row.count(b")"))
    return tuple(depths), tuple(continued)


def _commented(text: bytes, size: int) -> tuple[bool, ...]:
    found = [False] * size
    line = at = 0
    for match in _COMMENT.finditer(text):
        if match.group().startswith(b"/*"):
            first = line + text.count(b"\n", at, match.start())
            inside = match.group().count(b"\n")
            found[first + 1 : first + 1 + inside] = [True] * inside
            line, at = first + inside, match.end()
    return tuple(found)

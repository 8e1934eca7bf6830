"""Where lines stand: what a patch changed, line by line, and the function or table around a place, told without a parse.

The guard looks at every merge, and most merges are right: so nothing here reads more of a file than it must. Outlining sched.c
takes a tenth of a second, looking back from a line to the head of its function none at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from backport.csource.tokens import common_ends
from backport.git.merge import rows
from backport.replay.rules.lines import hunks

_HEAD = re.compile(rb"[A-Za-z_]")
_KCONFIG = re.compile(rb"(?:menu)?config[ \t]|choice\b|menu\b")
_ASSEMBLY = re.compile(rb"(?:ENTRY|GLOBAL|_GLOBAL)\([\w.]+\)|[A-Za-z_.][\w.$]*:")
_NAME = re.compile(rb"([A-Za-z_]\w*)[ \t]*\(")
_MADE = re.compile(rb"\b(?:COMPAT_)?SYSCALL\w*DEFINE\w*\(\s*(\w+)")
_FARTHEST = 3000  # lines that are looked back over; the longest function of 2.6.32 has 1,600


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that became others: `removed` from line `old` of one text, `added` from line `new` of the other (0-based)."""

    old: int
    removed: tuple[bytes, ...]
    new: int
    added: tuple[bytes, ...]


@lru_cache(maxsize=64)
def changes(old: bytes, new: bytes) -> tuple[Change, ...]:
    """What makes `new` of `old`, without context. What both begin and end with is left out before lines are made of it."""
    head, tail = common_ends(old, new)
    first = old.count(b"\n", 0, head)
    one, two = rows(old[head : len(old) - tail]), rows(new[head : len(new) - tail])
    return tuple(Change(first + h.a, tuple(one[h.a : h.b]), first + h.c, tuple(two[h.c : h.d])) for h in hunks(one, two))


def grown_above(line: int, old: bytes, new: bytes, *, at_it: bool) -> int:
    """How many lines `new` has more than `old` above a line of `old` (0-based); with what is put right before it if `at_it`."""
    above = (c for c in changes(old, new) if c.old + len(c.removed) <= line and (c.old < line or at_it))
    return sum(len(change.added) - len(change.removed) for change in above)


def squeezed(row: bytes) -> bytes:
    """A line without regard to its blanks."""
    return b" ".join(row.split())


def telling(row: bytes) -> bool:
    """Whether a line says enough to be known again: braces, blanks, `else` and `break;` do not."""
    bare = row.strip()
    return len(bare) > 7 and any(byte in _LETTERS for byte in bare) and bare not in _COMMON


def places(text: bytes, block: Sequence[bytes]) -> list[int]:
    """Where some lines stand in a text, one after the other (0-based), blanks aside: those of `block` are squeezed.

    The longest word of their longest line is looked for: few lines of the text have it, and only those are squeezed.
    """
    size = len(block)
    pivot = max(range(size), key=lambda at: len(block[at]))
    word = max(block[pivot].split(b" "), key=len)
    found: list[int] = []
    at = text.find(word)
    while at >= 0:
        start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at) + 1 or len(text)
        if squeezed(text[start:end]) == block[pivot]:
            first, above = start, pivot
            while above and first:
                first, above = text.rfind(b"\n", 0, first - 1) + 1, above - 1
            stop, below = end, size - pivot - 1
            while below and stop < len(text):
                stop, below = text.find(b"\n", stop) + 1 or len(text), below - 1
            if not above and not below and [squeezed(row) for row in rows(text[first:stop])] == block:
                found.append(text.count(b"\n", 0, first))
        at = text.find(word, end) if end < len(text) else -1
    return found


_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_COMMON = frozenset((b"return 0;", b"continue;", b"default:", b"} else {", b"return ret;", b"return err;", b"goto out;"))


def head(lines: Sequence[bytes], line: int, path: bytes = b".c", known: dict[int, int] | None = None) -> int:
    """The number of the line that opens the function, table or entry around a 0-based line; -1 at file level.

    By kernel style (Documentation/CodingStyle, 3): a head begins in column one, a closing brace in column one ends it. May be
    wrong inside a macro of several lines, where it names what stands above, on both sides alike. `known` remembers the answers of
    one text: asked line after line, a rewritten file of 50,000 lines would be looked through for each of them.
    """
    found = _head(lines, line, path, known or {})
    if known is not None:
        known[line] = found
    return found


def _head(lines: Sequence[bytes], line: int, path: bytes, known: dict[int, int]) -> int:
    pattern = _KCONFIG if b"Kconfig" in path else _ASSEMBLY if path.endswith(b".S") else _HEAD
    for at in range(min(line, len(lines) - 1), max(-1, line - _FARTHEST), -1):
        row = lines[at]
        if pattern is _HEAD and row[:1] == b"}" and at < line:
            return -1
        if at in known:
            return known[at]
        if pattern.match(row) and (pattern is not _HEAD or _opens(lines, at)):
            return at
    return -1


def _opens(lines: Sequence[bytes], at: int) -> bool:
    """Whether what begins on a line in column one comes to a brace before it ends: no label, declaration or macro call does."""
    for row in lines[at : at + 20]:
        bare = row.split(b"/*")[0].rstrip()
        if b"{" in bare:
            return not bare.endswith(b"};")
        if bare.endswith((b";", b":")) or (not bare and at):
            return False
    return False


def foot(lines: Sequence[bytes], line: int) -> int:
    """The number of the line that ends the function or table around a 0-based line, or how many lines there are."""
    return next((at for at in range(line, len(lines)) if lines[at][:1] == b"}"), len(lines))


def shown(row: bytes) -> str:
    """A line as a person reads it, without regard to its blanks."""
    return squeezed(row).decode("utf-8", "replace")


def name_of(row: bytes) -> str:
    """What a head line is the head of: the function's name, else the words before `=` or `{`."""
    if made := _MADE.search(row):
        return "sys_" + made[1].decode("latin-1")
    if b"=" not in row and (found := _NAME.search(row)):
        return found[1].decode("latin-1")
    if found := re.search(rb"([A-Za-z_]\w*)[ \t]*\[", row):
        return found[1].decode("latin-1")
    words = re.findall(rb"[A-Za-z_]\w*", row.split(b"=")[0])
    return words[-1].decode("latin-1") if words else ""


def around(lines: Sequence[bytes], line: int, path: bytes = b".c") -> str:
    """The name of what holds a 0-based line, '' at file level."""
    at = head(lines, line, path)
    return name_of(lines[at]) if at >= 0 else ""

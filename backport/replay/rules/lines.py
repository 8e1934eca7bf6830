"""Lines of two versions of a file, matched: which line of one is which line of the other.

The matching is by patience (lines that occur once on each side, in the longest order that both keep), then by `difflib` in what
is left between, where that is small. Blanks do not count where the caller's keys say so. What is too big to be compared in
bounded time is simply not matched: a rule that finds its lines unmatched abstains.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_CELLS = 250_000  # lines x lines that difflib may compare (0.1 s); what is bigger has no unique line in common
_FURTHEST = 50  # lines over which the edges of a change are moved
_DEEPEST = 12  # patience within patience; each level needs a new unique line


@dataclass(frozen=True, slots=True)
class Run:
    """`size` lines from `a` on one side that are the lines from `b` on the other; 0-based."""

    a: int
    b: int
    size: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `a`..`b` (0-based, end excluded) of the old side that became the lines `c`..`d` of the new one."""

    a: int
    b: int
    c: int
    d: int


def squeezed(row: bytes) -> bytes:
    """A line without its blanks and its line end: two that differ in nothing else are one, `8*i` and `8 * i` as well."""
    return b"".join(row.split())


def matched(a: Sequence[bytes], b: Sequence[bytes]) -> list[Run]:
    """The runs of equal keys that both sides have in the same order, ascending on both."""
    runs: list[Run] = []
    for x, y, size in _runs(a, b, 0, len(a), 0, len(b), 0):
        last = runs[-1] if runs else None
        if last is not None and last.a + last.size == x and last.b + last.size == y:
            runs[-1] = Run(last.a, last.b, last.size + size)
        elif size:
            runs.append(Run(x, y, size))
    return runs


def hunks(a: Sequence[bytes], b: Sequence[bytes]) -> list[Hunk]:
    """What makes `b` of `a`: the least pieces, without context."""
    found, x, y = [], 0, 0
    for run in [*matched(a, b), Run(len(a), len(b), 0)]:
        if run.a > x or run.b > y:
            found.append(Hunk(x, run.a, y, run.b))
        x, y = run.a + run.size, run.b + run.size
    return found


def slides(old: Sequence[bytes], new: Sequence[bytes], hunk: Hunk) -> Iterator[Hunk]:
    """The hunk itself, then the same change with its edges moved over equal lines: diff chooses one of these at will."""
    yield hunk
    if hunk.a != hunk.b and hunk.c != hunk.d:
        return
    side, low, high = (new, hunk.c, hunk.d) if hunk.a == hunk.b else (old, hunk.a, hunk.b)
    for step in range(1, _FURTHEST):
        if min(hunk.a, hunk.c) < step or side[low - step] != side[high - step]:
            break
        yield Hunk(hunk.a - step, hunk.b - step, hunk.c - step, hunk.d - step)
    for step in range(1, _FURTHEST):
        beyond = hunk.b + step > len(old) or hunk.d + step > len(new)
        if beyond or side[low + step - 1] != side[high + step - 1]:
            break
        yield Hunk(hunk.a + step, hunk.b + step, hunk.c + step, hunk.d + step)


def _runs(
    a: Sequence[bytes], b: Sequence[bytes], al: int, ah: int, bl: int, bh: int, depth: int
) -> Iterator[tuple[int, int, int]]:
    """Runs of matched positions within a[al:ah] and b[bl:bh], ascending."""
    head = _equal(a, b, al, bl, min(ah - al, bh - bl), 1)
    yield al, bl, head
    al, bl = al + head, bl + head
    tail = _equal(a, b, ah - 1, bh - 1, min(ah - al, bh - bl), -1)
    ah, bh = ah - tail, bh - tail
    if al < ah and bl < bh:
        anchors = _unique(a, b, al, ah, bl, bh) if depth < _DEEPEST else []
        if anchors:
            for x, y in anchors:
                if x >= al and y >= bl:
                    yield from _runs(a, b, al, x, bl, y, depth + 1) if (x, y) != (al, bl) else ()
                    yield x, y, 1
                    al, bl = x + 1, y + 1
            yield from _runs(a, b, al, ah, bl, bh, depth + 1)
        elif (ah - al) * (bh - bl) <= _MOST_CELLS:
            matcher = difflib.SequenceMatcher(None, a[al:ah], b[bl:bh], autojunk=False)
            yield from ((al + found.a, bl + found.b, found.size) for found in matcher.get_matching_blocks())
    yield ah, bh, tail


def _equal(a: Sequence[bytes], b: Sequence[bytes], x: int, y: int, most: int, step: int) -> int:
    """How many positions from x and y on, in the direction of `step`, are equal; at most `most`."""
    count = 0
    while count < most and a[x] == b[y]:
        count, x, y = count + 1, x + step, y + step
    return count


def _unique(a: Sequence[bytes], b: Sequence[bytes], al: int, ah: int, bl: int, bh: int) -> list[tuple[int, int]]:
    """Lines that occur once on each side, in the longest order that both keep."""
    here, there = Counter(a[al:ah]), Counter(b[bl:bh])
    where = {b[y]: y for y in range(bl, bh) if there[b[y]] == 1}
    return _longest([(x, where[a[x]]) for x in range(al, ah) if here[a[x]] == 1 and a[x] in where])


def _longest(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence whose second members ascend."""
    tails: list[int] = []
    index: list[int] = []
    before: list[int] = []
    for number, (_, y) in enumerate(pairs):
        at = bisect_left(tails, y)
        if at == len(tails):
            tails.append(y)
            index.append(number)
        else:
            tails[at], index[at] = y, number
        before.append(index[at - 1] if at else -1)
    found, at = [], index[-1] if index else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def occurrences(keys: Sequence[bytes], block: Sequence[bytes]) -> list[int]:
    """Where some lines, one at least, stand one after the other; the longest of them is looked for."""
    size = len(block)
    pivot = max(range(size), key=lambda at: len(block[at]))
    starts = [at - pivot for at, key in enumerate(keys) if key == block[pivot]]
    return [at for at in starts if at >= 0 and tuple(keys[at : at + size]) == tuple(block)]

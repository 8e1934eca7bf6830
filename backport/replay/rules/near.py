"""Lines that are not equal and yet stand for one another: most of their words are the same, in the same place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from backport.replay.rules.lines import Hunk

_TOKEN = re.compile(rb"\w+|[^\w\s]")
_MOST = 120  # lines on a side of one difference that are compared each with each
_ALIKE = 0.55  # share of words in common from which two lines stand for one another


def tokens(row: bytes) -> list[bytes]:
    """Words, numbers and single other characters; blanks part them and are gone."""
    return _TOKEN.findall(row)


def likeness(a: Counter[bytes], b: Counter[bytes]) -> float:
    """Twice what both have over what they have together: 1.0 for the same words."""
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def pair_near(base: Sequence[bytes], ours: Sequence[bytes], change: Hunk) -> dict[int, int]:
    """Which lines of one difference stand for one another, in order: the pairing with the most likeness in all."""
    n, m = change.b - change.a, change.d - change.c
    if not n or not m or n > _MOST or m > _MOST:
        return {}
    left = [Counter(tokens(row)) for row in base[change.a : change.b]]
    right = [Counter(tokens(row)) for row in ours[change.c : change.d]]
    worth = [[w if (w := likeness(x, y)) >= _ALIKE else 0.0 for y in right] for x in left]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], (worth[i][j] + best[i + 1][j + 1]) if worth[i][j] else 0.0)
    found, i, j = {}, 0, 0
    while i < n and j < m:
        if worth[i][j] and best[i][j] == worth[i][j] + best[i + 1][j + 1]:
            found[change.a + i] = change.c + j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found

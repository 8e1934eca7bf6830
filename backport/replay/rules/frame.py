"""One file of a patch laid over the target's: where each line of upstream's old version is in the target, and what is in dispute.

A patch is taken apart into its least hunks (`lines.hunks`, no context). A hunk whose lines and neighbours the target has, side by
side, is `clean`: that is what a three-way merge asks too. The others are gathered into blocks with the differences between
upstream and target that they touch; a block is what one rule settles at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from backport.git.merge import rows
from backport.replay.rules.lines import Hunk, Run, hunks, matched, squeezed
from backport.replay.rules.near import pair_near

_LARGEST = 4 << 20  # bytes of a file that is looked at: a larger one is data or generated
_LONGEST = 4000  # bytes of a line beyond which a file counts as minified


@dataclass(frozen=True, slots=True)
class Block:
    """Hunks that cannot be told apart from the differences beside them: base lines `a`..`b`, target lines `c`..`d`."""

    a: int
    b: int
    c: int
    d: int
    hunks: tuple[Hunk, ...]
    clean: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The three versions as lines. `there[i]` is the target's line for base line `i`, -1 where it has none.

    `near` are the lines that read differently but stand for one another, within blocks: base line to target line.
    """

    base: Sequence[bytes]
    ours: Sequence[bytes]
    theirs: Sequence[bytes]
    there: Sequence[int]
    near: dict[int, int]
    blocks: tuple[Block, ...]

    def at(self, line: int) -> int:
        """The target's line for a base line, the same or nearly so; -1 for none."""
        return self.there[line] if self.there[line] >= 0 else self.near.get(line, -1)


def laid(base: bytes, ours: bytes, theirs: bytes) -> Frame | None:
    """The frame of three texts; None where one of them is no text that lines say anything about."""
    if any(len(text) > _LARGEST or b"\0" in text for text in (base, ours, theirs)):
        return None
    return _laid(base, ours, theirs)


@lru_cache(maxsize=8)
def _laid(base: bytes, ours: bytes, theirs: bytes) -> Frame | None:
    one, two, three = rows(base), rows(ours), rows(theirs)
    if any(len(row) > _LONGEST for text in (one, two, three) for row in text):
        return None
    runs = _runs(base, ours)
    changes, there = [], [-1] * len(one)
    x = y = 0
    for run in (*runs, Run(len(one), len(two), 0)):
        if run.a > x or run.b > y:
            changes.append(Hunk(x, run.a, y, run.b))
        for i in range(run.size):
            there[run.a + i] = run.b + i
        x, y = run.a + run.size, run.b + run.size
    blocks = tuple(_blocks(hunks(one, three), changes, there, len(two)))
    near: dict[int, int] = {}
    for change in changes:
        if any(not k.clean and change.a <= k.b and k.a <= change.b for k in blocks):
            near.update(pair_near(one, two, change))
    return Frame(one, two, three, there, near, blocks)


@lru_cache(maxsize=8)
def _runs(base: bytes, ours: bytes) -> tuple[Run, ...]:
    return tuple(matched([squeezed(row) for row in rows(base)], [squeezed(row) for row in rows(ours)]))


def _blocks(mine: Sequence[Hunk], changes: Sequence[Hunk], there: Sequence[int], size: int) -> Iterator[Block]:
    """Join hunks with the changes that they touch, and with one another through those."""
    number = 0
    while number < len(mine):
        group = [mine[number]]
        a, b = group[0].a, group[0].b
        clean = True
        while True:
            touching = [c for c in changes if c.a <= b and a <= c.b]
            low, high = min([a, *(c.a for c in touching)]), max([b, *(c.b for c in touching)])
            following = mine[number + len(group)] if number + len(group) < len(mine) else None
            clean = clean and not touching
            if following is not None and touching and following.a <= high:
                group.append(following)
                high = max(high, following.b)
            elif (low, high) == (a, b):
                break
            a, b = low, high
        start = there[a - 1] + 1 if a else 0
        end = there[b] if b < len(there) else size
        yield Block(a, b, start, max(start, end), tuple(group), clean)
        number += len(group)

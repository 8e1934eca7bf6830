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
from backport.replay.rules.lines import Hunk, hunks, slides, squeezed
from backport.replay.rules.near import pair_near

_LARGEST = 4 << 20  # bytes of a file that is looked at: a larger one is data or generated
_MOST_PAIRS = 1_000_000  # hunks x differences: beyond it upstream has another file, and each would be compared with each
_RELAID = 0.15  # share of the lines of a file with other blanks from which it counts as laid out anew
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

    `near` are the lines that read differently but stand for one another, within blocks: base line to target line. `keys` and
    `our_keys` are the lines of base and target by which they are compared.
    """

    base: Sequence[bytes]
    ours: Sequence[bytes]
    theirs: Sequence[bytes]
    there: Sequence[int]
    near: dict[int, int]
    blocks: tuple[Block, ...]
    keys: Sequence[bytes]
    our_keys: Sequence[bytes]

    def at(self, line: int) -> int:
        """The target's line for a base line, the same or nearly so; -1 for none."""
        return self.there[line] if self.there[line] >= 0 else self.near.get(line, -1)


def relaid(frame: Frame) -> bool:
    """Whether the file was laid out anew between: a good part of the lines that both have differ in their blanks.

    Then a patch is likely to be a cleanup as well, and what of it a target wants that has had none is for a person to say
    (199ef62a287b on 2.6.32.y, of which one check was taken; there it is 29 % of the lines, in other files 6 % at most).
    """
    pairs = [(frame.base[i], frame.ours[j]) for i, j in enumerate(frame.there) if j >= 0 and frame.base[i].strip()]
    return sum(one.rstrip() != two.rstrip() for one, two in pairs) > _RELAID * len(pairs)


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
    changes, mine = _changes(base, ours), hunks(one, three)
    if len(changes) * len(mine) > _MOST_PAIRS:
        return None
    plain = _map(changes, len(one))
    clean = {
        h for b in _blocks(mine, changes, plain, len(two)) if not b.changes for h in b.hunks if _same_lines(one, two, plain, h)
    }
    moved = _aside(one, two, changes, mine)
    there = _map(moved, len(one))
    blocks, near = [], {}
    for block in _blocks(mine, moved, there, len(two)):
        settled = not block.changes and all(h in clean for h in block.hunks)
        blocks.append(Block(block.a, block.b, block.c, block.d, block.hunks, settled))
        for change in block.changes:
            near.update(pair_near(one, two, change))
    return Frame(one, two, three, there, near, tuple(blocks), _keys(base), _keys(ours))


@lru_cache(maxsize=8)
def _changes(base: bytes, ours: bytes) -> tuple[Hunk, ...]:
    """What the target has differently, blanks aside."""
    return tuple(hunks(_keys(base), _keys(ours)))


@lru_cache(maxsize=16)
def _keys(text: bytes) -> tuple[bytes, ...]:
    return tuple(squeezed(row) for row in rows(text))


def _map(changes: Sequence[Hunk], size: int) -> list[int]:
    """The target's line for each base line, -1 within a change."""
    there, at, drift = [-1] * size, 0, 0
    for change in (*changes, Hunk(size, size, 0, 0)):
        there[at : change.a] = range(at + drift, change.a + drift)
        at, drift = change.b, change.d - change.b
    return there


def _same_lines(one: Sequence[bytes], two: Sequence[bytes], there: Sequence[int], hunk: Hunk) -> bool:
    """Whether the hunk's lines and their neighbours are byte for byte the target's."""
    return all(one[i] == two[there[i]] for i in range(max(0, hunk.a - 1), min(len(one), hunk.b + 1)))


def _touch(a: Hunk, b: Hunk) -> bool:
    return a.a <= b.b and b.a <= a.b


def _aside(one: Sequence[bytes], two: Sequence[bytes], changes: Sequence[Hunk], mine: Sequence[Hunk]) -> list[Hunk]:
    """The same differences; what the target lacks is moved over equal lines to where it touches no hunk, if it can be.

    Of two functions that begin with the same comment mark, a diff may take either mark for the one that is gone (d24deb258082).
    What the target has besides is left where it is: whether it comes before or after what the patch adds is a real question.
    """
    found = list(changes)
    for number, change in enumerate(changes):
        if change.c != change.d or not any(_touch(change, hunk) for hunk in mine):
            continue
        low = found[number - 1].b if number else -1
        high = changes[number + 1].a if number + 1 < len(changes) else len(one) + 1
        moved = [s for s in slides(one, two, change) if low < s.a and s.b < high and not any(_touch(s, hunk) for hunk in mine)]
        found[number] = min(moved, key=lambda s: abs(s.a - change.a), default=change)
    return found


@dataclass(frozen=True, slots=True)
class _Touched:
    """A block before it is known whether a merge would take it, with the differences that it touches."""

    a: int
    b: int
    c: int
    d: int
    hunks: tuple[Hunk, ...]
    changes: tuple[Hunk, ...]


def _blocks(mine: Sequence[Hunk], changes: Sequence[Hunk], there: Sequence[int], size: int) -> Iterator[_Touched]:
    """Join hunks with the changes that they touch, and with one another through those."""
    number = 0
    while number < len(mine):
        group = [mine[number]]
        a, b = group[0].a, group[0].b
        while True:
            touching = [c for c in changes if c.a <= b and a <= c.b]
            low, high = min([a, *(c.a for c in touching)]), max([b, *(c.b for c in touching)])
            following = mine[number + len(group)] if number + len(group) < len(mine) else None
            if following is not None and touching and following.a <= high:
                group.append(following)
                high = max(high, following.b)
            elif (low, high) == (a, b):
                break
            a, b = low, high
        start = there[a - 1] + 1 if a else 0
        end = there[b] if b < len(there) else size
        yield _Touched(a, b, start, max(start, end), tuple(group), tuple(touching))
        number += len(group)

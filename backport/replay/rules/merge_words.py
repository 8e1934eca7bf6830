"""The three-way merge word by word: a finer grain than lines, with the blanks kept apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.replay.rules.lines import Hunk, hunks

_PIECE = re.compile(rb"(\s*)(\w+|[^\w\s])")
_NAME = re.compile(rb"[A-Za-z_]\w*")
_WORD = re.compile(rb"\w+")
_MOST = 3000  # words on a side


@dataclass(frozen=True, slots=True)
class MergedWords:
    """A merged text. `given_up` counts the target's own wordings that lie within what the patch replaces and went with it.

    `carried` is false where one of those concerned a name that the patch's new words use as well: then the target's
    wording may have to be carried over, and this text does not. `kept` is the share of words that upstream's two versions have
    in common, 1.0 where the target has no change of its own. `apart` counts its own changes that were kept. `touching` says
    that one of the patch's is right beside one of these, and which is first is clear all the same.
    """

    text: bytes
    given_up: int
    carried: bool
    kept: float
    apart: int
    touching: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    """A text as words, each with the blanks before it; `tail` are the blanks behind the last."""

    words: list[bytes]
    leads: list[bytes]
    tail: bytes


def merge_words(base: bytes, ours: bytes, theirs: bytes) -> MergedWords | None:
    """The merge; None where changes of both sides meet and the patch's does not contain the target's.

    Blanks follow the side that changed them.
    """
    one, two, three = _split(base), _split(ours), _split(theirs)
    if max(len(one.words), len(two.words), len(three.words)) > _MOST:
        return None
    mine, yours = hunks(one.words, two.words), hunks(one.words, three.words)
    apart: list[Hunk] = []
    given: list[tuple[Hunk, Hunk]] = []
    for m in mine:
        meeting = [y for y in yours if m.a <= y.b and y.a <= m.b and not _beside(one, two, three, m, y)]
        if not meeting:
            apart.append(m)
        elif len(meeting) > 1 or not meeting[0].a <= m.a <= m.b <= meeting[0].b:
            return None
        elif two.words[m.c : m.d] != three.words[meeting[0].c : meeting[0].d]:
            given.append((m, meeting[0]))
    changes = sorted([(y, three) for y in yours] + [(m, two) for m in apart], key=lambda change: (change[0].a, change[0].b))
    carried = not any(_meant(one, three, m, y) for m, y in given)
    common = 2 * (len(one.words) - sum(y.b - y.a for y in yours))
    kept = common / (len(one.words) + len(three.words)) if apart else 1.0
    text = _written(one, two, three, changes, mine, yours) if theirs else b""
    touching = any(m.a <= y.b and y.a <= m.b for m in apart for y in yours)
    return MergedWords(text, len(given), carried, kept, len(apart), touching)


def _beside(one: _Words, two: _Words, three: _Words, mine: Hunk, yours: Hunk) -> bool:
    """Whether one side adds words at the edge of an operand for which the other has another one: then it is clear which is first.

    0aa68271510a adds ` && !skb_is_gso(skb)` behind `mtu`, which is `dst_mtu(dst)` on 2.6.32.y.
    """
    added, other = (yours, mine) if yours.a == yours.b else (mine, yours)
    words = two.words if other is mine else three.words
    if added.a != added.b or other.a == other.b or added.a not in (other.a, other.b):
        return False
    return _is_operand(one.words[other.a : other.b]) and _is_operand(words[other.c : other.d])


def _is_operand(words: Sequence[bytes]) -> bool:
    """Whether some words are a name, a number, a member or a call: nothing that binds to what is beside them."""
    depth = 0
    for number, word in enumerate(words):
        depth += (word in (b"(", b"[")) - (word in (b")", b"]"))
        named = _WORD.fullmatch(word) is not None
        if depth < 0 or (not depth and not named and word not in (b")", b"]", b".", b"-", b">")):
            return False
        if named and not depth and number and _WORD.fullmatch(words[number - 1]):
            return False
    return bool(words) and not depth and _WORD.fullmatch(words[0]) is not None and words[-1] not in (b".", b"-", b">")


def _meant(one: _Words, three: _Words, mine: Hunk, yours: Hunk) -> bool:
    """Whether the target's wording may be meant to stay: both sides changed just this, or the patch goes on using the word."""
    just_this = (mine.a, mine.b) == (yours.a, yours.b) and yours.c != yours.d
    return just_this or bool(_name(one.words[mine.a : mine.b]) & _name(three.words[yours.c : yours.d]))


def _written(
    one: _Words, two: _Words, three: _Words, changes: Sequence[tuple[Hunk, _Words]], mine: Sequence[Hunk], yours: Sequence[Hunk]
) -> bytes:
    out: list[bytes] = []
    at = 0

    def keep(until: int) -> None:
        shift, drift = _shift(yours, at), _shift(mine, at)
        for i in range(at, until):
            out.extend((_lead(one.leads[i], two.leads[i + drift], three.leads[i + shift]), one.words[i]))

    for hunk, side in changes:
        keep(hunk.a)
        for j in range(hunk.c, hunk.d):
            out.extend((side.leads[j], side.words[j]))
        at = hunk.b
    keep(len(one.words))
    return b"".join(out) + _lead(one.tail, two.tail, three.tail)


def _shift(changes: Sequence[Hunk], at: int) -> int:
    """How far a side's words are from the base's behind the base word `at`."""
    return next((h.d - h.b for h in reversed(changes) if h.b <= at), 0)


def _name(words: Sequence[bytes]) -> set[bytes]:
    return {word for word in words if _NAME.fullmatch(word)}


def _lead(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    return ours if theirs == base else theirs


def _split(text: bytes) -> _Words:
    found = list(_PIECE.finditer(text))
    tail = text[found[-1].end() :] if found else text
    return _Words([m.group(2) for m in found], [m.group(1) for m in found], tail)

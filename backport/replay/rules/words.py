"""Edits of one statement that words separate: patch and target changed different words of the same lines.

Recognised: what a hunk replaces stands in the target line for line but worded differently, and a merge word by word has no
conflict: between any two changes of the two sides there is a word that neither touched. Safe for the same reason for which a merge
by lines is, one step finer; two changes that touch are never joined. A call over several lines is merged whole.
Example: 3df7169e73fc on 2.6.32.y (OHCI: work around for nVidia shutdown problem).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.replay.rules.anchor import plain
from backport.replay.rules.frame import Frame
from backport.replay.rules.lines import Hunk, hunks
from backport.replay.rules.place import Place, Placer, balance
from backport.replay.rules.settle import Edit, disputed, edit, framed, placer, resolution
from backport.replay.situation import Resolution, Situation

RULE = "words"
_PIECE = re.compile(rb"(\s*)(\w+|[^\w\s])")
_MOST = 3000  # words on a side


def words(situation: Situation) -> Resolution | None:
    """The target's file with every hunk merged in, word by word where its lines read differently."""
    frame = framed(situation)
    if frame is None:
        return None
    finder = placer(situation, frame)
    edits, merged_any = [], False
    for block in disputed(frame):
        for hunk in block.hunks:
            found = finder.place(hunk)
            if found is not None and plain(found) and not _inside(finder, found):
                edits.append(edit(found, frame.theirs[found.hunk.c : found.hunk.d], "the lines beside it are known"))
                continue
            made = _merged(finder, frame, hunk)
            if made is None:
                return None
            edits.append(made)
            merged_any = True
    return resolution(situation, RULE, frame, edits) if merged_any else None


def _inside(finder: Placer, found: Place) -> bool:
    """Whether the place is within a call or a list of parameters that the target spells differently."""
    low, high = finder.before.statement(found.hunk.a, found.hunk.b)
    return (low, high) != (found.hunk.a, found.hunk.b) and any(finder.frame.there[i] < 0 for i in range(low, high))


def _merged(finder: Placer, frame: Frame, hunk: Hunk) -> Edit | None:
    """The statements that a hunk is in, merged with the target's; None where these are not known or the changes touch."""
    low, high = finder.before.statement(hunk.a, hunk.b)
    spot = finder.place(Hunk(low, high, hunk.c, hunk.d))
    if spot is None or spot.x == spot.y or "same-function" not in spot.checks:
        return None
    base, ours = frame.base[low:high], frame.ours[spot.x : spot.y]
    if balance(base) != balance(ours):
        return None
    theirs = [*frame.base[low : hunk.a], *frame.theirs[hunk.c : hunk.d], *frame.base[hunk.b : high]]
    text = merge_words(b"".join(base), b"".join(ours), b"".join(theirs))
    return None if text is None else edit(spot, [text], "patch and target changed different words of these lines")


@dataclass(frozen=True, slots=True)
class _Words:
    """A text as words, each with the blanks before it; `tail` are the blanks behind the last."""

    words: list[bytes]
    leads: list[bytes]
    tail: bytes


def merge_words(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The three-way merge word by word; None where changes of both sides touch. Blanks follow the side that changed them."""
    one, two, three = _split(base), _split(ours), _split(theirs)
    if max(len(one.words), len(two.words), len(three.words)) > _MOST:
        return None
    mine, yours = hunks(one.words, two.words), hunks(one.words, three.words)
    if any(m.a <= y.b and y.a <= m.b and _part(two.words, m) != _part(three.words, y) for m in mine for y in yours):
        return None
    out: list[bytes] = []
    changes = [(y, three) for y in yours] + [(m, two) for m in mine if not any(m.a <= y.b and y.a <= m.b for y in yours)]
    at = shift = drift = 0  # base word; what to add for the same word of theirs, and of ours

    def keep(until: int) -> None:
        for i in range(at, until):
            out.extend((_lead(one.leads[i], two.leads[i + drift], three.leads[i + shift]), one.words[i]))

    for hunk, side in sorted(changes, key=lambda change: (change[0].a, change[0].b)):
        keep(hunk.a)
        for j in range(hunk.c, hunk.d):
            out.extend((side.leads[j], side.words[j]))
        at = hunk.b
        shift, drift = _shift(yours, at), _shift(mine, at)
    keep(len(one.words))
    return b"".join(out) + _lead(one.tail, two.tail, three.tail)


def _shift(changes: Sequence[Hunk], at: int) -> int:
    """How far a side's words are from the base's behind the base word `at`."""
    return next((h.d - h.b for h in reversed(changes) if h.b <= at), 0)


def _part(side: Sequence[bytes], hunk: Hunk) -> tuple[int, int, list[bytes]]:
    return hunk.a, hunk.b, list(side[hunk.c : hunk.d])


def _lead(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    return ours if theirs == base else theirs


def _split(text: bytes) -> _Words:
    found = list(_PIECE.finditer(text))
    tail = text[found[-1].end() :] if found else text
    return _Words([m.group(2) for m in found], [m.group(1) for m in found], tail)

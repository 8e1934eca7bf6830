"""Edits of one statement that words separate: patch and target changed different words of the same lines.

Recognised: what a hunk replaces stands in the target line for line but worded differently, and a merge word by word has no
conflict: between any two changes of the two sides there is a word that neither touched. Safe for the same reason for which a
merge by lines is, one step finer; two changes that touch are never joined. A call over several lines is merged whole. Only a
suggestion where the patch leaves little of the old statement: the words that both have may then be there by chance; or where the
statement is on another number of lines, and the lines around it are not the same on both sides.
Example: 3df7169e73fc on 2.6.32.y (OHCI: work around for nVidia shutdown problem).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backport.git.merge import rows
from backport.replay.rules.anchor import plain
from backport.replay.rules.edits import Edit, edit, hunk_by_hunk, indented, spaced
from backport.replay.rules.layout import balance
from backport.replay.rules.lines import Hunk
from backport.replay.rules.merge_words import MergedWords, merge_words
from backport.replay.rules.place import Place, Placer
from backport.replay.situation import Resolution, Situation

RULE = "words"
KEPT = 0.5  # share of a statement's words that the patch has to leave alone
_REWRITTEN = 0.65  # what that share is worth where the patch makes several statements of one


def words(situation: Situation) -> Resolution | None:
    """The target's file with every hunk merged in, word by word where its lines read differently."""
    return hunk_by_hunk(situation, RULE, (beside, _merged), (_merged,))


def beside(finder: Placer, hunk: Hunk) -> Edit | None:
    """The hunk as the anchor rule would place it, unless that is within a statement that the target spells differently."""
    found = finder.place(hunk)
    if found is None or not plain(found) or _inside(finder, found):
        return None
    return spaced(finder.frame, edit(found, indented(finder.frame, found), "the lines beside it are known"), found.hunk)


def statement(finder: Placer, hunk: Hunk) -> tuple[Place, MergedWords] | None:
    """The statements that a hunk is in and their merge with the target's; None where these are not known or the changes meet."""
    frame = finder.frame
    low, high = finder.before.statement(hunk.a, hunk.b)
    high = min(high, len(frame.base))
    spot = finder.place(Hunk(low, high, hunk.c, hunk.d))
    if spot is None or spot.x == spot.y or low == high or not spot.at_home:
        return None
    x, y = finder.here.statement(spot.x, spot.y)
    spot = replace(spot, x=x, y=y)
    base, ours = frame.base[low:high], frame.ours[x:y]
    theirs = [*frame.base[low : hunk.a], *frame.theirs[hunk.c : hunk.d], *frame.base[hunk.b : high]]
    if balance(base) not in (balance(ours), balance(theirs)):
        return None
    merged = merge_words(b"".join(base), b"".join(ours), b"".join(theirs))
    if merged is not None and _ends(theirs) != _ends(base):
        merged = replace(merged, kept=merged.kept * _REWRITTEN)
    if merged is not None and not _keeps_name(finder, hunk):
        merged = replace(merged, kept=0.0)
    return (spot, merged) if merged is not None else None


def _inside(finder: Placer, found: Place) -> bool:
    low, high = finder.before.statement(found.hunk.a, found.hunk.b)
    return (low, high) != (found.hunk.a, found.hunk.b) and any(finder.frame.there[i] < 0 for i in range(low, high))


def _ends(lines: Sequence[bytes]) -> int:
    return sum(row.count(b";") for row in lines)


def _merged(finder: Placer, hunk: Hunk) -> Edit | None:
    found = statement(finder, hunk)
    if found is None or found[1].given_up:
        return None
    spot, merged = found
    low, high = finder.before.statement(hunk.a, hunk.b)
    base, ours = finder.frame.base[low:high], finder.frame.ours[spot.x : spot.y]
    # a target without changes of its own only lacks words that the patch takes away
    whole = _ends(base) == _ends(ours) or not merged.apart
    one = whole and not finder.before.in_comment(low)  # in a comment nothing says where a statement ends
    if one and finder.encloses(low, min(high, len(finder.frame.base)), spot.x, spot.y):
        spot = replace(spot, sure=True)  # one statement for one, between the same lines, however many it is on
    why = "patch and target changed different words of these lines"
    return edit(spot, rows(merged.text), why, merged.kept >= KEPT and not merged.touching)


def _keeps_name(finder: Placer, hunk: Hunk) -> bool:
    """Whether the hunk, where it changes the head of a function, leaves its name.

    fe5913e4e170 makes a function of another's head and writes that anew below: what the target has between the parentheses
    belongs to the second.
    """
    name = finder.before.holder(hunk.a)
    if not name or finder.before.around(hunk.a):
        return True
    return any(name in row for row in finder.frame.theirs[hunk.c : hunk.d]) or not any(
        name in row for row in finder.frame.base[hunk.a : hunk.b]
    )

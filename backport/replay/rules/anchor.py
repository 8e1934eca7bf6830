"""Context drift: the lines that a hunk takes away are in the target, and only those beside them read differently.

Recognised: every hunk's own lines stand in the target, in one piece and in order; or, where it only adds, its neighbours do, and
nothing of the target's is between them. Safe because nothing is chosen: the lines to be replaced are the same lines (blanks
aside), or there is one gap for what is added; and the place is in the function, as deep in braces, and in or out of a comment as
upstream's is. Where one of these does not hold, the result is a suggestion; in another function there is none.
Example: 5d618cb81aee on 2.6.32.y (mesh portal paths): one line goes, the next one names its variable otherwise.
"""

from __future__ import annotations

from backport.replay.rules.edits import Edit, edit, hunk_by_hunk, indented, spaced
from backport.replay.rules.lines import Hunk
from backport.replay.rules.place import Place, Placer
from backport.replay.situation import Resolution, Situation

RULE = "anchor"
_WHY = {
    "lines": "the lines that the patch takes away are here",
    "beside": "the lines before and after what the patch adds are here, side by side",
    "between": "what parted the neighbours of the added lines upstream is not in the target",
    "near": "the lines before and after what the patch adds are here, worded differently",
    "else": "the `if` to which the patch adds an `else` is here",
    "after": "the line before what the patch adds is here",
    "before": "the line after what the patch adds is here",
    "gap": "these are the target's lines where upstream has those around the added ones",
}


def anchor(situation: Situation) -> Resolution | None:
    """The target's file with every hunk at its place; None where one has none, or its lines read differently."""
    return hunk_by_hunk(situation, RULE, (_placed,))


def _placed(finder: Placer, hunk: Hunk) -> Edit | None:
    found = finder.place(hunk)
    if found is None or not plain(found):
        return None
    return spaced(finder.frame, edit(found, indented(finder.frame, found), _WHY[found.how]), found.hunk)


def plain(found: Place) -> bool:
    """Whether upstream's lines can stand there as they are, in the right function."""
    return found.at_home and (found.how != "near" or found.hunk.a == found.hunk.b)

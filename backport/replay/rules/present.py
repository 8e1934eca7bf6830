"""What the target has already, in whole or in part, and what it never had.

Recognised: (1) between the known neighbours of a hunk the target has lines that the patch adds: only the others are added, each
beside those it stands beside upstream; (2) a hunk only deletes, and the target has neither these lines nor anything else between
their neighbours. Safe because nothing of the target's is touched: in (1) at no point between two common lines do both sides
have something of their own, and in (2) there is nothing to be done; both inside upstream's function.
Example: 0cf55e1ec08b on 2.6.32.y (thread_group_times): a declaration that it deletes came later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.replay.rules.edits import Edit, edit, hunk_by_hunk
from backport.replay.rules.lines import Hunk, Run, matched, squeezed
from backport.replay.rules.place import Place, Placer
from backport.replay.rules.words import beside
from backport.replay.situation import Resolution, Situation

RULE = "present"
_TELLING = re.compile(rb"\w{3}")


def present(situation: Situation) -> Resolution | None:
    """The target's file with what it lacks of the patch; None where no hunk is there in part, or never was."""
    return hunk_by_hunk(situation, RULE, (_there, _never, beside), (_there, _never))


def _gap(finder: Placer, hunk: Hunk) -> Place | None:
    """The target's lines between the nearest known neighbours of a hunk, whose own old lines are all unknown there."""
    frame = finder.frame
    if any(frame.at(i) >= 0 for i in range(hunk.a, hunk.b)):
        return None
    first, last = hunk.a, hunk.b
    while first > 0 and frame.there[first - 1] < 0:
        first -= 1
    while last < len(frame.base) and frame.there[last] < 0:
        last += 1
    x = frame.there[first - 1] + 1 if first else 0
    y = frame.there[last] if last < len(frame.base) else len(frame.ours)
    if x > y:
        return None
    checks = finder.standing(Hunk(first, last, hunk.c, hunk.d), x)
    near = (first, last) == (hunk.a, hunk.b)
    return Place(hunk, x, y, "gap", near and "same-function" in checks, ("neighbours", *checks))


def _never(finder: Placer, hunk: Hunk) -> Edit | None:
    found = _gap(finder, hunk) if hunk.c == hunk.d else None
    if found is None or found.x != found.y or not found.at_home:
        return None
    frame = finder.frame
    telling = {squeezed(row) for row in frame.base[hunk.a : hunk.b] if _TELLING.search(row)}
    elsewhere = telling & {squeezed(row) for row in frame.ours}
    sure = bool(telling) and not elsewhere
    return edit(found, (), "the target never had the lines that the patch deletes", sure)


def _there(finder: Placer, hunk: Hunk) -> Edit | None:
    found = _gap(finder, hunk) if hunk.c != hunk.d else None
    if found is None or found.x == found.y or not found.at_home:
        return None
    frame = finder.frame
    mine, yours = frame.ours[found.x : found.y], frame.theirs[hunk.c : hunk.d]
    runs = matched([squeezed(row) for row in mine], [squeezed(row) for row in yours])
    common = [row for run in runs for row in mine[run.a : run.a + run.size]]
    if not any(_TELLING.search(row) for row in common):
        return None
    lines = _interleaved(mine, yours, runs)
    whole = sum(run.size for run in runs) == len(yours)
    why = "the target has these lines already" if whole else "the target has some of these lines already"
    return edit(found, lines, why) if lines is not None else None


def _interleaved(mine: Sequence[bytes], yours: Sequence[bytes], runs: Sequence[Run]) -> list[bytes] | None:
    """Both sides' lines in the order that both keep; None where they have something of their own at the same point."""
    out: list[bytes] = []
    a = b = 0
    for run in (*runs, Run(len(mine), len(yours), 0)):
        own, new = mine[a : run.a], yours[b : run.b]
        if any(row.strip() for row in own) and any(row.strip() for row in new):
            return None
        out += [*(own if any(row.strip() for row in own) or not new else new), *mine[run.a : run.a + run.size]]
        a, b = run.a + run.size, run.b + run.size
    return out

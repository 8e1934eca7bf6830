"""Hunks whose feature the target does not have: there is nothing there that they could mend.

Recognised: a hunk changes a function, or a type, that neither the target's file nor its neighbours define, under this name or
with these lines; or lines of which the target has none; or the target has no such file at all. Then the hunk is left out. A
suggestion only, for the target may have the same fault in code of its own; sure where the whole file is absent, none of its
functions is anywhere near, and the patch has other files that the target does have; or where nothing of it is there (`absent`).
Example: fda11e61ff8a on 2.6.32.y (check what wmi_get_event_data returns): drivers/platform/x86/msi-wmi.c came later.
"""

from __future__ import annotations

import re

from backport.git.merge import rows
from backport.model.evidence import Evidence
from backport.replay.rules.absent import absent
from backport.replay.rules.edits import disputed, framed
from backport.replay.rules.elsewhere import Group, groups, homes
from backport.replay.rules.frame import Frame
from backport.replay.rules.lines import Hunk, hunks
from backport.replay.rules.shape import shape
from backport.replay.situation import Resolution, Situation

RULE = "unneeded"


def unneeded(situation: Situation) -> Resolution | None:
    """The target's file as it is; None where anything that the patch changes is there, or might be."""
    base, theirs, ours = situation.base, situation.theirs, situation.ours
    if base is None or theirs is None:
        return None
    found = groups(base, hunks(rows(base), rows(theirs)))
    if not found or not all(_nowhere(situation, base, group) for group in found):
        return _lines_gone(situation)
    names = sorted({group.name or _holder(situation, base, group) for group in found})
    if ours is None and not _others(situation):
        return None
    told = b", ".join(name for name in names if name).decode("ascii", "replace")
    why = f"the target does not have {told or 'the file'}"
    if ours is None:
        return Resolution(RULE, all(names), {}, (Evidence(RULE, situation.path, told, 0, 0, why, checks=("absent-file",)),))
    sure = all(names) and absent(situation, found, names)
    evidence = Evidence(RULE, situation.path, told, 0, 0, why, checks=("absent-name", "absent-lines") if sure else ())
    return Resolution(RULE, sure, {situation.path: ours}, (evidence,))


def _lines_gone(situation: Situation) -> Resolution | None:
    """The target's file as it is, where it has none of the lines that the hunks change, nor anything in their stead."""
    frame = framed(situation)
    if frame is None or not all(_gone(frame, hunk) for block in disputed(frame) for hunk in block.hunks):
        return None
    first = disputed(frame)[0].hunks[0]
    place = Evidence(RULE, situation.path, "", first.a + 1, 0, "the target has none of the lines that these hunks change")
    return Resolution(RULE, False, {situation.path: situation.ours}, (place,))


def _gone(frame: Frame, hunk: Hunk) -> bool:
    """Whether all that a hunk changes, or adds to, is in a stretch of upstream's file of which the target has nothing."""
    first, last = hunk.a, hunk.b
    while first > 0 and frame.at(first - 1) < 0:
        first -= 1
    while last < len(frame.base) and frame.at(last) < 0:
        last += 1
    if first == last or any(frame.at(i) >= 0 for i in range(first, last)):
        return False
    if hunk.a == hunk.b and hunk.a in (first, last):
        return False
    x = frame.at(first - 1) + 1 if first else 0
    y = frame.at(last) if last < len(frame.base) else len(frame.ours)
    return x == y


def _nowhere(situation: Situation, base: bytes, group: Group) -> bool:
    """Whether neither the file nor its neighbours have what holds the group."""
    if homes(situation, base, group):
        return False
    name = group.name or _holder(situation, base, group)
    if situation.ours is None:
        return True
    return bool(name) and not re.search(rb"\b" + re.escape(name) + rb"\b", situation.ours)


def _holder(situation: Situation, base: bytes, group: Group) -> bytes:
    return shape(situation.path, base).holder(group.hunks[0].a)


def _others(situation: Situation) -> bool:
    """Whether the target has another file of the patch."""
    paths = [c.old_path for c in situation.patch.changes if c.old is not None and c != situation.change]
    return any(situation.library.trees.entry(situation.tree, path) is not None for path in paths)

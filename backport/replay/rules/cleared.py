"""Flags that a patch clears and that the target does not have: what nothing can set is clear already.

Recognised: an added line is a whole statement `x &= ~FLAG;`, and upstream's old file itself defines FLAG where the target's does
not mention it at all. The line is left out, and the rest of the hunk is settled by the rules for names, context, words and moved
code. Safe because a flag that one file defines is set by that file alone, and the target's never does. A suggestion only: the
target may keep the same bit under another name, which clearing would have to reach (a rename that no line shows).
Example: 3da0dd433dc3 on v2.6.31 (KVM: MMU notifiers for page changes): SPTE_HOST_WRITEABLE came with 1403283acca3.
"""

from __future__ import annotations

import re
from dataclasses import replace

from backport.csource.tokens import mentioned
from backport.git.merge import rows
from backport.replay.rules.anchor import anchor
from backport.replay.rules.drifted import drifted
from backport.replay.rules.lines import hunks
from backport.replay.rules.moved import moved
from backport.replay.rules.renames import renames
from backport.replay.rules.words import words
from backport.replay.situation import Resolution, Situation

RULE = "cleared"
_INNER = (renames, anchor, words, drifted, moved)
_CLEARS = re.compile(rb"^\s*[\w>.*()\[\]-]+\s*&=\s*~\s*\(?\s*([A-Za-z_]\w*)\s*\)?\s*;\s*$")
_DEFINES = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\S", re.M)


def cleared(situation: Situation) -> Resolution | None:
    """The target's file without the lines that clear what it cannot have set; None where the patch has no such line."""
    base, theirs = situation.base, situation.theirs
    flags = strange_flags(situation)
    if not flags or base is None or theirs is None:
        return None
    step = replace(situation, theirs=_without(base, theirs, flags))
    inner = next((answer for rule in _INNER if (answer := rule(step)) is not None), None)
    if inner is None:
        return None
    told = ", ".join(sorted(flag.decode() for flag in flags))
    why = f"the target has no {told}: what clears it is left out"
    evidence = tuple(replace(item, rule=RULE, why=f"{why}; {item.why}") for item in inner.evidence)
    return Resolution(RULE, False, inner.texts, evidence)


def strange_flags(situation: Situation) -> frozenset[bytes]:
    """The flags that added lines clear, that upstream's file defines and that the target's does not mention."""
    base, ours, theirs = situation.base, situation.ours, situation.theirs
    if base is None or ours is None or theirs is None:
        return frozenset()
    three = rows(theirs)
    added = (row for hunk in hunks(rows(base), three) for row in three[hunk.c : hunk.d])
    flags = {match.group(1) for row in added if (match := _CLEARS.match(row))}
    return frozenset(flags & set(_DEFINES.findall(base)) - mentioned(ours)) if flags else frozenset()


def _without(base: bytes, theirs: bytes, flags: frozenset[bytes]) -> bytes:
    three = rows(theirs)
    gone = {
        at
        for hunk in hunks(rows(base), three)
        for at in range(hunk.c, hunk.d)
        if (match := _CLEARS.match(three[at])) and match.group(1) in flags
    }
    return b"".join(row for at, row in enumerate(three) if at not in gone)

"""Names that upstream changed between: identifiers, constants and members, put back to what the target calls them.

Recognised: lines that a hunk adds use a name that upstream's old version has and the target's file does not have at all, and
wherever the two have a line that differs only in some words, that name stands against one and the same other. The
whole patch is then read with the target's names, and settled by the rules for context drift, words and drifted blocks. Safe
because a substitution is taken only where each occurrence agrees with it and the old name is gone; sure only where two lines at
least bear it out. A label or a local variable that the patch itself brings is not another function's of that name. Whether the
name means the same in the target is for the guard to say.
Example: 3da0dd433dc3 on v2.6.31 (KVM: MMU notifiers for page changes): __set_spte was set_shadow_pte before d555c333aa54.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from backport.csource.tokens import mentioned
from backport.git.merge import rows
from backport.replay.guard.landed import HEADERS
from backport.replay.rules.anchor import anchor
from backport.replay.rules.drifted import drifted
from backport.replay.rules.frame import laid
from backport.replay.rules.lines import hunks, squeezed
from backport.replay.rules.moved import moved
from backport.replay.rules.near import pair_near, tokens
from backport.replay.rules.words import words
from backport.replay.situation import Resolution, Situation

RULE = "renames"
_INNER = (anchor, words, drifted, moved)
_NAME = re.compile(rb"[A-Za-z_]\w*")
_LABEL = rb"^[ \t]*%b[ \t]*:(?!:)"
_LOCAL = rb"^[ \t]+(?:\w+[ \t]+)*?(?!return\b|goto\b|else\b)\w+[ \t*]+%b[ \t]*[;=,\[]"
_BORNE_OUT = 2  # lines that must show a substitution before it is sure
_LONGEST = 6  # words on a side of one substitution


@dataclass(frozen=True, slots=True)
class Renamed:
    """Upstream's name, the target's, and the number of lines that show it."""

    old: bytes
    new: bytes
    shown: int


def renames(situation: Situation) -> Resolution | None:
    """The target's file with the patch in the target's words; None where no name of the patch had another one there."""
    found = renamed(situation)
    base, theirs = situation.base, situation.theirs
    if not found or base is None or theirs is None:
        return None
    step = replace(situation, base=_spelt(base, found), theirs=_spelt(theirs, found))
    inner = next((answer for rule in _INNER if (answer := rule(step)) is not None), None)
    if inner is None:
        return None
    told = ", ".join(f"{r.old.decode()} is {r.new.decode()} there" for r in found.values())
    sure = inner.sure and all(r.shown >= _BORNE_OUT for r in found.values())
    evidence = tuple(replace(item, rule=RULE, why=f"{told}; {item.why}") for item in inner.evidence)
    return Resolution(RULE, sure, inner.texts, evidence)


def renamed(situation: Situation) -> Mapping[bytes, Renamed]:
    """The names on the lines that a patch adds that are called otherwise in the target's file.

    One that a header of the target has is there, though this file does not say it: napi_schedule_prep() of f11a377b3f4e beside
    netif_rx_schedule_prep() on 2.6.27.y, struct desc_ptr of 3444d7da1839 beside struct descriptor_table on 2.6.32.y.
    """
    base, ours, theirs = situation.base, situation.ours, situation.theirs
    if base is None or ours is None or theirs is None or laid(base, ours, theirs) is None:
        return {}
    wanted, whole = _strange(base, ours, theirs), _whole(situation, theirs)
    found = {name: one for name, one in mined(base, ours).items() if name in wanted} if wanted else {}
    found = {name: one for name, one in found.items() if not _is_own(name, base, whole)}
    known = situation.library.history.speaks(situation.tree, found, HEADERS) if found else set()
    return {name: one for name, one in found.items() if name not in known}


def names(lines: Iterable[bytes]) -> set[bytes]:
    """The identifiers of some lines."""
    return {name for row in lines for name in _NAME.findall(row)}


def _strange(base: bytes, ours: bytes, theirs: bytes) -> set[bytes]:
    """Names on the lines that the patch adds that upstream's file had before it, and the target's has not."""
    three = rows(theirs)
    added = names(row for hunk in hunks(rows(base), three) for row in three[hunk.c : hunk.d])
    return added & mentioned(base) - mentioned(ours)


def _whole(situation: Situation, theirs: bytes) -> bytes:
    """Upstream's file behind the whole patch, of which `theirs` may have one dispute alone."""
    text = situation.library.store.text(situation.change.new) if situation.change.new is not None else None
    return text or theirs


def _is_own(name: bytes, base: bytes, theirs: bytes) -> bool:
    """Whether the patch brings a label or a local variable of that name: what another function calls its own is no matter.

    ffcfb8db540f on 2.6.27.y brings `drop:` to atalk_route_packet(); it is atalk_rcv() whose `drop` is `freeit` there.
    """
    word = re.escape(name)
    own = re.compile(_LABEL % word + rb"|" + _LOCAL % word, re.M)
    return len(own.findall(theirs)) > len(own.findall(base))


def _spelt(text: bytes, found: Mapping[bytes, Renamed]) -> bytes:
    pattern = re.compile(rb"\b(?:%s)\b" % b"|".join(re.escape(name) for name in found))
    return pattern.sub(lambda match: found[match.group()].new, text)


@lru_cache(maxsize=8)
def mined(base: bytes, ours: bytes) -> Mapping[bytes, Renamed]:
    """What upstream's names are called in the target, by the lines that differ in nothing else."""
    one, two = rows(base), rows(ours)
    gone, new = mentioned(base) - mentioned(ours), mentioned(ours) - mentioned(base)
    votes: dict[bytes, Counter[bytes]] = {}
    for change in hunks([squeezed(row) for row in one], [squeezed(row) for row in two]):
        for a, c in pair_near(one, two, change).items():
            for old, now in substituted(tokens(one[a]), tokens(two[c])):
                if old in gone:
                    votes.setdefault(old, Counter())[now] += 1
    found = {}
    for old, counted in votes.items():
        (now, shown), *others = counted.most_common()
        if not others and (now in new or shown >= _BORNE_OUT):
            found[old] = Renamed(old, now, shown)
    return found


def substituted(a: Sequence[bytes], b: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Pairs of names that stand in each other's place, where nothing else is there."""
    found = []
    for hunk in hunks(a, b):
        old, now = a[hunk.a : hunk.b], b[hunk.c : hunk.d]
        if len(old) == len(now) <= _LONGEST and all(_same_kind(x, y) for x, y in zip(old, now, strict=True)):
            found += [(x, y) for x, y in zip(old, now, strict=True) if x != y]
    return found


def _same_kind(a: bytes, b: bytes) -> bool:
    return a == b or bool(_NAME.fullmatch(a) and _NAME.fullmatch(b))

"""The numbers of an enum when a series puts constants into it: which of the target's move, which new ones are not upstream's.

The merged enum is foreseen, not read from a merge: each new constant is put behind the one that it follows upstream, or behind
the nearest one before that which the target has. May be wrong where the replay places it otherwise by hand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backport.drift.uapi.constants import Constant
from backport.drift.uapi.expression import UnknownError, evaluate
from backport.drift.uapi.headers import Header, Scope

_TERMINATOR = re.compile(rb"^__|^NR_|^NUM_|(?:^|_)(?:MAX|LAST|NUM|COUNT|END|NR|MAXID)$")


@dataclass(frozen=True, slots=True)
class Shift:
    """A constant whose number in the merged enum differs: from the target's own (`mine`), or from upstream's.

    `cause` is the first constant that the series adds to this enum.
    """

    name: bytes
    expected: int
    merged: int
    mine: bool
    cause: bytes


def shifts(upstream: Header, target: Header, added: Collection[bytes]) -> list[Shift]:
    """Every number that moves when the `added` names of the upstream header's enums are put into the target's."""
    found: list[Shift] = []
    theirs, ours = lists(upstream), lists(target)
    for list_ in theirs:
        new = [constant for constant in list_ if constant.name in added]
        match = _alike(list_, ours) if new else None
        if match is None or any(constant.unsure for constant in (*match, *list_)):
            continue
        known = {constant.name for constant in match}
        new = [constant for constant in new if constant.name not in known]
        if not new:
            continue
        before, after = values(match, target), values(_merged(list_, match, {c.name for c in new}), target)
        wanted = values(list_, upstream)
        cause = new[0].name
        for name, value in after.items():
            if _TERMINATOR.search(name) or value is None:
                continue
            mine = name in known
            expected = before.get(name) if mine else wanted.get(name)
            if expected is not None and expected != value:
                found.append(Shift(name, expected, value, mine, cause))
    return found


def lists(header: Header) -> list[list[Constant]]:
    """The constants of each enum of a header."""
    found: dict[int, list[Constant]] = {}
    for constant in header.constants:
        if constant.enum >= 0:
            found.setdefault(constant.enum, []).append(constant)
    return list(found.values())


def _alike(list_: Sequence[Constant], others: Sequence[list[Constant]]) -> list[Constant] | None:
    """The target's version of an enum: the one with most names in common, at least one."""
    names = {constant.name for constant in list_}
    best = max(others, key=lambda other: sum(c.name in names for c in other), default=None)
    return best if best is not None and any(c.name in names for c in best) else None


def _merged(theirs: Sequence[Constant], ours: Sequence[Constant], new: Collection[bytes]) -> list[Constant]:
    merged = list(ours)
    at = -1  # behind which of `merged` the next new one goes
    for constant in theirs:
        place = next((i for i, other in enumerate(merged) if other.name == constant.name), None)
        if place is not None:
            at = place
        elif constant.name in new:
            at += 1
            merged.insert(at, constant)
    return merged


def values(list_: Sequence[Constant], header: Header) -> dict[bytes, int | None]:
    """The number of each constant when they stand in this order; None behind one that cannot be worked out."""
    found: dict[bytes, int | None] = {}
    last: int | None = -1
    for constant in list_:
        if constant.text:
            try:
                last = found[constant.text] if constant.text in found else evaluate(constant.text, Scope(header, None)).value
            except UnknownError:
                last = None
        else:
            last = last + 1 if last is not None else None
        found[constant.name] = last
    return found

"""A hunk must land in the function, table or entry in which it is upstream.

Lines alike stand in many places, and a patch that is let land where its context fits (fuzz, offset) finds the wrong one. Two
fixes are in the wrong function of the real 2.6.32.y to this day: the limit of `max_map_count` (70da2340fbc6) guards the entry
of `exception-trace`, and the overflow fix for `alloc_new_range` (d91afd15b041) is in `flush_devices_by_domain`.

A function that one side does not have under this name counts as renamed where the other's is unknown there as well. Code that
stands in another function whole, six lines of it and nowhere else on either side, counts as moved: that is a warning
(218854af8403, whose check is in rds_rdma_prepare of 2.6.32.y). Both may be wrong where a function was split.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backport.csource.parse import function_at
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import Change, around, head, places, squeezed, telling

_AROUND = 3
_FARTHEST = 8  # lines on a side over which code is followed that stands in another function
_LONGEST_ENTRY = 60  # lines of one entry of a table


def other_function(landed: Landed) -> Iterator[Fault]:
    """Hunks that stand in another function or entry than upstream's."""
    base = _Side(landed.base, landed.base_rows, landed.upstream_path)
    ours = _Side(landed.ours, landed.ours_rows, landed.path)
    theirs = _Side(landed.theirs, landed.theirs_rows, landed.upstream_path)
    result = _Side(landed.result, landed.result_rows, landed.path)
    added, removed = theirs.spots(landed.upstream, new=True), base.spots(landed.upstream, new=False)
    for change in landed.here:
        if change.added:
            fault = _first(change.new, change.added, result, theirs, added)
        else:
            fault = _first(change.old, change.removed, ours, base, removed)
        if fault is not None:
            yield fault if not _moved(landed, change) else Fault(fault.what, fault.line, f"moved: {fault.why}", sure=False)


@dataclass(frozen=True, slots=True)
class _Spot:
    """A line (0-based), the head line of what it is in, and in a table the first line of its entry."""

    line: int
    head: bytes
    entry: bytes


@dataclass(frozen=True, slots=True)
class _Side:
    text: bytes
    rows: Sequence[bytes]
    path: bytes
    heads: dict[int, int] = field(default_factory=dict)

    def spots(self, changes: Sequence[Change], *, new: bool) -> dict[bytes, list[_Spot]]:
        """Where each line is that the changes add (or remove) on this side."""
        found: dict[bytes, list[_Spot]] = defaultdict(list)
        for change in changes:
            start, texts = (change.new, change.added) if new else (change.old, change.removed)
            for number, row in enumerate(texts, start):
                if telling(row):
                    found[squeezed(row)].append(self.spot(number))
        return found

    def spot(self, line: int) -> _Spot:
        at = head(self.rows, line, self.path, self.heads)
        if at < 0:
            return _Spot(line, b"", b"")
        return _Spot(line, squeezed(self.rows[at]), _entry(self.rows, line, at) if b"=" in self.rows[at] else b"")

    def named(self, line: int) -> str:
        """The function's name by the reader of C, where it is C and it finds one."""
        if self.path.endswith((b".c", b".h")) and (found := function_at(self.text, line + 1)):
            return found.decode("latin-1")
        return around(self.rows, line, self.path)

    def has(self, name: str) -> bool:
        """Whether there is a function or a table of this name."""
        return re.search(rb"^[A-Za-z_][^;\n]*?\b%s[ \t]*[(\[]" % re.escape(name.encode("latin-1")), self.text, re.M) is not None


def _entry(lines: Sequence[bytes], number: int, top: int) -> bytes:
    """The first line within the innermost braces around a line of an initialiser: what names an entry of a table.

    `number` is the line itself; braces on it do not count. Empty where the entry is on one line.
    """
    depth = 0
    for at in range(number - 1, max(top, number - _LONGEST_ENTRY), -1):
        depth += lines[at].count(b"}") - lines[at].count(b"{")
        if depth < 0:
            return squeezed(lines[at + 1]) if at + 1 < number else b""
    return b""


def _first(start: int, lines: Sequence[bytes], here: _Side, there: _Side, known: dict[bytes, list[_Spot]]) -> Fault | None:
    """The first of some lines of the target that upstream has elsewhere."""
    for number, row in enumerate(lines, start):
        spots = known.get(squeezed(row))
        if spots and telling(row):
            return _fault(here.spot(number), here, spots, there)
    return None


def _fault(spot: _Spot, here: _Side, spots: Sequence[_Spot], there: _Side) -> Fault | None:
    if any(spot.head == other.head and spot.entry == other.entry for other in spots):
        return None
    first = spots[0]
    if any(spot.head == other.head for other in spots):  # the same table, another entry
        if not first.entry or not spot.entry or first.entry not in {squeezed(row) for row in here.rows}:
            return None
        return Fault(_shown(first.entry), first.line + 1, f"it would land in the entry of {_shown(spot.entry)}")
    mine, theirs = here.named(spot.line), [there.named(other.line) for other in spots]
    if mine in theirs or (mine and theirs[0] and not here.has(theirs[0]) and not there.has(mine)):
        return None
    return Fault(theirs[0] or "file level", first.line + 1, f"it would land in {mine or 'no function'}")


def _moved(landed: Landed, change: Change) -> bool:
    """Whether the lines around a place, six or more, stand once in the target and once upstream, where the patch changes them.

    As many lines as both sides have alike, but not more than eight before and after: of three on a side it may be that only two
    tell anything, as in 218854af8403.
    """
    key = [squeezed(row) for row in change.removed]
    for other in landed.upstream:
        if [squeezed(row) for row in other.removed] != key:
            continue
        up = _alike(landed.ours_rows, change.old, landed.base_rows, other.old, -1)
        down = _alike(landed.ours_rows, change.old + len(key) - 1, landed.base_rows, other.old + len(key) - 1, 1)
        block = [squeezed(row) for row in landed.ours_rows[change.old - up : change.old + len(key) + down]]
        if len(block) >= 2 * _AROUND and sum(map(telling, block)) >= _AROUND:
            return len(places(landed.ours, block)) == 1 == len(places(landed.base, block))
    return False


def _alike(one: Sequence[bytes], x: int, two: Sequence[bytes], y: int, step: int) -> int:
    """How many lines beyond x and y, in the direction of `step`, are the same, blanks aside."""
    count = 0
    while count < _FARTHEST:
        x, y = x + step, y + step
        if not (0 <= x < len(one) and 0 <= y < len(two)) or squeezed(one[x]) != squeezed(two[y]):
            break
        count += 1
    return count


def _shown(row: bytes) -> str:
    return row.decode("utf-8", "replace")

"""A line that upstream takes away must not be left where the target moved it.

The patch deletes a line at one place; the target has moved that line, so that at this place both sides agree that it goes, and
at its new place nobody asks. The merge is clean, and the line is still there. Example: 1c6fe0364fa7 on 2.6.32.y (cpuidle: fix
incorrect optimization) removes the member `measured_us` of struct menu_device, which the target has two lines further down.
"""

from __future__ import annotations

from collections.abc import Iterator

from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import around, squeezed, telling


def leftover(landed: Landed) -> Iterator[Fault]:
    """Lines of which more are left than the target had, less those that upstream removed.

    Where the target has the code in another file, that has lines of its own: only those in the function that upstream changes
    count (669c55e9f99b: kernel/sched.c of 2.6.32 has a `weight = ` that upstream's sched_fair.c takes away elsewhere).
    """
    seen: set[bytes] = set()
    for change in landed.upstream:
        for number, row in enumerate(change.removed, change.old + 1):
            key = squeezed(row)
            if key in seen or not telling(row):
                continue
            seen.add(key)
            if _is_left(*landed.seen(row)) and _is_left(*landed.counts(row)) and _is_there(landed, key, number):
                yield Fault(key.decode("utf-8", "replace"), number, "upstream removes this line; it is still there")


def _is_left(base: int, ours: int, theirs: int, result: int) -> bool:
    gone = base - theirs
    return gone > 0 and result > max(theirs, ours - gone)


def _is_there(landed: Landed, key: bytes, number: int) -> bool:
    """Whether a line stands in the function from which upstream removes it, where upstream's file is another one."""
    if landed.path == landed.upstream_path:
        return True
    home = around(landed.base_rows, number - 1, landed.upstream_path)
    left = (at for at, row in enumerate(landed.result_rows) if squeezed(row) == key)
    return any(around(landed.result_rows, at, landed.path) == home for at in left)

"""A hunk must not fit a second place as well: where the target has a copy of the code that upstream has not, both need the patch.

Looked for is what the patch replaces, with a line on either side: where it stands more often in the target than upstream, one
of the places was left as it was, and which one is chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import places, squeezed, telling


def second_place(landed: Landed) -> Iterator[Fault]:
    """Hunks whose old lines, with those around them, stand in the target more often than upstream."""
    for change in landed.upstream:
        if not any(telling(row) for row in change.removed):
            continue
        block = landed.base_keys[max(0, change.old - 1) : change.old + len(change.removed) + 1]
        if len(places(landed.ours_keys, block)) > len(places(landed.base_keys, block)):
            told = next(squeezed(row) for row in change.removed if telling(row))
            why = "the target has a second copy of what the patch changes"
            yield Fault(told.decode("utf-8", "replace"), change.old + 1, why)

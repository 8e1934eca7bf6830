"""Whether nothing of what a patch changes in some functions is in the target, while it mends others that are.

Such hunks have nothing to mend, and the rest of the patch is complete without them. b00916b189d1 on 2.6.32.y clears the memory
that three functions allocate, of which two came later; 59de2bebabc5 on 2.6.27.y does so in agp_generic_alloc_pages() as well.

No name is proof: xhci_cleanup_halted_endpoint() of 1624ae1c19e2 was made of lines of handle_tx_event(), where the target still
has them. So the lines count that upstream's file has once, those that go and those beside them: none may be in the target's
file. And a patch that carries lines from one function to another is whole or nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from backport.git.merge import rows
from backport.model.series import FileChange
from backport.replay.guard.place import Change, changes, squeezed, telling
from backport.replay.rules.elsewhere import Group
from backport.replay.rules.shape import Shape, shape
from backport.replay.situation import Situation

_BESIDE = 3  # lines on a side of a hunk
_SOURCES = "*.[ch]"
_NAME = re.compile(rb"[A-Za-z_]\w*")


def absent(situation: Situation, groups: Sequence[Group], names: Sequence[bytes]) -> bool:
    """Whether the target has neither the names nor the lines of these hunks, and the patch mends a function that it has."""
    base, ours = situation.base or b"", situation.ours or b""
    if not all(_NAME.fullmatch(name) for name in names) or not _without(base, ours, groups):
        return False
    rest = list(_rest(situation, groups))
    if not any(_mends(situation, change, one) for change, one in rest) or _carries(situation, groups, [one for _, one in rest]):
        return False
    return not situation.library.history.speaks(situation.tree, names, _SOURCES)


def _without(base: bytes, ours: bytes, groups: Sequence[Group]) -> bool:
    """Whether of every group some telling lines are upstream's only ones, and the target's file has none of them."""
    lines = [squeezed(row) for row in rows(base)]
    often, here = Counter(lines), {squeezed(row) for row in rows(ours)}
    for group in groups:
        low = max(group.span.start, group.hunks[0].a - _BESIDE)
        high = min(group.span.end, group.hunks[-1].b + _BESIDE)
        own = {row for row in lines[low:high] if often[row] == 1 and telling(row)}
        if not own or own & here:
            return False
    return True


def _rest(situation: Situation, groups: Sequence[Group]) -> Iterator[tuple[FileChange, Change]]:
    """What the patch changes besides, file by file."""
    store = situation.library.store
    mine = {hunk.a for group in groups for hunk in group.hunks}
    for change in situation.patch.changes:
        here = change == situation.change
        old, new = situation.base if here else store.text(change.old), store.text(change.new)
        if old is None or new is None or b"\0" in old + new:
            continue
        yield from ((change, one) for one in changes(old, new) if not (here and one.old in mine))


def _mends(situation: Situation, change: FileChange, one: Change) -> bool:
    """Whether a change is inside a function, or a table, that the target's file has too."""
    here = change == situation.change
    old = situation.base if here else situation.library.store.text(change.old)
    ours = situation.ours if here else situation.library.trees.read(situation.tree, change.old_path)
    if old is None or ours is None:
        return False
    name = (Shape.holder if one.removed else Shape.around)(shape(change.old_path, old), one.old)
    return bool(name) and name in shape(change.old_path, ours).names


def _carries(situation: Situation, groups: Sequence[Group], rest: Sequence[Change]) -> bool:
    """Whether a telling line goes in one part of the patch and comes in the other."""
    base, theirs = rows(situation.base or b""), rows(situation.theirs or b"")
    gone = {squeezed(row) for group in groups for hunk in group.hunks for row in base[hunk.a : hunk.b]}
    come = {squeezed(row) for group in groups for hunk in group.hunks for row in theirs[hunk.c : hunk.d]}
    here = {key for key in gone - come if telling(key)}, {key for key in come - gone if telling(key)}
    removed = {squeezed(row) for one in rest for row in one.removed}
    added = {squeezed(row) for one in rest for row in one.added}
    return bool(here[0] & (added - removed) or here[1] & (removed - added))

"""Whether a tree has a change by content, where the change does not apply: later changes may have gone over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backport.git.diff import Hunk
from backport.replay.followups.brought import squeezed

_THERE = 0.75
_GONE = 0.5


def has(hunks: Sequence[Hunk], read: Callable[[bytes], bytes | None]) -> bool:
    """Whether three quarters of the lines that the change adds are in the tree's files, and half of those it removes are not.

    Of 1c2fb7a4c2ca (ksm: fix deadlock with munlock in exit_mmap) 2.6.32 has the 8 lines and none of the 17 removed ones, though
    a later cleanup went over the same functions; 2.6.31 has 2 of the 8. Lines that are moved say nothing, nor do short ones.
    May be wrong for a small change that a later one undid in part.
    """
    added = {(h.path, line) for h in hunks for line in map(squeezed, h.added) if line}
    removed = {(h.path, line) for h in hunks for line in map(squeezed, h.removed) if line}
    added, removed = added - removed, removed - added
    if not added and not removed:
        return False
    there = {path: {squeezed(row) for row in (read(path) or b"").split(b"\n")} for path, _ in added | removed}
    kept = sum(line in there[path] for path, line in added)
    gone = sum(line not in there[path] for path, line in removed)
    if not added:
        return gone == len(removed)
    return kept >= _THERE * len(added) and gone >= _GONE * len(removed)

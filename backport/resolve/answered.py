"""Conflicts of a file that a rule has proved, where others of it wait for a person: they stand answered in the folder.

Only where it is plain what the rule did with that conflict: its evidence stands within the conflict's lines, all of it is
proved, and no change of its text crosses their edge. Else the markers stay, for a person sees more than we can tell here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backport.git.merge import Piece, Region, rows
from backport.model.verdict import PLAIN, FileOutcome, Suggestion
from backport.replay.rules.lines import Hunk, hunks


def answered(
    pieces: Sequence[Piece], file: FileOutcome, suggestions: Sequence[Suggestion], read: Callable[[str], bytes]
) -> tuple[Piece, ...]:
    """The stretches of a merge, with the text of the best suggestion in place of each conflict that it has proved."""
    told = next((f for s in suggestions for f in s.files if f.path == file.path and f.ours == file.ours and _proves(f)), None)
    if told is None or told.ours is None or told.result is None:
        return tuple(pieces)
    ours, result = rows(read(told.ours.oid)), rows(read(told.result.oid))
    changes = hunks(ours, result)
    regions = [piece for piece in pieces if isinstance(piece, Region)]
    places = [item for item in told.evidence if item.rule not in PLAIN]
    if any(not any(_holds(region, item.line) for region in regions) for item in places):
        return tuple(pieces)
    proved = {
        region: text
        for region in regions
        if (mine := [item for item in places if _holds(region, item.line)])
        and all(item.proved for item in mine)
        and (text := _text(region, ours, result, changes)) is not None
    }
    return tuple(proved.get(piece, piece) if isinstance(piece, Region) else piece for piece in pieces)


def _proves(file: FileOutcome) -> bool:
    return any(item.proved for item in file.evidence)


def _span(region: Region) -> tuple[int, int]:
    start = region.line - 1
    return start, start + len(rows(region.ours))


def _holds(region: Region, line: int) -> bool:
    start, end = _span(region)
    return start < line <= end + 1


def _text(region: Region, ours: Sequence[bytes], result: Sequence[bytes], changes: Sequence[Hunk]) -> bytes | None:
    """The conflict's lines of the target with the changes that are made in them; None where one crosses their edge."""
    start, end = _span(region)
    if b"".join(ours[start:end]) != region.ours:
        return None
    out: list[bytes] = []
    at = start
    for change in changes:
        if change.b < start or change.a > end:
            continue
        if change.a < start or change.b > end:
            return None
        out += [*ours[at : change.a], *result[change.c : change.d]]
        at = change.b
    return b"".join([*out, *ours[at:end]])

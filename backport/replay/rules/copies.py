"""One hunk upstream, several places here: upstream had made one function of code that the target still has in two.

Recognised: what a hunk takes away, with the lines of code around it, stands once in upstream's file, inside a function, and more
than once in the target's, in as many functions. The change is then made at each of them, as deep as each of them has it.

Never sure: that the copies read alike does not say that both have the fault, and the guard may say that one of them is in another
function than upstream's. Tables, Kconfig entries and macros are not looked at: there lines repeat that are no copies
(`US_FL_IGNORE_RESIDUE ),` of e4813eec8d47, SD_SIBLING_INIT beside the SD_MC_INIT of 14800984706b, both on 2.6.27.y). No pair of
the corpora is a case of it; 94e2238969e8, whose second copy reads otherwise, is not. Wrong where one was left out on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from backport.replay.rules.edits import Edit, edit, framed, indented, resolution
from backport.replay.rules.frame import Block, Frame
from backport.replay.rules.lines import Hunk, occurrences
from backport.replay.rules.place import Place
from backport.replay.rules.shape import Shape, shape
from backport.replay.situation import Resolution, Situation

RULE = "copies"
_AROUND = 3  # lines of code on either side that must be alike as well
_LEAST = 4  # lines that say something: fewer are idiom, not a copy
_MOST = 8  # copies of one place
_FUNCTIONS = (b".c", b".h")


def copies(situation: Situation) -> Resolution | None:
    """The target's file with each hunk at every place that has its code; None where none has two, or where one is in dispute."""
    frame = framed(situation)
    if frame is None or not situation.path.endswith(_FUNCTIONS):
        return None
    there, here = shape(situation.path, situation.base or b""), shape(situation.path, situation.ours or b"")
    made: list[Edit] = []
    asked: list[Block] = []
    for block in frame.blocks:
        found = [_everywhere(frame, hunk, there, here) for hunk in block.hunks]
        if all(found):
            asked.append(block)
            made += [each for edits in found for each in edits]
        elif any(found) or not block.clean:
            return None
    return resolution(situation, RULE, frame, made, asked) if made else None


def _everywhere(frame: Frame, hunk: Hunk, there: Shape, here: Shape) -> list[Edit]:
    """The hunk at each of the places that have its code; empty where it is no hunk of this kind."""
    name = there.holder(hunk.a)
    if hunk.a == hunk.b or not name or any(there.holder(i) != name for i in range(hunk.a, hunk.b)):
        return []
    first, last = _code(frame.base, hunk, there)
    block = tuple(frame.keys[first:last])
    if sum(len(key) > 7 for key in block) < _LEAST or len(occurrences(frame.keys, block)) != 1:
        return []
    starts = occurrences(frame.our_keys, block)
    holders = {here.holder(at + hunk.a - first) for at in starts}
    if not 1 < len(starts) <= _MOST or len(holders) != len(starts) or b"" in holders:
        return []
    why = f"the target has this in {len(starts)} functions, where upstream has it once, in {name.decode('ascii', 'replace')}"
    spots = [at + hunk.a - first for at in starts]
    places = [Place(hunk, x, x + hunk.b - hunk.a, "lines", False, ("same-lines", "every-copy")) for x in spots]
    return [edit(place, indented(frame, place), why) for place in places]


def _code(rows: Sequence[bytes], hunk: Hunk, there: Shape) -> tuple[int, int]:
    """The lines of a hunk with those around it that are of the same function, its head and its ends apart."""

    def inside(line: int) -> bool:
        return there.holder(line) == there.holder(hunk.a) and rows[line][:1] in (b"\t", b" ", b"\n")

    first, last = hunk.a, hunk.b
    while first > 0 and hunk.a - first < _AROUND and inside(first - 1):
        first -= 1
    while last < len(rows) and last - hunk.b < _AROUND and inside(last):
        last += 1
    return first, last

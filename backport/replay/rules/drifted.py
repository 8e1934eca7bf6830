"""A block to be replaced or deleted that reads differently in the target.

Recognised: the statements that a hunk takes away are in the target, worded differently, and every difference lies within what
the patch replaces. The target's own wording goes with the rest. Safe because what is taken away is the same statements in the
same function, line for line or between the same lines, and nothing that the target alone has is among them. Only a suggestion
where the patch's new lines use a name that the target spelt otherwise there, where the statements are not the same in number, or
where another branch of an #if is among them: what reads differently may be another configuration's (7c9414385ebf). Functions that
the patch takes away whole go by their names, if nothing else is among them (92a0acce186c on 2.6.27.y); that something of the
target still calls them is for the guard to say.
Example: 8f9f55e83e93 on 2.6.32.y (x86: no IOMMU shutdown at a crash): the call that goes was pci_iommu_shutdown() before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from backport.git.merge import rows
from backport.replay.rules.edits import Edit, edit, hunk_by_hunk
from backport.replay.rules.functions import functions
from backport.replay.rules.lines import Hunk, squeezed
from backport.replay.rules.near import likeness, tokens
from backport.replay.rules.place import Place, Placer
from backport.replay.rules.words import KEPT, beside, statement
from backport.replay.situation import Resolution, Situation

RULE = "drifted"
_BRANCH = re.compile(rb"\s*#\s*el")
_ALIKE = 0.5  # share of words in common from which a block can be the one that is meant


def drifted(situation: Situation) -> Resolution | None:
    """The target's file with the patch's lines in place of what it spells differently."""
    return hunk_by_hunk(situation, RULE, (beside, _statements, _block))


def _statements(finder: Placer, hunk: Hunk) -> Edit | None:
    found = statement(finder, hunk)
    if found is None:
        return None
    spot, merged = found
    if merged.kept < KEPT:
        return None
    frame = finder.frame
    low, high = finder.before.statement(hunk.a, hunk.b)
    same = _ends(frame.base[low:high]) == _ends(frame.ours[spot.x : spot.y])
    if same and finder.encloses(low, min(high, len(frame.base)), spot.x, spot.y):
        spot = replace(spot, sure=True)  # the same statements between the same lines, however many lines they are on
    why = "what the patch replaces reads differently in the target, and nothing else is among it"
    branches = any(_BRANCH.match(row) for row in frame.ours[spot.x : spot.y])
    return edit(spot, rows(merged.text), why, merged.carried and same and not branches and not merged.touching)


def _block(finder: Placer, hunk: Hunk) -> Edit | None:
    """The whole block for the whole block, where not even the words can be laid over one another."""
    spot: Place | None = finder.place(hunk)
    if spot is None or not spot.at_home or spot.x == spot.y:
        return None
    frame = finder.frame
    base, ours = frame.base[hunk.a : hunk.b], frame.ours[spot.x : spot.y]
    if likeness(_counted(base), _counted(ours)) < _ALIKE:
        return None
    if hunk.c == hunk.d and _functions(frame.base, hunk.a, hunk.b) == _functions(frame.ours, spot.x, spot.y) != ([], []):
        return edit(replace(spot, sure=True), (), "the patch takes away these functions, whatever they do in the target")
    return edit(spot, frame.theirs[hunk.c : hunk.d], "these lines stand where the patch's old ones stood upstream", False)


def _functions(lines: Sequence[bytes], a: int, b: int) -> tuple[list[bytes], list[bytes]]:
    """The functions that are whole within some lines, and what else is there; nothing of either where no function is."""
    found = [
        (name, span) for name, spans in functions(b"".join(lines)).items() for span in spans if a <= span.start < span.end <= b
    ]
    inside = {at for _, span in found for at in range(span.start, span.end)}
    rest = [key for at in range(a, b) if at not in inside and (key := squeezed(lines[at]))]
    return ([name for name, _ in found], rest) if found else ([], [])


def _ends(lines: Sequence[bytes]) -> tuple[int, int]:
    text = b"".join(lines)
    return text.count(b";"), text.count(b"{")


def _counted(lines: Sequence[bytes]) -> Counter[bytes]:
    return Counter(token for row in lines for token in tokens(row))

"""A file that the patch deletes and that reads differently in the target.

Recognised: upstream deletes a whole file, and the target's file is the same one but for some lines. It goes as well. Safe because
nothing is put together; sure only where the target's file is nearly upstream's (nine lines of ten), and defines no function
that upstream's does not: nothing goes that the target alone has. Whether anything of the target still asks for the file is for
the guard and the build to say.
Example: e37bcc0de040 on 2.6.32.y (remove the mimio driver), whose file the target has in an older state.
"""

from __future__ import annotations

from backport.git.merge import rows
from backport.model.evidence import Evidence
from backport.replay.rules.functions import functions
from backport.replay.rules.lines import matched, squeezed
from backport.replay.situation import Resolution, Situation

RULE = "removed"
_SAME = 0.9  # share of the lines of both that must be the other's, to be sure
_ALIKE = 0.5  # and from which it is the same file at all


def removed(situation: Situation) -> Resolution | None:
    """The file deleted; None where the patch does not delete it, or where the target's is another file."""
    base, ours = situation.base, situation.ours
    if base is None or ours is None or situation.theirs is not None or b"\0" in base + ours:
        return None
    share = _share(base, ours)
    if share < _ALIKE:
        return None
    own = functions(ours).keys() - functions(base).keys()
    why = f"upstream deletes the file; {100 * share:.0f} % of its lines are the target's"
    place = Evidence(RULE, situation.path, "", 0, 0, why, checks=() if own else ("no-function-of-its-own",))
    return Resolution(RULE, share >= _SAME and not own, {situation.path: None}, (place,))


def _share(base: bytes, ours: bytes) -> float:
    one, two = ([squeezed(row) for row in rows(text) if row.strip()] for text in (base, ours))
    return sum(run.size for run in matched(one, two)) / max(1, len(one), len(two))

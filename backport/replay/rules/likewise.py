"""Places that do not stand as upstream's do, and are meant all the same: what has to be alike instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.csource.tokens import blank
from backport.replay.rules.frame import Frame
from backport.replay.rules.layout import ELSE, TELLING, balance, indent, tabs
from backport.replay.rules.lines import Hunk, matched, occurrences
from backport.replay.rules.shape import Shape

_SAME_BODY = 0.8  # share of the lines of both that two functions have in common, from which one is the other under a new name
_BARE_ELSE = re.compile(rb"\s*else\b")
_ENTRY = re.compile(rb"\s*\{.*\},\s*$")
_MEMBER = re.compile(rb"\s*(?:\w+[\s*]+)+\w+(?:\[\w+\])?;\s*$")
_TYPE = re.compile(rb"(?:typedef\s+)?struct\s+\w*\s*\{")
_LAYOUT = re.compile(rb"packed|aligned|\b(?:__)?[us](?:8|16|32|64)\b|\b__[lb]e(?:16|32|64)\b")
_IF = re.compile(rb"\s*(?:\}\s*else\s+|else\s+)?if\b")


def same_body(frame: Frame, before: Shape, here: Shape, hunk: Hunk, x: int) -> bool:
    """Whether two functions of different names have four lines of five in common (b561e8274f75, 5ffaf8a361b4)."""
    one = _of(frame.keys, before, before.holder(hunk.a))
    two = _of(frame.our_keys, here, here.holder(x))
    return sum(run.size for run in matched(one, two)) >= _SAME_BODY * max(len(one), len(two))


def shifted(frame: Frame, before: Shape, here: Shape, hunk: Hunk, x: int) -> bool:
    """Whether lines that are taken away stand deeper, or less deep, than upstream and are the same all the same.

    They stand once in the function on both sides, are indented by as much more as they are deeper, and what comes instead of
    them opens and closes what they do: 8e1e8a4779cb, f8b676918283.
    """
    gone = frame.base[hunk.a : hunk.b]
    shift = here.depth(x) - before.depth(hunk.a)
    if any(tabs(frame.ours[x + i]) - tabs(row) != shift for i, row in enumerate(gone) if row.strip()):
        return False
    if not any(TELLING.search(row) for row in gone) or balance(gone) != balance(frame.theirs[hunk.c : hunk.d]):
        return False
    return copies(frame, before, here, hunk, x) == (1, 1)


def copies(frame: Frame, before: Shape, here: Shape, hunk: Hunk, x: int) -> tuple[int, int]:
    """How often the lines that a hunk takes away stand in upstream's function, and in that of the target's line x."""
    block = list(frame.keys[hunk.a : hunk.b])
    sides = ((frame.keys, before, hunk.a), (frame.our_keys, here, x))
    one, two = (_of(keys, form, form.holder(line)) for keys, form, line in sides)
    return len(occurrences(one, block)), len(occurrences(two, block))


def goes_with_if(frame: Frame, hunk: Hunk) -> bool:
    """Whether a hunk adds an `else` behind an `if` that the target has, with its branch: no other place is meant.

    3dd823e6b864, where the target has a line of its own behind it.
    """
    at = hunk.a - 1
    code = [row for row in blank(b"".join(frame.theirs[hunk.c : hunk.d])).split(b"\n") if row.strip()]
    if at < 0 or not code or not _BARE_ELSE.match(code[0]) or frame.there[at] < 0:
        return False
    depth, found = indent(code[0]), frame.there[at]
    while at >= 0 and frame.there[at] == found and (indent(frame.base[at]) > depth or frame.base[at].strip() == b"}"):
        at, found = at - 1, found - 1
    head = at >= 0 and frame.there[at] == found and indent(frame.base[at]) == depth and _IF.match(frame.base[at])
    following = frame.ours[frame.there[hunk.a - 1] + 1 :][:1]
    return bool(head) and at < hunk.a - 1 and not any(ELSE.match(row) for row in following)


def order_is_free(frame: Frame, here: Shape, hunk: Hunk, x: int) -> bool:
    """Whether all that a hunk adds are whole entries of a table, or members of a type, which nobody counts.

    Then the target's own entries there are no rivals, and the added ones stay behind what they are behind upstream (9c047157a205,
    3e3ede7dda2d; the members of struct bio in 867714271051). Not so in a type that says `packed`, or has members of a fixed size:
    a device, a disk or a program may know their places. Wrong where the first entry counts that fits, and one of each side does.
    """
    added = [row for row in blank(b"".join(frame.theirs[hunk.c : hunk.d])).split(b"\n") if row.strip()]
    holder = here.around(x)
    if not holder or here.depth(x) != 1 or not added or not all(_ENTRY.match(row) or _MEMBER.match(row) for row in added):
        return False
    rows = [row for at, row in enumerate(frame.ours) if here.holder(at) == holder]
    data = any(_TYPE.match(row) if _MEMBER.match(added[0]) else row.rstrip().endswith(b"= {") for row in rows[:2])
    return data and not any(_LAYOUT.search(row) for row in rows)


def _of(keys: Sequence[bytes], form: Shape, holder: bytes) -> list[bytes]:
    """The lines of one function."""
    return [key for at, key in enumerate(keys) if form.holder(at) == holder]

"""A hunk must not fit a second place as well: where the target has a copy of the code that upstream has not, both need the patch.

Looked for is what the patch replaces, with a line on either side: where it stands more often in the target than upstream, one
of the places was left as it was, and which one is chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.csource.tokens import blank_comments
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import Change, places, squeezed, telling

_COMMON = re.compile(rb"\s*(?:/[*/]|\*+(?:[\s/]|$)|(?!return\b|goto\b)(?:\w+\s+)+\**\w+(?:\s*=\s*-?\w+)?;\s*$)")


def second_place(landed: Landed) -> Iterator[Fault]:
    """Hunks whose old lines, with those around them, stand in the target more often than upstream.

    Comments and plain declarations are alike in many functions, and tell nothing where no other line is beside them:
    `int result = 0;` of 9634a627b330, the description of a parameter in 8051be5e614f.
    """
    for change in landed.upstream:
        if not any(telling(row) for row in change.removed):
            continue
        block = [squeezed(row) for row in landed.base_rows[max(0, change.old - 1) : change.old + len(change.removed) + 1]]
        if not any(telling(row) and not _COMMON.match(row) for row in block):
            continue
        if len(places(landed.ours, block)) > len(places(landed.base, block)):
            told = next(squeezed(row) for row in change.removed if telling(row))
            why = "the target has a second copy of what the patch changes"
            yield Fault(told.decode("utf-8", "replace"), change.old + 1, why)
        elif len(change.removed) == len(change.added) == 1:
            yield from _second_reader(landed, change)


_WORDS = re.compile(rb"->|\w+|[^\w\s]")
_READ = re.compile(rb"\w+->\w+")


def _second_reader(landed: Landed, change: Change) -> Iterator[Fault]:
    """The line keeps all its words and gets a mask or a check; the target reads the same member on a line of its own."""
    (old,), (new,) = change.removed, change.added
    words = iter(_WORDS.findall(blank_comments(new)))
    if not all(word in words for word in _WORDS.findall(old)) or not old.strip().startswith((b"return ", b"if (")):
        return
    for value in dict.fromkeys(_READ.findall(old)):
        read = re.compile(rb"\b" + re.escape(value) + rb"\b(?!\s*=[^=])")
        known = {squeezed(row) for row in landed.base_rows if value in row and read.search(row)}
        mine = [row for row in landed.ours_rows if value in row and read.search(row) and squeezed(row) not in known]
        if mine and len(known) == 1:
            yield Fault(
                value.decode("latin-1"), change.old + 1, "the target reads this in a second place, which upstream has not"
            )

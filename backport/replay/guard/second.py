"""A hunk must not fit a second place as well: where the target has a copy of the code that upstream has not, both need the patch.

Looked for is what the patch replaces, with a line on either side: where it stands more often in the target than upstream, one
of the places was left as it was, and which one is chance. Where none was left (see `rules/copies.py`), there is nothing to say.

An entry is its own: what stands alike in that of another device, option or level is no copy of it (the help of BLK_DEV_BSG that
14d9fa352592 changes; an entry of unusual_devs.h, e4813eec8d47). So it is with a #define, if upstream has the other one too, and
has it otherwise: another commit did that (SD_CPU_INIT beside SD_MC_INIT of 14800984706b).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backport.csource.tokens import blank_comments
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import Change, head, places, squeezed, telling

_COMMON = re.compile(rb"\s*(?:/[*/]|\*+(?:[\s/]|$)|(?!return\b|goto\b)(?:\w+\s+)+\**\w+(?:\s*=\s*-?\w+)?;\s*$)")

_LONGEST = 60  # lines of one entry
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+\w+")
_MADE = re.compile(rb"[A-Z]\w*\([^)]*$")


def second_place(landed: Landed) -> Iterator[Fault]:
    """Hunks whose old lines, with those around them, stand in the target more often than upstream.

    Comments and plain declarations are alike in many functions, and tell nothing where no other line is beside them:
    `int result = 0;` of 9634a627b330, the description of a parameter in 8051be5e614f.
    """
    for change in landed.upstream:
        if not any(telling(row) for row in change.removed):
            continue
        first = max(0, change.old - 1)
        block = [squeezed(row) for row in landed.base_rows[first : change.old + len(change.removed) + 1]]
        if not any(telling(row) and not _COMMON.match(row) for row in block):
            continue
        mine, known = places(landed.ours, block), places(landed.base, block)
        if len(mine) > len(known) and len(_copies(landed, change, mine, change.old - first)) > 1:
            if len(places(landed.result, block)) > len(places(landed.theirs, block)):
                told = next(squeezed(row) for row in change.removed if telling(row))
                why = "the target has a second copy of what the patch changes"
                yield Fault(told.decode("utf-8", "replace"), change.old + 1, why)
        elif len(change.removed) == len(change.added) == 1:
            yield from _second_reader(landed, change)


def _copies(landed: Landed, change: Change, places_of_it: list[int], offset: int) -> list[int]:
    """Those of some places in the target that are in no other entry than the one that the change is in upstream."""
    own = _entry(landed.base_rows, change.old, landed.upstream_path)
    if not own:
        return places_of_it
    others = {at: _entry(landed.ours_rows, at + offset, landed.path) for at in places_of_it}
    return [at for at, name in others.items() if name in (b"", own) or (name.startswith(b"#") and name not in landed.base)]


def _entry(lines: Sequence[bytes], line: int, path: bytes) -> bytes:
    """What names the entry, or the #define, that a line is in; empty where it is in none."""
    if b"Kconfig" in path:
        at = head(lines, line, path)
        return squeezed(lines[at]) if at >= 0 else b""
    at = line
    while at > 0 and line - at < _LONGEST and lines[at - 1].rstrip().endswith(b"\\"):
        at -= 1
    if found := _DEFINE.match(lines[at]):
        return found.group()
    if head(lines, line, path) >= 0:
        return b""
    while at > 0 and line - at < _LONGEST and lines[at][:1].isspace() and lines[at].strip():
        at -= 1
    return squeezed(lines[at]) if _MADE.match(lines[at]) else b""


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

"""A driver's version or date, which the patch sets anew and which is another one in the target: the target keeps its own.

Recognised: all that a hunk does is put another text into a `#define` or `MODULE_VERSION` whose name says that it is a version or
a date, line for line, and the target says something else there than upstream did before the patch. Safe because no code depends
on the text, and because upstream's is not true here: the target lacks what else was done under that number.
Example: a55ab496ea9c on 2.6.32.y (sata_via: delay at an ATAPI DMA write); of 581daf7e00c5 stable "took out version change".
"""

from __future__ import annotations

import re

from backport.replay.rules.edits import Edit, edit, hunk_by_hunk
from backport.replay.rules.lines import Hunk
from backport.replay.rules.place import Place, Placer
from backport.replay.rules.words import beside
from backport.replay.situation import Resolution, Situation

RULE = "versions"
_NAME = rb"#\s*define\s+\w*(?:VERSION|RELDATE|_DATE|_VER)(?:_STR|_STRING)?|MODULE_VERSION(?=\()"
_VERSION = re.compile(rb"\s*(" + _NAME + rb")[\s(]+(?:\"[^\"\n]*\"\s*)+\)?;?\s*(?:/\*.*\*/\s*)?$")
_MATTERS = re.compile(rb"FW|FIRM|UCODE|PROTO|API|ABI")  # what another program, or a device, is asked for by this text


def versions(situation: Situation) -> Resolution | None:
    """The target's file with its own versions, and with every other disputed hunk whose neighbours it has."""
    return hunk_by_hunk(situation, RULE, (_kept, beside), (_kept,))


def _kept(finder: Placer, hunk: Hunk) -> Edit | None:
    frame = finder.frame
    old, new = frame.base[hunk.a : hunk.b], frame.theirs[hunk.c : hunk.d]
    at = [frame.at(i) for i in range(hunk.a, hunk.b)]
    if not at or at != list(range(at[0], at[0] + len(at))) or at[0] < 0 or len(old) != len(new):
        return None
    mine = frame.ours[at[0] : at[-1] + 1]
    if all(i >= 0 for i in frame.there[hunk.a : hunk.b]) or not all(map(_name, old)):
        return None
    if not [_name(row) for row in old] == [_name(row) for row in mine] == [_name(row) for row in new]:
        return None
    place = Place(hunk, at[0], at[-1] + 1, "near", True, ("line-for-line",))
    return edit(place, mine, "this is the target's own version, which is not upstream's")


def _name(row: bytes) -> bytes:
    """What a line gives a version or a date to; empty where it does not."""
    found = _VERSION.match(row)
    return b" ".join(found[1].split()) if found and not _MATTERS.search(found[1]) else b""

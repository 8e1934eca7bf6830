"""A line that may stand only once must not stand twice: an #include, a #define, a case, an entry of a list.

The target has the line already, elsewhere in the file: taken from a later commit, or added by its own people in another
place of the list. The merge adds upstream's as well. Only lines of a kind that is never repeated are looked at, and only where
upstream itself has one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import squeezed

_ONCE = re.compile(
    rb'#\s*include\s*[<"]'
    rb"|EXPORT_SYMBOL(?:_GPL)?\("
    rb"|MODULE_(?:LICENSE|ALIAS|AUTHOR|DEVICE_TABLE|FIRMWARE)\("
    rb"|obj-\S+\s*[+:]?=\s*\S+\.o$"
    rb"|(?:menu)?config\s+\w+$|source\s+\""
    rb"|\{.*0x[0-9a-fA-F]{3}.*\},?$"
    rb"|(?:extern|static)\b[^=]*\)\s*;$"
)


def doubled(landed: Landed) -> Iterator[Fault]:
    """Lines that the patch adds, that the target had already, and that upstream has once."""
    for change in landed.upstream:
        for number, row in enumerate(change.added, change.new + 1):
            if not _ONCE.match(squeezed(row)) or not landed.seen(row)[1]:
                continue
            _, ours, theirs, result = landed.counts(row)
            if ours and theirs == 1 and result > ours:
                yield Fault(_shown(row), number, "the target has this line already, and one is enough")


def _shown(row: bytes) -> str:
    return squeezed(row).decode("utf-8", "replace")

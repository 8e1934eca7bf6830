"""What may stand only once must not stand twice: an #include, a #define, an entry of a list, a block of a function.

The target has the line already, elsewhere in the file: taken from a later commit, or added by its own people in another
place of the list. The merge adds upstream's as well. Of single lines only those of a kind that is never repeated are looked
at, and only where upstream itself has one of them; of others, three together. 791b7f089548 on 2.6.27.y brings to
mpage_da_submit_io() the lines by which a loop goes on to the next page; the function has them there already, a little higher.
The way out of a function and the entries of a table may stand there often (46256f83d0d0, 7a1d602f5fc3 on 2.6.32.y).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import head, name_of, places, shown, squeezed, telling

_ONCE = re.compile(
    rb'#\s*include\s*[<"]'
    rb"|EXPORT_SYMBOL(?:_GPL)?\("
    rb"|MODULE_(?:LICENSE|ALIAS|AUTHOR|DEVICE_TABLE|FIRMWARE)\("
    rb"|obj-\S+\s*[+:]?=\s*\S+\.o$"
    rb"|(?:menu)?config\s+\w+$|source\s+\""
    rb"|\{.*0x[0-9a-fA-F]{3}.*\},?$"
    rb"|(?:extern|static)\b[^=]*\)\s*;$"
)

_BLOCK = 3  # lines that stand together twice by no chance, if two of them say what is done
_EXIT = re.compile(rb"(?:goto|return|break|continue|else)\b|\w+ = -E\w+;|\W*$|\} else\b")


def doubled(landed: Landed) -> Iterator[Fault]:
    """Lines that the patch adds, that the target had already, and that upstream has once."""
    for change in landed.upstream:
        for number, row in enumerate(change.added, change.new + 1):
            if not _ONCE.match(squeezed(row)) or not landed.seen(row)[1]:
                continue
            _, ours, theirs, result = landed.counts(row)
            if ours and theirs == 1 and result > ours:
                yield Fault(shown(row), number, "the target has this line already, and one is enough")


def doubled_blocks(landed: Landed) -> Iterator[Fault]:
    """Blocks that the patch adds to a function which has them already, and has them once upstream."""
    if not landed.is_c:
        return
    for change in landed.here:
        block = [squeezed(row) for row in change.added]
        for at in range(len(block) - _BLOCK + 1):
            three = block[at : at + _BLOCK]
            done = [row for row in three if telling(row) and not _EXIT.match(row)]
            if len(done) < _BLOCK - 1 or not all(three) or not all(landed.seen(row)[1] for row in three):
                continue
            top = head(landed.result_rows, change.new + at)
            name = name_of(landed.result_rows[top]) if top >= 0 and b"=" not in landed.result_rows[top] else ""
            base, ours, theirs, result = landed.held(three, name) if name else (0, 0, 0, 0)
            if ours > base and result > max(ours, theirs):
                line = places(landed.theirs, three)[:1] or [-1]
                yield Fault(shown(three[0]), line[0] + 1, f"{name} in the target does this already, which upstream's does not")
                break

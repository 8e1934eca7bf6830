"""What was C before must be C after: the functions that the patch changes are parsed as the target had them, and as they became.

A merge can join the halves of two statements, or lose a brace of an `if` that only one side has. Not looked at is a function that
became upstream's own, byte for byte, nor a table of which neither upstream's nor the target's text parses clean: macros are not
ours to judge, and each entry that one makes counts (ioctl_start[] of 2.6.27 has a thousand, 69130c7cf96e adds one).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backport.csource.parse import faults
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import head, squeezed

_LONGEST = 60_000  # bytes of one function


def parses_worse(landed: Landed) -> Iterator[Fault]:
    """Functions in which the parser finds more that is no C than it does in upstream's and in the target's."""
    if not landed.path.endswith(b".c"):
        return
    seen: set[bytes] = set()
    for change in landed.here:
        top = head(landed.result_rows, change.new)
        if top < 0 or squeezed(landed.result_rows[top]) in seen:
            continue
        key = squeezed(landed.result_rows[top])
        seen.add(key)
        made = _body(landed.result_rows, top)
        theirs, ours = _same(landed.theirs, key), _same(landed.ours, key)
        if made in (theirs, ours) or not theirs or not ours or len(made) > _LONGEST:
            continue
        known = _faults(theirs), _faults(ours)
        if b"=" in key and all(known):
            continue
        if (count := _faults(made)) and count > max(known):
            yield Fault(key.decode("utf-8", "replace"), top + 1, "the merged function is no C any more")


def _body(lines: Sequence[bytes], top: int) -> bytes:
    """From a head to the closing brace in column one."""
    end = next((at for at in range(top + 1, len(lines)) if lines[at][:1] == b"}"), len(lines) - 1)
    return b"".join(lines[top : end + 1])


def _same(text: bytes, key: bytes) -> bytes:
    """The function with the same head line on another side, to the closing brace in column one."""
    text, word = b"\n%s\n" % text, b"\n" + key.split(b" ", 1)[0]
    at = text.find(word) + 1
    while at and squeezed(text[at : text.index(b"\n", at)]) != key:
        at = text.find(word, at) + 1
    if not at:
        return b""
    brace = text.find(b"\n}", at) + 1
    end = text.find(b"\n", brace) + 1 if brace else 0
    return text[at : end if 0 < end < len(text) else -1]


def _faults(text: bytes) -> int:
    return len(faults(text))

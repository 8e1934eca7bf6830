"""A `goto` that a patch adds must have its label in the function in which it landed.

The target's function may leave by `return` where upstream's has an `out:`, and a label of that name elsewhere is no use. Drift
looks for labels only where it is sure where a line lands; here the result is at hand.

And the label must lead to the same work. e42dee9a99a3 on 2.6.32.y adds `goto out` to hidraw_write, whose `out:` frees a buffer
there that is not yet made; upstream's gives a lock back, and frees behind another label. Compared is what is called between a
label and the end of the function. Wrong where the target does the same work under another name; so a name that the
other side's function does not have at all is no fault, and one that it has elsewhere is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from backport.csource.tokens import KEYWORDS
from backport.csource.uses import functions_of
from backport.replay.guard.landed import Fault, Landed

_CALL = re.compile(rb"\b([A-Za-z_]\w*)[ \t]*\(")
_ALWAYS = re.compile(rb"^(?:\t| {1,8})(?!if\b|else\b|for\b|while\b|switch\b|case\b)(\w.*)$", re.M)
_GOTO = re.compile(rb"\bgoto\s+([A-Za-z_]\w*)\s*;")


def absent_labels(landed: Landed) -> Iterator[Fault]:
    """Labels that added lines jump to and that the function does not have, nor had to have before the patch.

    A label that a macro makes is not seen: where the target's function jumped there already, it is believed.
    """
    added = {name for change in landed.here for row in change.added for name in _GOTO.findall(row)}
    if not added or not landed.is_c:
        return
    before: dict[bytes, set[bytes]] = {}
    for function, code in functions_of(landed.ours):
        before.setdefault(function, set()).update(_GOTO.findall(code))
    for function, code in functions_of(landed.result):
        where = function.decode("ascii", "replace")
        for label in sorted(added.intersection(_GOTO.findall(code)) - before.get(function, set())):
            if not _behind(code, label):
                yield Fault(label.decode("ascii"), _line(landed, label), f"{where} has no such label")


def other_labels(landed: Landed) -> Iterator[Fault]:
    """Labels that added lines jump to, behind which one side does what the other's function does elsewhere."""
    added = {name for change in landed.here for row in change.added for name in _GOTO.findall(row)}
    if not added or not landed.is_c:
        return
    theirs = dict(functions_of(landed.theirs))
    before = {function: Counter(_GOTO.findall(code)) for function, code in functions_of(landed.ours)}
    for function, code in functions_of(landed.result):
        jumps, upstream = Counter(_GOTO.findall(code)) - before.get(function, Counter()), theirs.get(function, b"")
        for label in sorted(added & jumps.keys()):
            there, here = _behind(upstream, label), _behind(code, label)
            if there and here and (work := _differing(upstream, there, code, here)):
                names = b", ".join(sorted(work)).decode("ascii", "replace")
                why = f"what is done behind this label differs from upstream: {names}"
                yield Fault(label.decode("ascii"), _line(landed, label), why)


def _differing(upstream: bytes, there: bytes, code: bytes, here: bytes) -> set[bytes]:
    """What is called in any case behind one of two labels, and not behind the other, though both functions call it.

    What an `if` guards is left out: the target's function of 4224489f45b5 tells of its success behind the label.
    """
    both = set(_CALL.findall(upstream)) & set(_CALL.findall(code)) - KEYWORDS
    more = {name for row in _ALWAYS.findall(here) for name in _CALL.findall(row)} - set(_CALL.findall(there))
    less = {name for row in _ALWAYS.findall(there) for name in _CALL.findall(row)} - set(_CALL.findall(here))
    return (more | less) & both


def _behind(code: bytes, label: bytes) -> bytes:
    """A function from a label on, empty where it has none."""
    found = re.search(rb"(?m)(?:^|[;{}])[ \t]*" + label + rb"[ \t]*:(?!:)", code)
    return code[found.start() :] if found else b""


def _line(landed: Landed, label: bytes) -> int:
    """The upstream line that jumps there."""
    rows = ((number, row) for change in landed.upstream for number, row in enumerate(change.added, change.new + 1))
    return next((number for number, row in rows if label in _GOTO.findall(row)), 0)

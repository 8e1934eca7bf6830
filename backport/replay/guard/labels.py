"""A `goto` that a patch adds must have its label in the function in which it landed.

The target's function may leave by `return` where upstream's has an `out:`, and a label of that name elsewhere is no use. Drift
looks for labels only where it is sure where a line lands; here the result is at hand. What stands behind a label is not
compared: e42dee9a99a3 on 2.6.32.y adds `goto out` to hidraw_write, whose `out:` frees a buffer there that is not yet made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.csource.uses import functions_of
from backport.replay.guard.landed import Fault, Landed

_GOTO = re.compile(rb"\bgoto\s+([A-Za-z_]\w*)\s*;")


def absent_labels(landed: Landed) -> Iterator[Fault]:
    """Labels that added lines jump to and that the function does not have, nor had to have before the patch.

    A label that a macro makes is not seen: where the target's function jumped there already, it is believed.
    """
    added = {name for change in landed.here for row in change.added for name in _GOTO.findall(row)}
    if not added or not landed.path.endswith((b".c", b".h")):
        return
    before: dict[bytes, set[bytes]] = {}
    for function, code in functions_of(landed.ours):
        before.setdefault(function, set()).update(_GOTO.findall(code))
    for function, code in functions_of(landed.result):
        where = function.decode("ascii", "replace")
        for label in sorted(added.intersection(_GOTO.findall(code)) - before.get(function, set())):
            if not re.search(rb"(?m)(?:^|[;{}])[ \t]*" + label + rb"[ \t]*:(?!:)", code):
                yield Fault(label.decode("ascii"), _line(landed, label), f"{where} has no such label")


def _line(landed: Landed, label: bytes) -> int:
    """The upstream line that jumps there."""
    rows = ((number, row) for change in landed.upstream for number, row in enumerate(change.added, change.new + 1))
    return next((number for number, row in rows if label in _GOTO.findall(row)), 0)

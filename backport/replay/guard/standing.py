"""An added line must stand under the same #if, in the same `case` and on the same side of a lock as it does upstream.

The lines beside it do not say so: what opens the condition, the case or the lock stands further up, and the target may have it
elsewhere. Compared is a line that the patch adds with the same line upstream, in the function of that name: the conditions open
between its head and the line (their number: their wording changes), the labels of the innermost case (where the other side's
function has them as well), and, of each lock that both functions take and give back equally often, how often that is before the
line. Also how many braces are open, but where a rule has put lines for others: it looks at that itself. None of the 2,100 files
of real backports that this was tried on differs in one of these, lands, and is right; a suggestion that does is that for
87bf6e7de113 on 2.6.32.y, whose line in kvm_vm_ioctl_get_dirty_log() is behind `mmu_lock` there. Nothing is said of a lock that
one side does not have at all: mostly the line needs none there (irda_bind() in 628e300cccaa).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import foot, head, name_of, shown, squeezed, telling
from backport.replay.rules.layout import ELSE

_CONDITION = re.compile(rb"\s*#\s*(if|ifdef|ifndef|endif)\b\s*(.*)")
_CASE = re.compile(rb"\s*(case\b[^:]*|default\s*):(?!:)")
_COMMENT = re.compile(rb"\s*(?:/\*|\*|//)")
_CALL = re.compile(rb"\b(\w++)\s*\(\s*([^,;()]*)")
_LOCKS = re.compile(rb"(?:raw_)?((?:\w*_)?(?:un)?lock(?:_\w+?)?|(?:down|up)(?:_\w+)?)(?:_irq\w*|_bh)?")
_ASKS = re.compile(rb"init|held|assert|is_|try|dep|class|owner|name|address")


@dataclass(frozen=True, slots=True)
class _Standing:
    """Of one line: its function, its depth, the conditions and the case that it is under, the locks before it and in all."""

    name: str
    depth: int
    conditions: frozenset[bytes]
    case: frozenset[bytes]
    cases: frozenset[bytes]
    before: Counter[bytes]
    locks: Counter[bytes]


def stands_otherwise(landed: Landed) -> Iterator[Fault]:
    """Added lines that are under another condition, case or lock than upstream: the first and last of each change."""
    if not landed.is_c:
        return
    for change in landed.here:
        known = [(n, row) for n, row in enumerate(change.added, change.new) if telling(row) and squeezed(row) in landed.spots]
        shifts = landed.by_rule and (bool(change.removed) or bool(ELSE.match(change.added[0] if change.added else b"")))
        for number, row in dict.fromkeys([*known[:1], *known[-1:]]):
            lines = landed.spots[squeezed(row)]
            here = _standing(landed.result_rows, number)
            found = [_standing(landed.theirs_rows, line) for line in lines]
            there = [one for one in found if one is not None and here is not None and one.name == here.name]
            faults = [why for one in there if here is not None and (why := _difference(here, one, row, shifts))]
            if there and len(faults) == len(there):
                yield Fault(shown(row), lines[0] + 1, faults[0])
                break


def _difference(here: _Standing, there: _Standing, row: bytes, shifts: bool) -> str:
    """In what a line stands otherwise than upstream, '' where in nothing."""
    if here.depth != there.depth and not shifts:
        return f"it is {abs(here.depth - there.depth)} deeper {'in the target' if here.depth > there.depth else 'upstream'}"
    if len(here.conditions) != len(there.conditions):
        more = here.conditions - there.conditions or there.conditions - here.conditions
        where = "in the target" if len(here.conditions) > len(there.conditions) else "upstream"
        return f"it is under {_shown(min(more))} {where} alone"
    apart = not here.case & there.case and here.case <= there.cases and there.case <= here.cases
    if apart and here.case != there.case and not _CASE.match(row):
        return f"it is in {_told(here.case)} in the target, and in {_told(there.case)} upstream"
    for lock, number in there.locks.items():
        if here.locks[lock] == number and here.before[lock] != there.before[lock]:
            return f"it is on the other side of {_shown(lock)} in the target"
    return ""


def _standing(lines: Sequence[bytes], line: int) -> _Standing | None:
    top = head(lines, line)
    if top < 0:
        return None
    end = foot(lines, line)
    every = frozenset(squeezed(found[1]) for row in lines[top:end] if b":" in row and (found := _CASE.match(row)))
    case = _case(lines, top, line) if every else every
    before = _locks(lines[top:line])
    locks = before + _locks(lines[line:end])
    depth = _depth(lines[top:line])
    return _Standing(name_of(lines[top]), depth, _conditions(lines[top:line]), case, every, before, locks)


def _depth(lines: Sequence[bytes]) -> int:
    """How many braces are open behind some lines, of which the first is no part of a comment."""
    plain = blank(b"".join(lines))
    return plain.count(b"{") - plain.count(b"}")


def _conditions(lines: Sequence[bytes]) -> frozenset[bytes]:
    """What is open behind some lines of #if; which branch of it is not told."""
    opened: list[bytes] = []
    for row in lines:
        if b"#" in row and (found := _CONDITION.match(row)):
            if found[1] != b"endif":
                opened.append(b"#%b %b" % (found[1], squeezed(found[2])))
            elif opened:
                opened.pop()
    return frozenset(opened)


def _case(lines: Sequence[bytes], top: int, line: int) -> frozenset[bytes]:
    """The labels, one below the other, of the case that a line is in; empty where its innermost braces are no switch's."""
    found: list[bytes] = []
    depth = 0
    for at in range(line - 1, top, -1):
        row = lines[at]
        label = _CASE.match(row) if depth == 0 else None
        if label is not None:
            found.append(squeezed(label[1]))
        elif found and row.strip():
            break
        depth += row.count(b"}") - row.count(b"{")
        if depth < 0:
            break
    return frozenset(found)


def _locks(lines: Sequence[bytes]) -> Counter[bytes]:
    """The locks that lines take and give back, each as a call, however it treats interrupts."""
    found: Counter[bytes] = Counter()
    for row in lines:
        if (b"lock" in row or b"down" in row or b"up" in row) and not _COMMENT.match(row):
            for name, what in _CALL.findall(row):
                if (lock := _LOCKS.fullmatch(name)) and not _ASKS.search(name):
                    found[b"%b(%b)" % (lock[1], squeezed(what))] += 1
    return found


def _told(labels: frozenset[bytes]) -> str:
    return _shown(b", ".join(sorted(labels))) or "no case"


def _shown(words: bytes) -> str:
    return words.decode("utf-8", "replace")

"""Where a hunk belongs in the target: found from the lines that it takes away, or from those around what it adds.

What git calls a conflict is mostly no dispute at all: the patch changes a line, and the line beside it reads differently in the
target. Each way of finding a place says how (`how`), and is sure only where it leaves no choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.replay.rules.frame import Frame
from backport.replay.rules.layout import ELSE, TELLING, balance, indent, margin
from backport.replay.rules.likewise import copies, goes_with_if, order_is_free, same_body, shifted
from backport.replay.rules.lines import Hunk, slides
from backport.replay.rules.shape import Shape

_HANGING = re.compile(rb"(?:^|\W)(?:if|for|while|switch|else|do)\b[^;{}]*$|\w*for_?each\w*\b[^;{}]*$|[^;{}:,>)\\/\"\w]$")
_GOTO = re.compile(rb"\bgoto\s+(\w+)\s*;")
_LABEL = re.compile(rb"^\s*(\w+):")
_VALUE = rb"[*(]*\w[\w.>\[\]()*&-]*"
_RUNS = re.compile(rb"^\s*(?:" + _VALUE + rb"\s*(?:[-+*/|&^%]|<<|>>)?=[^=].*|\w+\s*\(.*|" + _VALUE + rb"(?:\+\+|--)\s*);\s*$")
_INCLUDE = re.compile(rb"^\s*(?:#\s*include\b.*)?$")
STANDING = ("same-function", "same-depth", "same-comment")
_RENAMED = ("renamed-function", "same-depth", "same-comment")
_SHIFTED = ("same-function", "same-comment")


@dataclass(frozen=True, slots=True)
class Place:
    """Target lines `x`..`y` (0-based, end excluded) that stand for what `hunk` takes away; empty where it only adds.

    `how`: "lines" (they are the same lines), "beside" (so are both neighbours), "between" (both neighbours are known and nothing
    is between them), "else" (it goes with an `if`), "before" and "after" (one of them is), "gap" (none is, but what is around
    them), "near" (the lines read differently). `sure` is false where another place would do as well, or where it stands otherwise
    than upstream (see `STANDING` for what is compared, and `likewise`).
    """

    hunk: Hunk
    x: int
    y: int
    how: str
    sure: bool
    checks: tuple[str, ...] = ()

    @property
    def at_home(self) -> bool:
        """Whether it is in upstream's function, or in one that has only another name."""
        return "same-function" in self.checks or "renamed-function" in self.checks


@dataclass(frozen=True, slots=True)
class Placer:
    """Finds places in one file: the frame, and the shapes of upstream's old version and of the target's."""

    frame: Frame
    before: Shape
    here: Shape

    def place(self, hunk: Hunk) -> Place | None:
        """The place of a hunk; None where nothing leads to one."""
        if hunk.a != hunk.b:
            return self._replacement(hunk)
        frame = self.frame
        found = [p for slid in slides(frame.base, frame.theirs, hunk) if (p := self._between(slid)) is not None]
        beside = [p for p in found if p.how == "beside" and p.sure]
        if beside:
            rivals = [*beside, *(p for p in found if p.how in ("before", "after") and p.at_home)]
            if self._alike(rivals):
                return beside[0]
            if self._follows(hunk, rivals[0].x):
                first = min(rivals, key=lambda p: p.x)
                free = first.sure and order_is_free(frame, self.here, first.hunk, first.x)
                return first if free else _doubted(first)
            return _doubted(max(rivals, key=lambda p: p.x))
        best = min(found, key=lambda p: (not p.sure, not p.at_home, p.hunk != hunk), default=None)
        if goes_with_if(frame, hunk):
            up = frame.there[hunk.a - 1] + 1
            return self._made(hunk, up, up, "else", True, "same-if")
        if best is not None and best.how == "before" and self._follows(best.hunk, best.x):
            best = self._between(best.hunk, follow=True)
        if best is not None and best.at_home:
            return _doubted(best) if self._known_elsewhere(best) else best
        astray = self._astray(hunk.a - 1, hunk.a + 1)
        return self._made(hunk, astray + 1, astray + 1, "beside", True, "neighbours") if astray >= 0 else best

    def _known_elsewhere(self, place: Place) -> bool:
        """Whether a telling line next to the hunk, thought absent, stands elsewhere in the function: then so may the place."""
        frame, hunk = self.frame, place.hunk
        lines = {
            frame.keys[i]
            for i in range(max(0, hunk.a - 2), min(len(frame.base), hunk.b + 2))
            if frame.at(i) < 0 and TELLING.search(frame.base[i])
        }
        holder = self.here.holder(place.x)
        return any(key in lines and self.here.holder(at) == holder for at, key in enumerate(frame.our_keys))

    def _astray(self, a: int, b: int) -> int:
        """The target's line at which the base lines a..b stand all the same, though no order leads there; -1 unless at one.

        In the same function; and at least one line must tell. It may be another copy of the code that is meant, where the target
        has changed this one: asked only where nothing else leads to a place (a666e3e6098a: cases of a switch are alike).
        """
        frame = self.frame
        if a < 0 or b > len(frame.base) or not any(TELLING.search(row) for row in frame.base[a:b]):
            return -1
        wanted, name = frame.keys[a:b], self.before.holder(a)
        if not name:
            return -1
        size = b - a
        found = [
            at
            for at, key in enumerate(frame.our_keys)
            if key == wanted[0] and self.here.holder(at) == name and list(frame.our_keys[at : at + size]) == list(wanted)
        ]
        return found[0] if len(found) == 1 else -1

    def standing(self, hunk: Hunk, x: int) -> tuple[str, ...]:
        """What of `STANDING` is the same for a hunk in the base and a target line.

        "renamed-function" where upstream's function is not in the target and the target's is not upstream's, but the lines are.
        """
        held = Shape.around if hunk.a == hunk.b else Shape.holder
        was, now = held(self.before, hunk.a), held(self.here, x)
        found = ["same-function"] if was == now else []
        if was and now and was not in self.here.names and now not in self.before.names:
            found = ["renamed-function"]
        found += ["same-depth"] if self.before.depth(hunk.a) == self.here.depth(x) else []
        found += ["same-comment"] if self.before.in_comment(hunk.a) == self.here.in_comment(x) else []
        return tuple(found)

    def _made(self, hunk: Hunk, x: int, y: int, how: str, sure: bool, *checks: str) -> Place:
        passed = self.standing(hunk, x)
        alike = (
            passed == STANDING
            or (passed == _RENAMED and same_body(self.frame, self.before, self.here, hunk, x))
            or (passed == _SHIFTED and how == "lines" and shifted(self.frame, self.before, self.here, hunk, x))
        )
        return Place(hunk, x, y, how, sure and alike and self._labelled(hunk, x), (*checks, *passed))

    def _labelled(self, hunk: Hunk, x: int) -> bool:
        """Whether every label that the added lines jump to is the target's too, or the patch's own (e42dee9a99a3)."""
        wanted = {label for row in self.frame.theirs[hunk.c : hunk.d] for label in _GOTO.findall(row)}
        if not wanted:
            return True
        old = _labels(self.frame.base, self.before, self.before.holder(hunk.a))
        return not (wanted & old) - _labels(self.frame.ours, self.here, self.here.holder(x))

    def _alike(self, places: Sequence[Place]) -> bool:
        """Whether all places give the same text: a change with its edges moved over equal lines is the same change.

        If not, the target has lines of its own there, and which come first is a question (see `_follows`).
        """

        def text(p: Place) -> list[bytes]:
            low, high = min(q.x for q in places), max(q.x for q in places)
            return [*self.frame.ours[low : p.x], *self.frame.theirs[p.hunk.c : p.hunk.d], *self.frame.ours[p.x : high]]

        return all(text(p) == text(places[0]) for p in places[1:])

    def _follows(self, hunk: Hunk, x: int) -> bool:
        """Whether added lines had better stay with what comes before them upstream than with what comes after; a guess.

        So it is with an `else` (3dd823e6b864), and with members and entries of tables (9c047157a205, 3e3ede7dda2d). Elsewhere
        the target's own lines go first: they are mostly what upstream took away later (f8313ef1f448, 84061e07c5fb).
        """
        added = [row for row in self.frame.theirs[hunk.c : hunk.d] if row.strip()]
        code = [row for row in blank(b"".join(added)).split(b"\n") if row.strip()]
        if code and ELSE.match(code[0]):
            return True
        return bool(self.here.around(x)) and not any(_RUNS.match(row) for row in code)

    def _between(self, hunk: Hunk, follow: bool = False) -> Place | None:
        """The gap of the target in which the added lines belong, and where in it: at its end, or its beginning to `follow`."""
        frame, at = self.frame, hunk.a
        up = frame.at(at - 1) if at else -1
        down = frame.at(at) if at < len(frame.base) else len(frame.ours)
        known_up, known_down = at == 0 or up >= 0, down >= 0
        if known_up and known_down and down == up + 1:
            exact = (at == 0 or frame.there[at - 1] >= 0) and (at == len(frame.base) or frame.there[at] >= 0)
            return self._made(hunk, down, down, "beside" if exact else "near", True, "neighbours")
        first, last = at, at
        while first > 0 and frame.at(first - 1) < 0:
            first -= 1
        while last < len(frame.base) and frame.at(last) < 0:
            last += 1
        x = frame.at(first - 1) + 1 if first else 0
        y = frame.at(last) if last < len(frame.base) else len(frame.ours)
        if x > y:
            return None
        if x == y:
            return self._made(hunk, x, x, "between", self._settled(hunk, first, last, x), "neighbours")
        if known_up and known_down and follow:
            return self._made(hunk, x, x, "after", False)
        if known_down or (not known_up and last - at <= at - first):
            return self._made(hunk, y, y, "before" if known_down else "gap", False)
        return self._made(hunk, x, x, "after" if known_up else "gap", False)

    def _settled(self, hunk: Hunk, first: int, last: int, x: int) -> bool:
        """Whether the one gap of the target is a proof, though the base lines first..last around the hunk are not in it.

        It is none where the lines that bound it are only alike (e15276a4b220: which declaration comes first); where what comes
        before upstream is half a statement, or one that runs: mutex_lock() in e42dee9a99a3, without which the added lines run in
        another state; nor at file level, where any place is as good, of includes excepted (d7b0b5eb3000, c41d68a513c7).
        """
        frame = self.frame
        known = (first == 0 or frame.there[first - 1] >= 0) and (last == len(frame.base) or frame.there[last] >= 0)
        above, added = frame.base[first : hunk.a], frame.theirs[hunk.c : hunk.d]
        if not known or balance(above) != (0, 0) or (above and _HANGING.search(blank(above[-1]).strip())):
            return False
        if self.here.names and not self.here.around(x):
            return all(_INCLUDE.match(row) for row in added)
        level = min((indent(row) for row in added if row.strip()), default=0)
        return not any(_RUNS.match(row) and indent(row) <= level for row in blank(b"".join(above)).split(b"\n"))

    def _replacement(self, hunk: Hunk) -> Place | None:
        frame = self.frame
        for slid in slides(frame.base, frame.theirs, hunk):
            spots = [frame.there[i] for i in range(slid.a, slid.b)]
            if spots[0] >= 0 and spots == list(range(spots[0], spots[0] + len(spots))):
                sure = self._laid_alike(slid, spots[0]) and self._meant(slid, spots[0])
                return self._made(slid, spots[0], spots[-1] + 1, "lines", sure, "same-lines")
        astray = self._astray(hunk.a, hunk.b)
        if astray >= 0:
            alike = self._laid_alike(hunk, astray)
            return self._made(hunk, astray, astray + hunk.b - hunk.a, "lines", alike, "same-lines")
        x, y = self._edge(hunk.a, -1), self._edge(hunk.b - 1, 1)
        if x < 0 or y < 0 or x > y:
            return None
        each = [frame.at(i) for i in range(hunk.a, hunk.b)] == list(range(x, y))
        return self._made(hunk, x, y, "near", each, *(("line-for-line",) if each else ()))

    def _meant(self, hunk: Hunk, x: int) -> bool:
        """Whether the lines that go stand in the target's function no more often than in upstream's: else it may be a copy."""
        frame = self.frame
        if any(frame.our_keys.count(key) == 1 for key in frame.keys[hunk.a : hunk.b]):
            return True
        there, here = copies(frame, self.before, self.here, hunk, x)
        return here <= there

    def encloses(self, a: int, b: int, x: int, y: int) -> bool:
        """Whether the base lines a..b and the target's x..y lie between the same lines (or nearly), and stand in the same."""
        frame = self.frame
        up = frame.at(a - 1) == x - 1 if a else x == 0
        down = frame.at(b) == y if b < len(frame.base) else y == len(frame.ours)
        return up and down and self.standing(Hunk(a, b, 0, 0), x) == STANDING

    def _laid_alike(self, hunk: Hunk, x: int) -> bool:
        """Whether the target indents what a hunk takes away as upstream does, tabs aside: else what is new cannot be laid out.

        3bad28ec006a replaces a line of a macro that begins with a tab upstream, and with two blanks in the target.
        """
        ours = self.frame.ours
        return all(margin(row) == margin(ours[x + i]) for i, row in enumerate(self.frame.base[hunk.a : hunk.b]))

    def _edge(self, line: int, step: int) -> int:
        """The target's line where the block that begins (or ends) with a base line begins (or ends); -1 for none."""
        frame, shift = self.frame, 0 if step < 0 else 1
        if frame.at(line) >= 0:
            return frame.at(line) + shift
        beside = line + step
        if beside < 0:
            return 0
        if beside >= len(frame.base):
            return len(frame.ours)
        return frame.at(beside) + 1 - shift if frame.at(beside) >= 0 else -1


def _doubted(place: Place) -> Place:
    return Place(place.hunk, place.x, place.y, place.how, False, place.checks)


def _labels(lines: Sequence[bytes], form: Shape, function: bytes) -> set[bytes]:
    return {label for at, row in enumerate(lines) for label in _LABEL.findall(row) if form.holder(at) == function}

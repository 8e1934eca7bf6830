"""From places to a resolution: what every rule of the ladder does once it knows where its hunks go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.git.merge import rows
from backport.model.evidence import Evidence
from backport.replay.rules.frame import Block, Frame, laid
from backport.replay.rules.layout import indent, tabs
from backport.replay.rules.lines import Hunk, hunks
from backport.replay.rules.place import Place, Placer
from backport.replay.rules.shape import shape
from backport.replay.situation import Resolution, Situation

Texts = Mapping[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Edit:
    """Target lines `x`..`y` that become `lines`, and where that is from: the base line `a` (all 0-based)."""

    x: int
    y: int
    lines: tuple[bytes, ...]
    a: int
    why: str = ""
    sure: bool = True
    checks: tuple[str, ...] = ()


def framed(situation: Situation) -> Frame | None:
    """The frame of a situation that is about content; None where it is not, or where it cannot be read as lines."""
    if situation.base is None or situation.ours is None or situation.theirs is None:
        return None
    return laid(situation.base, situation.ours, situation.theirs)


def placer(situation: Situation, frame: Frame) -> Placer:
    """What finds the places of a situation's hunks."""
    return Placer(frame, shape(situation.path, situation.base or b""), shape(situation.path, situation.ours or b""))


Way = Callable[[Placer, Hunk], Edit | None]
"""One way of settling a hunk; None where it does not apply."""


def hunk_by_hunk(situation: Situation, rule: str, ways: Sequence[Way], needed: Sequence[Way] = ()) -> Resolution | None:
    """The target's file with every disputed hunk settled by the first of some ways that applies.

    None where none does for one of them, or where none of the `needed` ways was of use: then another rule says as much.
    """
    frame = framed(situation)
    if frame is None:
        return None
    finder = placer(situation, frame)
    edits: list[Edit] = []
    used: set[Way] = set()
    for hunk in (hunk for block in disputed(frame) for hunk in block.hunks):
        made = next(((way, found) for way in ways if (found := way(finder, hunk)) is not None), None)
        if made is None:
            return None
        used.add(made[0])
        edits.append(made[1])
    return resolution(situation, rule, frame, edits) if used.intersection(needed or ways) else None


def disputed(frame: Frame) -> list[Block]:
    """The blocks that need a rule: all, where none seems to, for git gave up on the file: it may have matched other lines."""
    return [block for block in frame.blocks if not block.clean] or list(frame.blocks)


def clean_edits(frame: Frame, asked: Sequence[Block]) -> list[Edit]:
    """What a three-way merge does by itself: all but the blocks that a rule is asked about."""
    found = []
    for block in frame.blocks:
        for hunk in block.hunks if block not in asked else ():
            at = frame.there[hunk.a - 1] + 1 if hunk.a else 0
            found.append(Edit(at, at + hunk.b - hunk.a, tuple(frame.theirs[hunk.c : hunk.d]), hunk.a))
    return found


def edit(found: Place, lines: Sequence[bytes], why: str, sure: bool = True) -> Edit:
    """An edit at a place, as sure as the place is."""
    return Edit(found.x, found.y, tuple(lines), found.hunk.a, why, sure and found.sure, found.checks)


def indented(frame: Frame, found: Place) -> tuple[bytes, ...]:
    """The lines that a hunk adds, as deep as the target has what it takes away, or the lines beside it.

    Only where all of these are shifted by the same number of tabs (8e1e8a4779cb adds a branch to an `if` that is one deeper), or
    of blanks in their stead, which e2434dc1c194 replaces by tabs.
    """
    hunk = found.hunk
    lines = tuple(frame.theirs[hunk.c : hunk.d])
    gone = range(hunk.a, hunk.b) if found.how == "lines" else ()
    at = {i: found.x + i - hunk.a for i in gone} or {i: frame.there[i] for i in (hunk.a - 1, hunk.b) if 0 <= i < len(frame.base)}
    shifts = {indent(frame.ours[j]) - indent(frame.base[i]) for i, j in at.items() if j >= 0 and frame.base[i].strip()}
    columns = shifts.pop() if len(shifts) == 1 else 0
    shift = columns // 8
    if not columns or columns % 8 or any(row.strip() and tabs(row) + shift < 0 for row in lines):
        return lines
    return tuple(b"\t" * shift + row if shift > 0 and row.strip() else row[-shift:] if row.strip() else row for row in lines)


def spaced(frame: Frame, made: Edit, hunk: Hunk) -> Edit:
    """The edit without a blank line that would stand beside another one, where upstream has none there (7ce5a2b9bb2e)."""

    def blank(rows: Sequence[bytes], at: int) -> bool:
        return 0 <= at < len(rows) and not rows[at].strip()

    lines, y = list(made.lines), made.y
    above = blank(frame.ours, made.x - 1) and not blank(frame.theirs, hunk.c - 1)
    below = blank(frame.ours, y) and not blank(frame.theirs, hunk.d)
    if lines and above and blank(lines, 0):
        lines = lines[1:]
    if lines and below and blank(lines, len(lines) - 1):
        lines = lines[:-1]
    if not made.lines and blank(frame.ours, made.x - 1) and blank(frame.ours, y) and (above or below):
        y += 1
    return replace(made, lines=tuple(lines), y=y)


def joined(ours: Sequence[bytes], edits: Sequence[Edit]) -> bytes | None:
    """The target's text with all edits made; None where two of them claim the same lines.

    Where all of its lines end in CR and LF, the new ones do as well.
    """
    out: list[bytes] = []
    crlf = bool(ours) and all(row.endswith(b"\r\n") for row in ours)
    at = 0
    for made in sorted(edits, key=lambda e: (e.x, e.y)):
        if made.x < at:
            return None
        lines = [row[:-1] + b"\r\n" if row.endswith(b"\n") and not row.endswith(b"\r\n") else row for row in made.lines]
        out += [*ours[at : made.x], *(lines if crlf else made.lines)]
        at = made.y
    out += ours[at:]
    ended = [row if row.endswith(b"\n") else row + b"\n" for row in out[:-1]]
    return b"".join([*ended, *out[-1:]])


def resolution(
    situation: Situation, rule: str, frame: Frame, edits: Sequence[Edit], asked: Sequence[Block] | None = None
) -> Resolution | None:
    """The target's file with these edits, and with what merges by itself: all but the blocks in dispute, or those `asked`."""
    text = joined(frame.ours, [*clean_edits(frame, disputed(frame) if asked is None else asked), *edits])
    if text is None:
        return None
    evidence = tuple(_evidence(situation, rule, made) for made in edits)
    return Resolution(rule, all(made.sure for made in edits), {situation.path: text}, evidence)


def _evidence(situation: Situation, rule: str, made: Edit) -> Evidence:
    holder = shape(situation.path, situation.ours or b"").holder(made.x).decode("ascii", "replace")
    return Evidence(rule, situation.path, holder, made.x + 1, made.x - made.a, made.why, checks=made.checks)


def united(parts: Sequence[Texts], target: Callable[[bytes], bytes]) -> Texts | None:
    """Several resolutions of one patch in one: each is the target's file with its own changes alone. None where they clash.

    `target(path)` is the target's file. Needed wherever two answers name the same file, as when a patch changes one and code
    of another has moved there (aae6d3ddd8b9: kernel/sched.c and sched_fair.c).
    """
    edits: dict[bytes, list[Edit]] = {}
    whole: dict[bytes, bytes | None] = {}
    for part in parts:
        for path, text in part.items():
            if text is None or path in whole:
                whole[path] = text
                continue
            ours, after = rows(target(path)), rows(text)
            edits.setdefault(path, []).extend(Edit(h.a, h.b, tuple(after[h.c : h.d]), 0) for h in hunks(ours, after))
    for path, made in edits.items():
        text = joined(rows(target(path)), list(dict.fromkeys(made)))
        if text is None or path in whole:
            return None
        whole[path] = text
    return whole

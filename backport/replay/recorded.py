"""The first rung of the ladder: what a person decided before about the very same conflict.

Safe because the conflict's three sides are those that the person saw, but for white space; and the guard looks at the outcome
as at any other. 3da0dd433dc3 on v2.6.31: the loop of kvm_handle_hva, adapted once, serves on v2.6.31.3 and on a vendor's tree,
twenty lines further down. Where the recording belongs to another patch and another function it is no more than a suggestion:
three lines that read the same need not mean the same there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backport.csource.parse import function_at
from backport.git.merge import Merger, Piece, Region, Triple, rows
from backport.model.evidence import Evidence
from backport.model.recording import Choice, Kind, Recording, conflict_key, file_key
from backport.model.series import Patch, decode
from backport.replay.compose import Ladder
from backport.replay.explain import locate
from backport.replay.situation import Answers, Resolution, Situation

RULE = "recorded"
_JOINED = 4  # conflicts, and the lines between them, that may have been decided as one


def recorded_first(recordings: Sequence[Recording], ladder: Ladder) -> Ladder:
    """A ladder with this rung below the others: they are asked only where the recordings do not settle the matter."""

    def ask(situation: Situation) -> Answers:
        found = recorded(situation, recordings)
        if found is not None and found.sure:
            return Answers((found,))
        told = ladder(situation)
        return replace(told, found=(found, *told.found)) if found is not None else told

    return ask if recordings else ladder


def recorded(situation: Situation, recordings: Sequence[Recording]) -> Resolution | None:
    """The file as it was decided before; None where that is not known of every conflict in it."""
    if not situation.regions:
        return _whole(situation, [r for r in recordings if r.kind is Kind.FILE])
    conflicts = [r for r in recordings if r.kind is Kind.CONFLICT]
    ours = situation.library.trees.entry(situation.tree, situation.path)
    base, theirs = situation.change.old, situation.change.new
    if not conflicts or ours is None or base is None or theirs is None:
        return None
    merger = Merger(situation.library.store, situation.library.trees)
    placed = place(merger.pieces(Triple(base.oid, ours.oid, theirs.oid)), situation.ours or b"", conflicts, situation.patch)
    if placed is None:
        return None
    text, fits = placed
    upstream = rows(situation.theirs or b"")
    return Resolution(
        rule=RULE,
        sure=all(fit.sure for fit in fits),
        texts={situation.path: text},
        evidence=tuple(_evidence(situation, fit, upstream) for fit in fits),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """A recording that fits: the conflict, its function in the target's file, the line of the resulting file at which it begins.

    `sure` where it is about this patch or this function.
    """

    recording: Recording
    region: Region
    function: str
    line: int
    sure: bool


Token = bytes | Region
"""A line on which the sides agree, or a conflict."""


def tokens(pieces: Sequence[Piece]) -> list[Token]:
    """The pieces line by line."""
    found: list[Token] = []
    for piece in pieces:
        found.extend(rows(piece) if isinstance(piece, bytes) else [piece])
    return found


def joined(part: Sequence[Token]) -> Region:
    """Conflicts and the lines between them as one conflict."""
    first = next(token for token in part if isinstance(token, Region))
    sides = [b"".join(token if isinstance(token, bytes) else getattr(token, side) for token in part) for side in _SIDES]
    return Region(first.line, *sides)


_SIDES = ("ours", "base", "theirs")


def place(
    pieces: Sequence[Piece], ours: bytes, recordings: Sequence[Recording], patch: Patch
) -> tuple[bytes, tuple[Fit, ...]] | None:
    """The merged text with every conflict as recorded, and what fitted where; None where one of them is not known."""
    whole, lines = tokens(pieces), rows(ours)
    out: list[bytes] = []
    fits: list[Fit] = []
    at, after = 0, 1
    while at < len(whole):
        token = whole[at]
        if isinstance(token, bytes):
            out.append(token)
            at += 1
            continue
        line = locate(lines, rows(token.ours), [(token.line, 0)], after)
        after = line + token.ours.count(b"\n")
        function = decode(function_at(ours, line))
        found = _find(whole, at, recordings, patch, function)
        if found is None:
            return None
        recording, region, end = found
        above, below = rows(recording.above), rows(recording.below)
        if not _same(out[len(out) - len(above) :], above) or not _same(whole[end : end + len(below)], below):
            return None
        del out[len(out) - len(above) :]
        sure = recording.about(patch.commit, patch.subject) or bool(function and recording.function == function)
        fits.append(Fit(recording, region, function, len(out) + 1, sure))
        out.extend(rows(_adapted(recording, region)))
        at = end + len(below)
    return b"".join(out), tuple(fits)


def _find(
    whole: Sequence[Token], at: int, recordings: Sequence[Recording], patch: Patch, function: str
) -> tuple[Recording, Region, int] | None:
    """The recording for the conflict at `at`, alone or with those that follow; the conflict, and where it ends."""
    conflicts = [i for i in range(at, len(whole)) if isinstance(whole[i], Region)][:_JOINED]
    for last in conflicts:
        region = joined(whole[at : last + 1])
        key = conflict_key(region.ours, region.base, region.theirs)
        chosen = _meant([r for r in recordings if r.key == key], patch, function)
        if chosen is not None:
            return chosen, region, last + 1
    return None


def _meant(fitting: list[Recording], patch: Patch, function: str) -> Recording | None:
    """The one of this patch before another's, of this function before another's; None where two are left that disagree."""
    fitting = [r for r in fitting if r.about(patch.commit, patch.subject)] or fitting
    fitting = [r for r in fitting if r.function == function] or fitting
    decided = {(r.result, r.above, r.below) for r in fitting}
    return fitting[0] if len(decided) == 1 else None


def _same(one: Sequence[Token], other: Sequence[bytes]) -> bool:
    """Whether lines are equal but for white space."""
    alike = (isinstance(a, bytes) and a.split() == b.split() for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and all(alike)


def _adapted(recording: Recording, region: Region) -> bytes:
    """The recorded lines, with this conflict's white space and line ends where it has the same lines."""
    if all(getattr(recording, side) == getattr(region, side) for side in _SIDES):
        return recording.result
    here: dict[tuple[bytes, ...], bytes] = {}
    indents: dict[bytes, bytes] = {}
    for side in ("ours", "theirs", "base"):
        there = [row for row in rows(getattr(region, side)) if row.split()]
        for old, row in zip((row for row in rows(getattr(recording, side)) if row.split()), there, strict=False):
            here.setdefault(tuple(row.split()), row)
            indents.setdefault(_indent(old), _indent(row))
    end = b"\r\n" if any(row.endswith(b"\r\n") for row in here.values()) else b"\n"
    out = []
    for row in rows(recording.result):
        indent = _indent(row)
        adapted = indents.get(indent, indent) + row[len(indent) :].rstrip(b"\r\n") + end if row.split() else end
        out.append(here.get(tuple(row.split()), adapted))
    return b"".join(out)


def _indent(row: bytes) -> bytes:
    return row[: len(row) - len(row.lstrip(b" \t"))]


def _whole(situation: Situation, recordings: Sequence[Recording]) -> Resolution | None:
    """A file that one side does not have, or that is no text."""
    rule = rule_of(situation.ours, situation.base, situation.theirs)
    key = file_key(rule, situation.change.new_path, situation.ours, situation.base, situation.theirs)
    chosen = _meant([r for r in recordings if r.key == key], situation.patch, "")
    if chosen is None:
        return None
    text = chosen_text(chosen, situation.ours, situation.theirs)
    evidence = Evidence(RULE, situation.path, "", 0, 0, f"{chosen.told}: {chosen.choice.value}", (), ("same-conflict",))
    texts = {} if text is None and situation.ours is None else {situation.path: text}
    return Resolution(RULE, True, texts, (evidence,))


def rule_of(ours: bytes | None, base: bytes | None, theirs: bytes | None) -> str:
    """What is wrong with a file that has no conflict of contents, in one word; it follows from which sides there are."""
    words = {(False, True, True): "absent", (True, False, True): "exists", (True, True, False): "deleted"}
    return words.get((ours is not None, base is not None, theirs is not None), "kind")


def chosen_text(recording: Recording, ours: bytes | None, theirs: bytes | None) -> bytes | None:
    """What a decision about a whole file makes of it."""
    return {Choice.TARGET: ours, Choice.UPSTREAM: theirs, Choice.NOTHING: None, Choice.TEXT: recording.result}[recording.choice]


def _evidence(situation: Situation, fit: Fit, upstream: Sequence[bytes]) -> Evidence:
    there = locate(upstream, rows(fit.region.theirs), [(fit.line, 0)], 1)
    checks = ["same-conflict"]
    checks += ["same-patch"] if fit.recording.about(situation.patch.commit, situation.patch.subject) else []
    checks += ["same-function"] if fit.function and fit.function == fit.recording.function else []
    return Evidence(RULE, situation.path, fit.function, fit.line, fit.line - there, fit.recording.told, (), tuple(checks))

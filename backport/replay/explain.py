"""Finds why a patch did not land: the enclosing function, and the upstream commits that changed those very lines."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.csource.parse import function_at
from backport.git.history import History, group_lines
from backport.git.merge import rows
from backport.git.store import Store
from backport.model.series import Patch, Series, decode, show_path
from backport.model.verdict import Cause, Conflict, FileOutcome, PatchOutcome, Verdict

_MOST = 8  # causes named for one conflict: more is a rewrite, and a list of fifty commits helps nobody


def known_until(series: Series, onto: str, history: History) -> str:
    """The upstream commit up to which the target has all history: itself where it is one of upstream's, else the series' base."""
    until = next((patch.parent for patch in reversed(series.patches) if patch.parent), "")
    return onto if onto == series.base or (until and history.is_ancestor(onto, until)) else series.base


def explain(
    series: Series, since: Callable[[], str], outcomes: Sequence[PatchOutcome], store: Store, history: History
) -> list[PatchOutcome]:
    """The same outcomes with function, causes and needs filled in for every patch that did not land.

    A patch `needs` an earlier one of the series that was left out when that one wrote the lines in conflict or brought the
    file. Then a file that the target lacks is no reason to leave the patch out for good: it is a conflict, not "not applicable".
    """
    if not any(outcome.conflicts for outcome in outcomes):
        return list(outcomes)
    patches = {patch.commit: patch for patch in series.patches}
    absent = {c.path for o in outcomes for c in o.conflicts if c.rule == "absent"}
    until = next((patches[o.upstream].parent for o in reversed(outcomes) if o.conflicts and patches[o.upstream].parent), "")
    why = _Why(store, history, since(), history.brought(absent, since(), until) if until else {})
    left_out = {o.upstream for o in outcomes if o.verdict.needs_person or o.verdict is Verdict.NOT_APPLICABLE}
    explained = []
    for outcome in outcomes:
        if outcome.conflicts and outcome.verdict.landed:
            outcome = why.explained(outcome, patches[outcome.upstream])
        elif outcome.conflicts:
            outcome = _needing(why.explained(outcome, patches[outcome.upstream]), left_out - {outcome.upstream})
        explained.append(outcome)
    return explained


def _needing(outcome: PatchOutcome, left_out: set[str]) -> PatchOutcome:
    """The outcome with the patches it needs, and a reason that says so."""
    needs = tuple(cause.commit for cause in outcome.causes if cause.commit in left_out)
    if not needs:
        return outcome
    verdict = Verdict.CONFLICT if outcome.verdict is Verdict.NOT_APPLICABLE else outcome.verdict
    reason = f"needs {', '.join(oid[:12] for oid in needs)}, left out above"
    return replace(outcome, verdict=verdict, needs=needs, reason=reason)


@dataclass(frozen=True, slots=True)
class _Why:
    """Answers why, between `since` and a patch; what is older, the target has as well."""

    store: Store
    history: History
    since: str
    brought: Mapping[bytes, Cause]

    def explained(self, outcome: PatchOutcome, patch: Patch) -> PatchOutcome:
        """One outcome with its conflicts explained, file by file."""
        files = {file.path: file for file in outcome.files}
        conflicts: list[Conflict] = []
        for path in dict.fromkeys(conflict.path for conflict in outcome.conflicts):
            here = [conflict for conflict in outcome.conflicts if conflict.path == path]
            if here[0].rule == "content" and path in files:
                conflicts.extend(self._content(here, files[path], patch))
            elif path in self.brought:
                cause = replace(self.brought[path], why=f"brought {show_path(path)}")
                conflicts.extend(replace(c, causes=(cause,)) for c in here)
            else:
                conflicts.extend(here)
        causes = tuple(dict.fromkeys(cause for conflict in conflicts for cause in conflict.causes))
        reason = outcome.reason
        if outcome.verdict is Verdict.NOT_APPLICABLE and causes:
            reason = f"{reason}; {causes[0].commit[:12]} brought {'it' if len(conflicts) == 1 else 'them'}"
        return replace(outcome, conflicts=tuple(conflicts), causes=causes, reason=reason)

    def _content(self, conflicts: Sequence[Conflict], file: FileOutcome, patch: Patch) -> list[Conflict]:
        """The conflicts of one file with place, function and causes; one blame for all of them."""
        if file.base is None or file.ours is None or file.theirs is None:
            return list(conflicts)
        text = self.store.read(file.ours.oid, "blob")
        base, ours = rows(self.store.read(file.base.oid, "blob")), rows(text)
        hunks = self.history.hunks(file.base.oid, file.theirs.oid)
        path = next((c.old_path for c in patch.changes if c.new_path == file.upstream_path), file.upstream_path)
        placed, starts = [], []
        after_base, after_ours = 1, 1
        for conflict in conflicts:
            first = locate(base, rows(conflict.base), hunks, after_base)
            line = locate(ours, rows(conflict.ours), [(conflict.line, 0)], after_ours)
            after_base, after_ours = first + conflict.base.count(b"\n"), line + conflict.ours.count(b"\n")
            placed.append(replace(conflict, line=line, function=decode(function_at(text, line))))
            starts.append(first)
        causes = self._causes(placed, starts, path, patch.parent, len(base))
        return [replace(conflict, causes=found) for conflict, found in zip(placed, causes, strict=True)]

    def _causes(
        self, conflicts: Sequence[Conflict], starts: Sequence[int], path: bytes, until: str, size: int
    ) -> list[tuple[Cause, ...]]:
        """Who changed the lines on which the two sides differ already before the patch, for each conflict.

        Blame knows only lines that are still there; where upstream only removed something, the neighbouring lines' own
        history (log -L) names the commit.
        """
        drifted = [_differing(rows(c.base), rows(c.ours)) for c in conflicts]
        spans = [[(first + a, first + b - 1) for a, b in ranges] for first, ranges in zip(starts, drifted, strict=True)]
        every = [span for own in spans for span in own]
        blamed = self.history.blame(path, every, self.since, until) if every else []
        found = []
        for conflict, first, own in zip(conflicts, starts, spans, strict=True):
            mine = group_lines((cause, line) for cause, line in blamed if any(a <= line <= b for a, b in own))
            causes = [replace(c, why=f"changed lines {_span(lines)} of {show_path(path)}") for c, lines in mine.items()]
            if not causes:
                last = min(size, max(first, first + conflict.base.count(b"\n") - 1))
                touched = self.history.touched_lines(path, max(1, min(first - 1, size)), last, self.since, until)
                causes = [replace(c, why=f"changed or removed lines around {first} of {show_path(path)}") for c in touched]
            found.append(tuple(causes[:_MOST]))
        return found


def locate(lines: Sequence[bytes], block: Sequence[bytes], near: Sequence[tuple[int, int]], after: int) -> int:
    """The 1-based line at which `block` stands in `lines`, not before `after`, nearest to one of the spots (line, length).

    The markers of a merge do not say where a conflict is in the base. Lines like `}` repeat, so of all places the one that the
    patch itself changes is taken; a block that stands nowhere (it cannot) gives the nearest spot. Line ends do not count: git
    gives the last line of a file the one that it lacks.
    """
    lines, block = [line.rstrip(b"\r\n") for line in lines], [line.rstrip(b"\r\n") for line in block]
    size = len(block)
    spots = [line for line, _ in near if line >= after] or [after]
    if not size:
        return min(spots)
    starts = (at for at in range(after - 1, len(lines) - size + 1) if lines[at] == block[0])
    places = [at + 1 for at in starts if list(lines[at : at + size]) == list(block)]
    return min(places, key=lambda at: min(abs(at - spot) for spot in spots), default=min(spots))


def _differing(base: Sequence[bytes], ours: Sequence[bytes]) -> list[tuple[int, int]]:
    """Half-open ranges of `base` that `ours` does not have in this place."""
    matcher = difflib.SequenceMatcher(None, base, ours, autojunk=False)
    return [(a, b) for tag, a, b, _, _ in matcher.get_opcodes() if tag in ("replace", "delete")]


def _span(lines: Sequence[int]) -> str:
    return f"{lines[0]}-{lines[-1]}" if lines[0] != lines[-1] else f"{lines[0]}"

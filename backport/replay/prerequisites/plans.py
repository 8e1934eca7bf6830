"""Finds the ways out for one patch, tries each of them whole, and gives each its price.

suspects -> the fewest that explain the conflicts -> replay them and the patch, under the guard
-> what fails in turn has suspects of its own (rounds, bounded) -> take away whatever was not needed after all
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from backport.git.merge import rows
from backport.git.versions import positions
from backport.model.finding import Finding
from backport.model.prerequisites import Adaptation, Candidate, Needed, Pick, Plan, Role
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import Patch, show_path
from backport.model.verdict import PatchOutcome, Verdict
from backport.replay.prerequisites.incidental import incidental
from backport.replay.prerequisites.suspects import Suspect, suspects
from backport.replay.prerequisites.trial import Bench, Guarding
from backport.replay.settle import Settled

STAGE = "prerequisites"
_ROUNDS = 24  # how deep the prerequisites of prerequisites are followed
_MOST = 20  # commits in a plan: who must pick more is porting a subsystem, and should be told so
_SHOWN = 5  # candidates that are told
_PICK = 10  # lines: what picking one more commit costs beyond its own lines, when plans are ranked


@dataclass(frozen=True, slots=True)
class Case:
    """A patch that did not land on the commit `onto`, with what the replay said, and what to try it with.

    `taken` are the upstream ids that the target has already
    from the same series: they are no candidates.
    """

    patch: Patch
    tree: str
    outcome: PatchOutcome
    findings: tuple[Finding, ...]
    bench: Bench
    guarding: Guarding
    progress: Progress
    taken: frozenset[str] = frozenset()


def needed(case: Case) -> Needed:
    """Everything that is known about what one patch needs. Bounded: plans of twenty commits, found in two dozen rounds."""
    seen = suspects(case.outcome, case.findings, case.patch, case.bench, case.taken)
    search = _Search(case)
    plans = search.plans(seen.found, seen.conflicts)
    skipped = list(search.skipped)
    if seen.unread:
        why = "only the newest 400 versions of the files in conflict are searched"
        skipped.append(Skipped(STAGE, f"{seen.unread} older versions", why, "give a nearer --base"))
    symbols = tuple(dict.fromkeys(f.symbol for f in case.findings if f.blocks))
    outcome = case.outcome
    return Needed(
        outcome.upstream,
        outcome.subject,
        outcome.verdict,
        outcome.reason,
        seen.conflicts,
        symbols,
        _candidates(case, seen.found[:_SHOWN], seen.conflicts),
        tuple(sorted(plans, key=_price)),
        tuple(skipped),
    )


class _Search:
    """The search for plans of one patch. What could not be followed to its end is kept in `skipped`."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._bench = case.bench
        self._banned: set[str] = set()
        self._why: dict[str, tuple[str, str]] = {}
        self.skipped: list[Skipped] = []

    @cached_property
    def _order(self) -> Mapping[str, int]:
        """Where each commit between target and patch stands."""
        return positions(self._bench.library.store, self._bench.since, self._case.patch.parent)

    def plans(self, ranked: Sequence[Suspect], conflicts: int) -> list[Plan]:
        """The complete plan, if there is one; the one that clears the conflicts and leaves names; and adapting all by hand."""
        found: list[Plan] = []
        lines = [s for s in ranked if s.role is not Role.SYMBOL]
        for wanted in [ranked] if len(lines) == len(ranked) or not lines else [ranked, lines]:
            picks = self._close(_fewest(wanted, conflicts), names=wanted is ranked)
            plan = self._tried(picks) if picks else None
            if plan is not None and all(plan.tree != other.tree for other in found):
                found.append(plan)
        return [*found, self._by_hand()]

    def _close(self, first: Sequence[Suspect], *, names: bool) -> list[Patch]:
        """The picks with whatever they need in turn, until all apply; none where that does not come to an end.

        Under the guard; but without `names`, those that only the patch itself misses are left for a person.
        """
        chosen = {s.commit: s for s in first}
        self._why.update((s.commit, (self._case.patch.commit, s.why)) for s in first)
        for _ in range(_ROUNDS):
            picks = self._ordered(chosen)
            bad, findings = self._failing(picks, names=names)
            if bad is None:
                return self._fewer(picks, names=names)
            more = self._more(bad, findings, chosen)
            if not more and bad.upstream in chosen:
                self._banned.add(bad.upstream)
                del chosen[bad.upstream]
            elif not more:
                return []
            chosen.update((s.commit, s) for s in more)
            for suspect in more:
                self._why.setdefault(suspect.commit, (bad.upstream, suspect.why))
            if len(chosen) > _MOST:
                self.skipped.append(Skipped(STAGE, "a longer plan", f"it takes more than {_MOST} commits, and was given up"))
                return []
        self.skipped.append(Skipped(STAGE, "a deeper plan", f"prerequisites of prerequisites are followed {_ROUNDS} times"))
        return []

    def _failing(self, picks: Sequence[Patch], *, names: bool) -> tuple[PatchOutcome | None, tuple[Finding, ...]]:
        """The first of picks and patch that does not land, explained, with the names that it misses; None where all do."""
        case = self._case
        case.progress.step(f"{case.patch.short} behind {len(picks)} commit{'s' * (len(picks) != 1)}")
        patches = [*picks, case.patch]
        outcomes = self._bench.chain(patches, case.tree)
        if not outcomes[-1].tree:
            before = outcomes[-2].tree if len(outcomes) > 1 else case.tree
            bad = patches[len(outcomes) - 1]
            return self._bench.explained(bad, before), self._bench.findings(bad, before)
        *_, last = self._guarded(patches)
        if last.outcome.tree or last.outcome.verdict is Verdict.ALREADY_PRESENT:
            return None, ()
        if last.outcome.upstream == case.patch.commit and last.outcome.verdict is Verdict.SUSPECT and not names:
            return None, ()
        return last.outcome, last.findings

    def _guarded(self, patches: Sequence[Patch]) -> list[Settled]:
        return self._bench.guarded(patches, self._case.tree, self._case.guarding)

    def _more(self, bad: PatchOutcome, findings: Sequence[Finding], chosen: Mapping[str, Suspect]) -> list[Suspect]:
        """What the patch that failed needs and was not chosen yet."""
        patch = self._case.patch
        if bad.upstream != patch.commit:
            (patch,) = self._bench.patches([bad.upstream])
        known = {*chosen, *self._banned, *self._case.taken, bad.upstream}
        seen = suspects(bad, findings, patch, self._bench, known)
        return _fewest(seen.found, seen.conflicts)

    def _ordered(self, chosen: Mapping[str, Suspect]) -> list[Patch]:
        order = self._order
        return self._bench.patches(sorted((c for c in chosen if c in order), key=lambda oid: order[oid]))

    def _fewer(self, picks: list[Patch], *, names: bool) -> list[Patch]:
        """The picks without those that it goes without, the newest tried first."""
        for patch in reversed(picks):
            rest = [other for other in picks if other is not patch]
            if self._failing(rest, names=names)[0] is None:
                picks = rest
        return picks

    def _tried(self, picks: Sequence[Patch]) -> Plan | None:
        """The plan with these picks as they landed; None where one of them does not."""
        case = self._case
        settled = self._guarded([*picks, case.patch])
        if len(settled) <= len(picks):
            return None
        *landed, last = (s.outcome for s in settled)
        before = next((o.tree for o in reversed(landed) if o.tree), case.tree)
        left = [f for f in settled[-1].findings if f.blocks]
        complete = bool(last.tree) or last.verdict is Verdict.ALREADY_PRESENT
        (hunks,) = case.bench.library.history.tree_hunks([(case.tree, before)])
        named = {f.symbol for f in case.findings if f.blocks}
        return Plan(
            tuple(Pick(o.upstream, o.subject, *self._why[o.upstream], o.verdict, o.tree) for o in landed if o.tree),
            () if complete else tuple(_adaptations(last, left, case)),
            complete,
            last.tree or before,
            max(0, len(case.outcome.conflicts) - len(last.conflicts)),
            len(case.outcome.conflicts),
            len(named - {f.symbol for f in left}),
            len(named),
            sum(len(hunk.added) for hunk in hunks),
            sum(len(hunk.removed) for hunk in hunks),
        )

    def _by_hand(self) -> Plan:
        case = self._case
        adapt = tuple(_adaptations(case.outcome, [f for f in case.findings if f.blocks], case))
        named = len({f.symbol for f in case.findings if f.blocks})
        return Plan((), adapt, False, case.tree, 0, len(case.outcome.conflicts), 0, named, 0, 0)


def _fewest(ranked: Sequence[Suspect], conflicts: int) -> list[Suspect]:
    """The suspects to begin with: as many of the most effective as clear the conflicts, and all that bring a name.

    Where none of them clears anything alone, they may do so together: then all that own lines in the conflicts.
    """
    names = [s for s in ranked if s.role is Role.SYMBOL]
    others = [s for s in ranked if s.role is not Role.SYMBOL]
    chosen: list[Suspect] = []
    cleared = 0
    for suspect in others:
        if cleared >= conflicts or not suspect.gone:
            break
        chosen.append(suspect)
        cleared += suspect.gone
    if cleared < conflicts:
        chosen += [s for s in others if s not in chosen and (s.lines or s.breaks)][: _MOST // 2]
    return [*chosen, *(s for s in names if s not in chosen)]


def _adaptations(outcome: PatchOutcome, findings: Sequence[Finding], case: Case) -> list[Adaptation]:
    """What is left to do by hand: every conflict, and every line outside of them that uses a name the target lacks."""
    found = [
        Adaptation(c.path, c.line, c.function, *_change(c.base, c.theirs), c.ours, "" if c.rule == "content" else c.rule)
        for c in outcome.conflicts
    ]
    library = case.bench.library
    texts = {path: library.trees.read(case.patch.tree, path) for path in {f.path for f in findings}}
    for finding in findings:
        text = texts[finding.path] or b""
        used = text.split(b"\n")[max(0, finding.line - 1) : finding.line]
        hint = finding.hint or f"{show_path(finding.path)} has no {finding.symbol}"
        found.append(Adaptation(finding.path, 0, "", b"", b"".join(row + b"\n" for row in used), b"", hint))
    return found


def _change(base: bytes, theirs: bytes) -> tuple[bytes, bytes]:
    """The lines that a patch removes and adds inside a conflict, without those that it leaves as they are."""
    old, new = rows(base), rows(theirs)
    changed = [code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    removes = b"".join(row for _, first, last, _, _ in changed for row in old[first:last])
    return removes, b"".join(row for _, _, _, first, last in changed for row in new[first:last])


def _candidates(case: Case, ranked: Sequence[Suspect], conflicts: int) -> tuple[Candidate, ...]:
    """The suspects as they are told: each applied alone, with its size, and whether it only renames."""
    patches = {patch.commit: patch for patch in case.bench.patches(s.commit for s in ranked)}
    known = [s for s in ranked if s.commit in patches]
    alone = [case.bench.apply(patches[s.commit], case.tree) for s in known]
    sizes = case.bench.library.history.tree_hunks([(patches[s.commit].parent_tree, patches[s.commit].tree) for s in known])
    found = []
    for suspect, outcome, hunks in zip(known, alone, sizes, strict=True):
        added, removed = (sum(len(side) for side in sides) for sides in zip(*((h.added, h.removed) for h in hunks), strict=True))
        small = incidental((hunk.removed, hunk.added) for hunk in hunks)
        told = (suspect.commit, suspect.subject, suspect.role, suspect.why, outcome.verdict, suspect.gone, conflicts)
        found.append(Candidate(*told, added, removed, small, suspect.breaks))
    return tuple(found)


def _price(plan: Plan) -> tuple[bool, int, int]:
    """Complete plans first; then by the lines that somebody has to read or write."""
    size = plan.added + plan.removed + _PICK * len(plan.picks)
    return not plan.complete, sum(a.lines for a in plan.adapt) * _PICK + size, len(plan.picks)

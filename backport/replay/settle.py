"""Settles one patch on one tree: merged, resolved by rules, or left to a person, and never without the guard's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from backport.git.merge import Merger
from backport.git.trees import PathTakenError
from backport.model.evidence import Evidence
from backport.model.finding import Finding
from backport.model.series import Entry, Patch, show_path
from backport.model.verdict import Conflict, FileOutcome, PatchOutcome, Suggestion, Verdict, rules_of
from backport.replay.amend import amend
from backport.replay.astray import astray
from backport.replay.compose import Candidate, Composed, compose, instead
from backport.replay.decide import Decision, decide
from backport.replay.guard import Guard, refusal
from backport.replay.guard.landed import Speaks, speaks_all
from backport.replay.guard.said import still_said
from backport.replay.guard.text import SEARCHING, SECOND_PLACE, Check, text_findings
from backport.replay.mined import Respelling, has_name, mined
from backport.replay.policy import Policy
from backport.replay.precision import precision
from backport.replay.recorded import RULE, recorded_first
from backport.replay.respelt import answered, in_upstreams_terms, is_sure, respelt
from backport.replay.rules.copies import copies
from backport.replay.rules.unneeded import RULE as UNNEEDED
from backport.replay.rules.versions import RULE as VERSIONS
from backport.replay.situation import Library
from backport.replay.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of a patch, its tree '' where it does not land, and what the guard found on the way.

    `disputes` are the conflicts that rules resolved.
    """

    outcome: PatchOutcome
    findings: tuple[Finding, ...]
    disputes: tuple[Conflict, ...] = ()


class Settler:
    """Settles patches with one memory of merges, so that what was foreseen is not merged again.

    `since`, asked only by rules, is the upstream commit up to which the target has all history ('' where there
    is none): rules ask about what came after.
    """

    def __init__(
        self,
        library: Library,
        merger: Merger,
        moved: Mapping[bytes, bytes],
        since: Callable[[], str],
        guard: Guard,
        policy: Policy,
    ) -> None:
        self._library = library
        self._merger = merger
        self._moved = moved
        self._since = since
        self._guard = guard
        self._policy = policy
        self._left_out: set[bytes] = set()
        self._vocabulary = Vocabulary(library)
        self._ladder = recorded_first(policy.recordings, policy.ladder)

    def settle(self, patch: Patch, tree: str) -> Settled:
        """What becomes of `patch` on `tree`; new objects go to the store, nothing else is written.

        A patch that is left for names which the target calls otherwise is settled once more, in the target's words.
        """
        settled = self._settled(patch, tree)
        if settled.outcome.verdict not in (Verdict.CONFLICT, Verdict.SUSPECT):
            return settled
        knows = partial(has_name, tree=tree, moved=self._moved, library=self._library)
        names = mined(settled.findings, self._since, patch.parent, self._library, knows)
        spelt = respelt(patch, names, self._library.store) if names else patch
        return self._respelt(patch, tree, settled, self._settled(spelt, tree), names) if spelt != patch else settled

    def _respelt(self, patch: Patch, tree: str, plain: Settled, spelt: Settled, names: Sequence[Respelling]) -> Settled:
        """The patch in the target's words where it lands with them; else as it is, with what more there is to suggest."""
        store, outcome = self._library.store, spelt.outcome
        files = in_upstreams_terms(outcome.files, patch, names, store)
        sure = is_sure(names, outcome)
        if outcome.tree and (sure or self._policy.accept):
            reason = outcome.reason if sure else _as_asked(rules_of(files))
            verdict = Verdict.RESOLVED if sure else Verdict.SUGGESTED
            findings = (*spelt.findings, *answered(plain.findings, spelt.findings, names))
            return replace(spelt, outcome=replace(outcome, verdict=verdict, files=files, reason=reason), findings=findings)
        made = [self._suggestion(tree, Candidate(rules_of(files), False, outcome.tree, files, files), "")] if outcome.tree else []
        for told in outcome.suggestions if outcome.verdict is Verdict.CONFLICT else ():
            files = in_upstreams_terms(told.files, patch, names, store)
            right, asked, part = precision(rules_of(files))
            spoken = replace(told, rules=rules_of(files), files=files, right=right, asked=asked, part=part)
            made += [spoken] if not told.doubts else []
        more = (*made, *plain.outcome.suggestions)
        return replace(plain, outcome=replace(plain.outcome, suggestions=more))

    def _settled(self, patch: Patch, tree: str) -> Settled:
        """The same, in the words that the patch has."""
        decisions = self.decide(patch, tree)
        conflicts = tuple(conflict for decision in decisions for conflict in conflicts_of(decision))
        if conflicts:
            return self._conflicted(patch, tree, decisions, conflicts)
        outcome, problem = self._amended(patch, tree, self._clean(patch, tree, decisions))
        if not outcome.tree:
            found = self._guard.findings(patch, "") if outcome.verdict is Verdict.CONFLICT else ()
            return Settled(outcome, tuple(found))
        findings = self._findings(patch, outcome.files, tree, outcome.tree)
        if why := problem or refusal(findings):
            refused = Suggestion(("3-way",), outcome.tree, outcome.files, doubts=(why,))
            copied = self._copied(patch, tree, decisions, findings)
            outcome = replace(outcome, verdict=Verdict.SUSPECT, tree="", reason=why, suggestions=(*copied, refused))
        return Settled(outcome, findings)

    def _copied(
        self, patch: Patch, tree: str, decisions: Sequence[Decision], findings: Sequence[Finding]
    ) -> Iterator[Suggestion]:
        """Where the guard found a second copy of what the patch changes: the patch made at each of them, to be looked at."""
        if any(finding.kind == SECOND_PLACE for finding in findings):
            candidate = instead(patch, tree, decisions, copies, self._library, self._since)
            if candidate is not None:
                doubt = refusal(self._findings(patch, candidate.files, tree, candidate.tree, search=False))
                yield self._suggestion(tree, candidate, doubt)

    def leave_out(self, patch: Patch) -> None:
        """The patch did not land: what later ones do to its files is no longer for rules alone to decide.

        A function or file that it would have brought is not absent from the target, it is still to come: on v2.6.31, without
        the patch that brings mm/ksm.c, nine later ones of KSM would all be "not needed there".
        """
        self._left_out.update(path for change in patch.changes for path in (change.old_path, change.new_path))

    def _findings(
        self, patch: Patch, files: Sequence[FileOutcome], before: str, after: str, *, search: bool = True
    ) -> tuple[Finding, ...]:
        """What the guard finds in a patch that makes `after` of `before`: in the text of `files`, and in what its names mean.

        What the words of the added lines are is a `search` of the whole tree: made last, and where nothing is refused yet.
        """
        store, checks, lenient = self._library.store, self._policy.checks, self._policy.lenient
        quick = {kind: check for kind, check in checks.items() if kind not in SEARCHING}
        last = {kind: check for kind, check in checks.items() if kind in SEARCHING}
        meanings = still_said(self._guard.findings(patch, after), files, store)
        named = {(finding.path, finding.symbol) for finding in meanings}  # what a name means says more than its text does

        def look(which: Mapping[str, Check], speaks: Speaks = speaks_all) -> list[Finding]:
            text = text_findings(patch.commit, files, store, which, speaks)
            return [finding for finding in lenient(text) if (finding.path, finding.symbol) not in named]

        found = [*look(quick), *meanings]
        if search and not any(finding.blocks for finding in found):
            found += look(last, self._vocabulary.of(patch, before, after))
        return tuple(found)

    def decide(self, patch: Patch, tree: str) -> list[Decision]:
        """The decision about each file, all merges made."""
        trees, merger = self._library.trees, self._merger
        return [
            decide(change, lambda path: trees.entry(tree, path), lambda triple: merger.merge([triple])[0], self._moved)
            for change in patch.changes
        ]

    def _clean(self, patch: Patch, tree: str, decisions: Sequence[Decision]) -> PatchOutcome:
        """What becomes of a patch without a conflict, before the guard was asked."""
        files = tuple(decision.outcome for decision in decisions)
        edits: dict[bytes, Entry | None] = {path: entry for decision in decisions for path, entry in decision.edits.items()}
        try:
            edited = self._library.trees.edit(tree, edits)
        except PathTakenError as error:
            conflict = Conflict(error.path, "kind", "", 0, b"", b"", b"")
            return PatchOutcome(patch.commit, patch.subject, Verdict.CONFLICT, files, (conflict,), reason=error.what)
        if edited == tree:
            return PatchOutcome(patch.commit, patch.subject, Verdict.ALREADY_PRESENT, files, reason="the target has it already")
        verdict = Verdict.MERGED if any(f.rule != "take" for f in files) else Verdict.EXACT
        return PatchOutcome(patch.commit, patch.subject, verdict, files, tree=edited)

    def _amended(self, patch: Patch, tree: str, outcome: PatchOutcome) -> tuple[PatchOutcome, str]:
        """A clean patch with what a person changed in it before, or why that does not fit any more."""
        if not outcome.tree or not self._policy.recordings:
            return outcome, ""
        made = amend(patch, tree, outcome.tree, outcome.files, self._policy.recordings, self._library)
        if made is None or made.problem:
            return outcome, made.problem if made is not None else ""
        if made.tree == tree:
            reason = "what a person made of it before leaves nothing to do"
            return replace(outcome, verdict=Verdict.ALREADY_PRESENT, files=made.files, tree="", reason=reason), ""
        return replace(outcome, verdict=Verdict.RECORDED, files=made.files, tree=made.tree), ""

    def _conflicted(self, patch: Patch, tree: str, decisions: Sequence[Decision], conflicts: tuple[Conflict, ...]) -> Settled:
        """Resolved where every rule is sure and the guard agrees; else in conflict, with what the rules would suggest."""
        nowhere = all(decision.conflict == "absent" for decision in decisions)
        torn = {decision.conflict for decision in decisions if decision.change.old_path in self._left_out}
        suggestions: list[Suggestion] = []
        composed = Composed() if "absent" in torn else self._composed(patch, tree, decisions)
        for plain in composed.candidates:
            candidate, problem = self._by_hand(patch, tree, plain)
            if nowhere and candidate.tree == tree:
                continue  # not applicable, which says more than that it makes no difference
            findings = self._findings(patch, candidate.files, tree, candidate.tree, search=candidate.sure)
            why = problem or refusal(findings) or _unsaid(candidate) or _idle(tree, candidate)
            if candidate.sure and not why and not torn - {""}:
                return Settled(_resolved(patch, tree, candidate), findings, conflicts)
            suggestions.append(self._suggestion(tree, candidate, why))
        suggestions.sort(key=lambda suggestion: bool(suggestion.doubts))
        if self._policy.accept and (accepted := self._accepted(patch, tree, suggestions)):
            return replace(accepted, disputes=conflicts)
        findings = tuple(self._guard.findings(patch, ""))
        unfound = nowhere and not suggestions
        reason = astray(patch, tree, decisions, self._library) if unfound else ""
        verdict = Verdict.NOT_APPLICABLE if unfound and not reason else Verdict.CONFLICT
        files = tuple(_told(decision.outcome, composed.unasked) for decision in decisions)
        reason = reason or reason_of(verdict, conflicts)
        outcome = PatchOutcome(patch.commit, patch.subject, verdict, files, conflicts, reason=reason)
        return Settled(replace(outcome, suggestions=tuple(suggestions)), findings)

    def _by_hand(self, patch: Patch, tree: str, candidate: Candidate) -> tuple[Candidate, str]:
        """A candidate with what a person changed beside the conflicts, or why that does not fit any more."""
        if RULE not in candidate.rules:
            return candidate, ""
        made = amend(patch, tree, candidate.tree, candidate.files, self._policy.recordings, self._library)
        if made is None or made.problem:
            return candidate, made.problem if made is not None else ""
        return replace(candidate, tree=made.tree, files=made.files), ""

    def _composed(self, patch: Patch, tree: str, decisions: Sequence[Decision]) -> Composed:
        return compose(patch, tree, decisions, self._ladder, self._library, self._since)

    def _accepted(self, patch: Patch, tree: str, suggestions: Sequence[Suggestion]) -> Settled | None:
        """The best suggestion that the guard has nothing against, applied because somebody asked for that.

        The guard is asked again: it remembers the tree that it was asked about last.
        """
        for best in suggestions:
            if not best.doubts and best.tree == tree:
                return None  # to leave out all of a patch is for the series' definition to say, with a reason
            findings = self._findings(patch, best.files, tree, best.tree) if not best.doubts else ()
            if best.doubts or refusal(findings):
                continue
            reason = _as_asked(best.rules)
            outcome = PatchOutcome(patch.commit, patch.subject, Verdict.SUGGESTED, best.files, reason=reason, tree=best.tree)
            return Settled(replace(outcome, suggestions=tuple(suggestions)), findings)
        return None

    def _suggestion(self, tree: str, candidate: Candidate, doubt: str) -> Suggestion:
        paths = [outcome.path for outcome in candidate.resolved]
        diff = self._library.history.diff(tree, candidate.tree, paths) if self._policy.diffs else b""
        right, asked, part = precision(candidate.rules)
        return Suggestion(candidate.rules, candidate.tree, candidate.files, diff, right, asked, (doubt,) if doubt else (), part)


def _told(outcome: FileOutcome, unasked: Mapping[bytes, str]) -> FileOutcome:
    """The outcome of a file in conflict; it says so where no rule was asked, for there would be too much to ask about."""
    why = unasked.get(outcome.path, "")
    return replace(outcome, evidence=(Evidence(outcome.rule, outcome.path, "", 0, 0, why),)) if why else outcome


def _as_asked(rules: Sequence[str]) -> str:
    return f"suggested by {', '.join(rules)} and applied as asked"


def _unsaid(candidate: Candidate) -> str:
    """The doubt about a candidate that leaves files out, '' where it leaves none."""
    files = ", ".join(show_path(path) for path in candidate.left)
    return f"it leaves out what no rule knows a place for: {files}" if files else ""


def _idle(tree: str, candidate: Candidate) -> str:
    """The doubt about a candidate that leaves all as it is, for the target lacks what it changes: it does not have it already."""
    idle = candidate.tree == tree and any({UNNEEDED, VERSIONS} & {*rule.split("+")} for rule in candidate.rules)
    return "it leaves everything as it is" if idle else ""


def _resolved(patch: Patch, tree: str, candidate: Candidate) -> PatchOutcome:
    """The patch as proved by rules; already there where they leave the tree as it is."""
    rules = ", ".join(candidate.rules)
    if candidate.tree == tree:
        reason = f"the target has it already, in another form ({rules})"
        return PatchOutcome(patch.commit, patch.subject, Verdict.ALREADY_PRESENT, candidate.files, reason=reason)
    verdict = Verdict.RECORDED if candidate.rules == (RULE,) else Verdict.RESOLVED
    return PatchOutcome(patch.commit, patch.subject, verdict, candidate.files, tree=candidate.tree)


def conflicts_of(decision: Decision) -> list[Conflict]:
    """The conflicts of one file, before anything is known of their function and their causes."""
    path = decision.outcome.path
    if decision.regions:
        return [Conflict(path, decision.conflict, "", r.line, r.ours, r.base, r.theirs) for r in decision.regions]
    return [Conflict(path, decision.conflict, "", 0, b"", b"", b"")] if decision.conflict else []


def reason_of(verdict: Verdict, conflicts: Sequence[Conflict]) -> str:
    """Why a patch in conflict does not land, in one phrase, before anything is known of its causes."""
    if verdict is Verdict.NOT_APPLICABLE:
        return "the target has none of its files"
    paths = len({c.path for c in conflicts})
    where = ", ".join(f"{show_path(c.path)} ({c.rule})" if c.rule != "content" else show_path(c.path) for c in conflicts[:1])
    more = f" and {paths - 1} more file{'s' * (paths > 2)}" if paths > 1 else ""
    return f"{len(conflicts)} conflict{'s' * (len(conflicts) > 1)} in {where}{more}"

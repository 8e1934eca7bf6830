"""Replays a series: every patch onto the target, one after the other, reading only the paths that it touches.

    for each patch:  decide each file -> all decided: edit the tree, write the commit
                                      -> any conflict: leave the patch out whole, go on with the next

Contents are merged by git in a few processes for the whole series (see `foresee`), the rest is comparing ids. A patch
that is left out leaves nothing behind: patches after it are decided on the tree without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backport.git.history import History
from backport.git.merge import Merger, Triple
from backport.git.store import Store
from backport.git.trees import PathTakenError, Trees
from backport.model.finding import Finding
from backport.model.progress import Progress
from backport.model.series import Entry, Patch, Series, show_path
from backport.model.verdict import Conflict, PatchOutcome, Verdict
from backport.replay.commit import write_commit
from backport.replay.decide import Decision, decide, is_folder
from backport.replay.explain import explain
from backport.replay.guard import Guard, Trusting, refusal


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of each patch in order, and what the guard found.

    `tip` is the last commit (the target's own where nothing landed), `tree` its tree.
    """

    outcomes: tuple[PatchOutcome, ...]
    findings: tuple[Finding, ...]
    tip: str
    tree: str


def replay(
    series: Series, onto: str, store: Store, trees: Trees, history: History, progress: Progress, guard: Guard | None = None
) -> Replayed:
    """Every patch of the series onto the commit `onto`; new objects go to the store, nothing else is written.

    A patch that applies but that the guard refuses is `suspect` and left out, as is one in conflict.
    """
    progress.stage("replay", len(series.patches))
    guard = guard or Trusting()
    merger = Merger(store, trees)
    base_tree = history.commit(onto).tree
    moved = _moved(series, base_tree, trees, history)
    _prefetch(series, base_tree, store, trees, moved)
    foresee(series, base_tree, trees, merger, moved)
    tip, tree = onto, base_tree
    outcomes: list[PatchOutcome] = []
    findings: list[Finding] = []
    for patch in series.patches:
        outcome = _decide(patch, tree, trees, merger, moved)
        found = guard.findings(patch, outcome.tree) if outcome.tree or outcome.verdict is Verdict.CONFLICT else ()
        findings.extend(found)
        if outcome.tree and (why := refusal(found)):
            outcome = replace(outcome, verdict=Verdict.SUSPECT, tree="", reason=why)
        if outcome.tree:
            outcome = replace(outcome, commit=write_commit(patch, outcome.tree, tip, outcome.verdict, store))
            tip, tree = outcome.commit, outcome.tree
        if outcome.tree or outcome.verdict is Verdict.ALREADY_PRESENT:
            guard.accept(patch)
        outcomes.append(outcome)
        progress.step(patch.subject)
        progress.patch(outcome)
    explained = explain(series, onto, outcomes, store, history)
    progress.done(_summary(explained))
    return Replayed(tuple(explained), tuple(findings), tip, tree)


def _decide(patch: Patch, tree: str, trees: Trees, merger: Merger, moved: Mapping[bytes, bytes]) -> PatchOutcome:
    """What becomes of a patch on `tree`; the outcome's tree is the new one, '' where there is none."""
    decisions = [
        decide(change, lambda path: trees.entry(tree, path), lambda triple: merger.merge([triple])[0], moved)
        for change in patch.changes
    ]
    conflicts = tuple(conflict for decision in decisions for conflict in _conflicts(decision))
    files = tuple(decision.outcome for decision in decisions)
    if conflicts:
        nowhere = all(decision.conflict == "absent" for decision in decisions)
        verdict = Verdict.NOT_APPLICABLE if nowhere else Verdict.CONFLICT
        return PatchOutcome(patch.commit, patch.subject, verdict, files, conflicts, reason=_reason(verdict, conflicts))
    try:
        edited = trees.edit(tree, {path: entry for decision in decisions for path, entry in decision.edits.items()})
    except PathTakenError as error:
        conflict = Conflict(error.path, "kind", "", 0, b"", b"", b"")
        return PatchOutcome(patch.commit, patch.subject, Verdict.CONFLICT, files, (conflict,), reason=error.what)
    if edited == tree:
        return PatchOutcome(patch.commit, patch.subject, Verdict.ALREADY_PRESENT, files, reason="the target has it already")
    verdict = Verdict.MERGED if any(f.rule != "take" for f in files) else Verdict.EXACT
    return PatchOutcome(patch.commit, patch.subject, verdict, files, tree=edited)


def foresee(series: Series, tree: str, trees: Trees, merger: Merger, moved: Mapping[bytes, bytes]) -> None:
    """Make all merges that the replay will ask for, in as few processes as the longest chain of merges on one file is long.

    Each round walks the series as if every patch landed, stops at a file whose content an unmade merge decides, and makes
    all merges that it met. It only fills the merger's memory, which is keyed by content: where a patch is left out
    after all, the replay finds no entry and merges again, so a wrong guess costs time and never a result.
    """
    while True:
        held: dict[bytes, Entry | None] = {}
        wanted: list[Triple] = []

        def at(path: bytes, held: Mapping[bytes, Entry | None] = held) -> Entry | None:
            return held[path] if path in held else trees.entry(tree, path)

        for patch in series.patches:
            decisions = [decide(change, at, merger.known, moved) for change in patch.changes]
            wanted.extend(d.pending for d in decisions if d.pending is not None)
            if not any(d.conflict for d in decisions):
                held.update(item for d in decisions for item in d.edits.items())
        if not wanted:
            return
        merger.merge(wanted)


def _conflicts(decision: Decision) -> list[Conflict]:
    path = decision.outcome.path
    if decision.regions:
        return [Conflict(path, decision.conflict, "", r.line, r.ours, r.base, r.theirs) for r in decision.regions]
    return [Conflict(path, decision.conflict, "", 0, b"", b"", b"")] if decision.conflict else []


def _reason(verdict: Verdict, conflicts: Sequence[Conflict]) -> str:
    if verdict is Verdict.NOT_APPLICABLE:
        return "the target has none of its files"
    paths = len({c.path for c in conflicts})
    where = ", ".join(f"{show_path(c.path)} ({c.rule})" if c.rule != "content" else show_path(c.path) for c in conflicts[:1])
    more = f" and {paths - 1} more file{'s' * (paths > 2)}" if paths > 1 else ""
    return f"{len(conflicts)} conflict{'s' * (len(conflicts) > 1)} in {where}{more}"


def _summary(outcomes: Sequence[PatchOutcome]) -> str:
    landed = sum(o.verdict.landed for o in outcomes)
    return f"{landed} of {len(outcomes)} landed"


def _prefetch(series: Series, tree: str, store: Store, trees: Trees, moved: Mapping[bytes, bytes]) -> None:
    """Read all blobs that a merge may need at once: from a partial clone each single read would be a trip to the server."""
    wanted: list[str] = []
    for change in (change for patch in series.patches for change in patch.changes):
        ours = trees.entry(tree, moved.get(change.old_path, change.old_path))
        if ours is None or change.old is None or ours == change.old or is_folder(ours):
            continue
        wanted.extend(e.oid for e in (change.old, ours, change.new) if e is not None and e.is_file)
    store.prefetch(wanted)


def _moved(series: Series, tree: str, trees: Trees, history: History) -> dict[bytes, bytes]:
    """Where the target keeps files that upstream had renamed before the patch: upstream's path to the target's.

    Asked only when a path of the series is not in the target and was not made by the series itself; the search
    compares whole trees, as `git cherry-pick` does at every pick.
    """
    made: set[bytes] = set()
    wanted: set[bytes] = set()
    last: Patch | None = None
    for patch in series.patches:
        needed = {c.old_path for c in patch.changes if c.old is not None} - made
        if missing := {path for path in needed if trees.entry(tree, path) is None}:
            last = patch
            wanted |= missing
        made.update(c.new_path for c in patch.changes if c.new is not None)
    if last is None:
        return {}
    return history.renames(tree, last.parent_tree, wanted)

"""Replays a series: every patch onto the target, one after the other, reading only the paths that it touches.

    for each patch:  decide each file -> all decided: edit the tree, ask the guard, write the commit
                                      -> any conflict: ask the rules; where they are not sure, leave the patch out whole

Contents are merged by git in a few processes for the whole series (see `foresee`), the rest is comparing ids. A patch
that is left out leaves nothing behind: patches after it are decided on the tree without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from backport.git.history import History
from backport.git.merge import Merger, Triple
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Finding
from backport.model.progress import Progress
from backport.model.series import Entry, Patch, Series
from backport.model.verdict import PatchOutcome, Verdict
from backport.replay.commit import write_commit
from backport.replay.decide import decide, is_folder
from backport.replay.evidence import with_causes, with_evidence
from backport.replay.explain import explain, known_until
from backport.replay.guard import Guard, Trusting
from backport.replay.policy import Policy
from backport.replay.settle import Settler
from backport.replay.situation import Library


@dataclass(frozen=True, slots=True)
class Chain:
    """Patches that land one upon the other, the tree on which the first does, and where it has files by another name."""

    tree: str
    patches: Sequence[Patch]
    moved: Mapping[bytes, bytes]


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
    series: Series,
    onto: str,
    store: Store,
    trees: Trees,
    history: History,
    progress: Progress,
    guard: Guard | None = None,
    policy: Policy | None = None,
) -> Replayed:
    """Every patch of the series onto the commit `onto`; new objects go to the store, nothing else is written.

    A patch that applies but that the guard refuses is `suspect` and left out, as is one in conflict that no rule resolves.
    """
    progress.stage("replay", len(series.patches))
    guard = guard or Trusting()
    merger = Merger(store, trees)
    base_tree = history.commit(onto).tree
    chain = Chain(base_tree, series.patches, moved_files(series.patches, base_tree, trees, history))
    prefetch([chain], store, trees)
    foresee([chain], trees, merger)
    since = cache(lambda: known_until(series, onto, history))
    policy = policy or Policy()
    settler = Settler(Library(store, trees, history), merger, chain.moved, since, guard, policy)
    tip, tree = onto, base_tree
    outcomes: list[PatchOutcome] = []
    disputed: list[PatchOutcome] = []
    findings: list[Finding] = []
    for patch in series.patches:
        settled = settler.settle(patch, tree)
        outcome = settled.outcome
        findings.extend(settled.findings)
        if outcome.tree:
            outcome = with_evidence(outcome, store, tuple(policy.checks))
            outcome = replace(outcome, commit=write_commit(patch, outcome, tip, store))
            tip, tree = outcome.commit, outcome.tree
        if outcome.tree or outcome.verdict is Verdict.ALREADY_PRESENT:
            guard.accept(patch)
        else:
            settler.leave_out(patch)
        outcomes.append(outcome)
        disputed.append(replace(outcome, conflicts=outcome.conflicts or settled.disputes))
        progress.step(patch.subject)
        progress.patch(outcome)
    told = explain(series, since, disputed, store, history)
    explained = [with_causes(o, e) if o.verdict.landed else e for o, e in zip(outcomes, told, strict=True)]
    progress.done(_summary(explained))
    return Replayed(tuple(explained), tuple(findings), tip, tree)


def foresee(chains: Sequence[Chain], trees: Trees, merger: Merger) -> None:
    """Make all merges that the replay will ask for, in as few processes as the longest chain of merges on one file is long.

    Each round walks the chains as if every patch landed, stops at a file whose content an unmade merge decides, and makes
    all merges that it met. It only fills the merger's memory, which is keyed by content: where a patch is left out
    after all, the replay finds no entry and merges again, so a wrong guess costs time and never a result.
    """
    while True:
        wanted = [triple for chain in chains for triple in _wanted(chain, trees, merger)]
        if not wanted:
            return
        merger.merge(wanted)


def _wanted(chain: Chain, trees: Trees, merger: Merger) -> Iterator[Triple]:
    """The merges of one chain that are not made yet and could be."""
    held: dict[bytes, Entry | None] = {}

    def at(path: bytes) -> Entry | None:
        return held[path] if path in held else trees.entry(chain.tree, path)

    for patch in chain.patches:
        decisions = [decide(change, at, merger.known, chain.moved) for change in patch.changes]
        yield from (d.pending for d in decisions if d.pending is not None)
        if not any(d.conflict for d in decisions):
            held.update(item for d in decisions for item in d.edits.items())


def _summary(outcomes: Sequence[PatchOutcome]) -> str:
    landed = sum(o.verdict.landed for o in outcomes)
    return f"{landed} of {len(outcomes)} landed"


def prefetch(chains: Sequence[Chain], store: Store, trees: Trees) -> None:
    """Read all blobs that a merge may need at once: from a partial clone each single read would be a trip to the server."""
    wanted: list[str] = []
    for chain in chains:
        for change in (change for patch in chain.patches for change in patch.changes):
            ours = trees.entry(chain.tree, chain.moved.get(change.old_path, change.old_path))
            if ours is None or change.old is None or ours == change.old or is_folder(ours):
                continue
            wanted.extend(e.oid for e in (change.old, ours, change.new) if e is not None and e.is_file)
    store.prefetch(wanted)


def moved_files(patches: Sequence[Patch], tree: str, trees: Trees, history: History) -> dict[bytes, bytes]:
    """Where the target keeps files that upstream had renamed before the patch: upstream's path to the target's.

    Asked only when a path of the patches is not in the target and was not made by them; the search compares
    whole trees, as `git cherry-pick` does at every pick.
    """
    made: set[bytes] = set()
    wanted: set[bytes] = set()
    last: Patch | None = None
    for patch in patches:
        needed = {c.old_path for c in patch.changes if c.old is not None} - made
        if missing := {path for path in needed if trees.entry(tree, path) is None}:
            last = patch
            wanted |= missing
        made.update(c.new_path for c in patch.changes if c.new is not None)
    if last is None:
        return {}
    return history.renames(tree, last.parent_tree, wanted)

"""Applies commits virtually: onto a tree, in memory, without a commit made or a word said. A merge costs a few milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from backport.git.merge import Merged, Merger, Triple
from backport.git.runner import GitFailedError
from backport.ingest.commits import read_patches
from backport.model.finding import Finding
from backport.model.series import Patch, Series
from backport.model.verdict import PatchOutcome, Verdict
from backport.replay.engine import Chain, foresee
from backport.replay.explain import explain
from backport.replay.guard import Guard, Trusting
from backport.replay.guard.text import SEARCHING
from backport.replay.policy import Policy
from backport.replay.settle import Settled, Settler
from backport.replay.situation import Library

Guarding = Callable[[Sequence[Patch], Guard | None], Guard]
"""The guard for patches that are to be tried on the target, behind those that another one has accepted."""


class Bench:
    """Where things are tried out. Every answer is kept: a patch on a tree always gives the same.

    A trial says whether a patch applies, not whether it may: only `guarded` asks the guard, and looks words up in the whole tree.
    `since` is the upstream commit up to
    which the target has all history; `moved` tells where the target keeps files that upstream calls otherwise.
    """

    def __init__(self, library: Library, since: str, moved: Mapping[bytes, bytes], policy: Policy | None = None) -> None:
        self.library = library
        self.since = since
        self._moved = moved
        self._merger = Merger(library.store, library.trees)
        self._policy = policy or Policy(diffs=False)
        quick = {kind: check for kind, check in self._policy.checks.items() if kind not in SEARCHING}
        self._settler = self._settling(Trusting(), replace(self._policy, checks=quick))
        self._guarded: dict[tuple[str, ...], tuple[Settled, Guard]] = {}
        self._settled: dict[tuple[str, str], Settled] = {}
        self._explained: dict[tuple[str, str], PatchOutcome] = {}
        self._patches: dict[str, Patch] = {}

    def _settling(self, guard: Guard, policy: Policy) -> Settler:
        return Settler(self.library, self._merger, self._moved, lambda: self.since, guard, policy)

    def patches(self, commits: Iterable[str]) -> list[Patch]:
        """Each commit as a patch, those left out that are none: merges, and what git refuses to read."""
        wanted = list(dict.fromkeys(commits))
        history, store = self.library.history, self.library.store
        store.prefetch(wanted)
        new = [history.commit(oid) for oid in wanted if oid not in self._patches]
        with suppress(GitFailedError):
            single = [commit for commit in new if len(commit.parents) < 2]
            self._patches.update((patch.commit, patch) for patch in read_patches(single, history, store))
        return [self._patches[oid] for oid in wanted if oid in self._patches]

    def apply(self, patch: Patch, tree: str) -> PatchOutcome:
        """What becomes of a patch on a tree; its own tree is '' where it does not apply."""
        found = self._settle(patch, tree).outcome
        return replace(found, tree=tree) if found.verdict is Verdict.ALREADY_PRESENT else found

    def findings(self, patch: Patch, tree: str) -> tuple[Finding, ...]:
        """What the text that came of it gives away, without the guard's word."""
        return self._settle(patch, tree).findings

    def _settle(self, patch: Patch, tree: str) -> Settled:
        key = patch.commit, tree
        if key not in self._settled:
            self._settled[key] = self._settler.settle(patch, tree)
        return self._settled[key]

    def chain(self, patches: Sequence[Patch], tree: str) -> list[PatchOutcome]:
        """The patches one behind the other, from `tree` on; it ends at the first that does not apply."""
        foresee([Chain(tree, patches, self._moved)], self.library.trees, self._merger)
        found: list[PatchOutcome] = []
        for patch in patches:
            found.append(self.apply(patch, tree))
            tree = found[-1].tree
            if not tree:
                break
        return found

    def guarded(self, patches: Sequence[Patch], tree: str, guarding: Guarding) -> list[Settled]:
        """The same as the run would have it, with what the guard finds; it ends at the first that does not land.

        What was found behind the same patches before is found again: plans differ in their ends.
        """
        found: list[Settled] = []
        behind: Guard | None = None
        key: tuple[str, ...] = (tree,)
        for patch in patches:
            key = (*key, patch.commit)
            if key not in self._guarded:
                guard = guarding([patch], behind)
                settled = self._settling(guard, self._policy).settle(patch, tree)
                self._guarded[key] = settled, guard
                guard.accept(patch)
            settled, behind = self._guarded[key]
            found.append(settled)
            tree = settled.outcome.tree or (tree if settled.outcome.verdict is Verdict.ALREADY_PRESENT else "")
            if not tree:
                break
        return found

    def explained(self, patch: Patch, tree: str) -> PatchOutcome:
        """The outcome with the causes of its conflicts."""
        key = patch.commit, tree
        if key not in self._explained:
            series, library = Series("", "", self.since, (patch,)), self.library
            told = explain(series, lambda: self.since, [self.apply(patch, tree)], library.store, library.history)
            (self._explained[key],) = told
        return self._explained[key]

    def merge(self, triples: Sequence[Triple]) -> list[Merged]:
        """Merged contents, all of them in one process."""
        self.library.store.prefetch(oid for triple in triples for oid in (triple.base, triple.ours, triple.theirs))
        return self._merger.merge(triples)

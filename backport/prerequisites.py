"""What the patches of a series that do not land would need first: the question behind `backport prerequisites`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backport.drift.undeclared import KernelGuard
from backport.drift.workbench import Workbench
from backport.examine import Lenient, Opened, Request, Workshop, opened
from backport.git.clone import resolve, resolve_one
from backport.git.history import Commit
from backport.git.versions import fork_point
from backport.ingest.accepted import apply
from backport.ingest.commits import read_patches
from backport.model.definition import Acceptance, DefinedCommit, Definition, Fold
from backport.model.errors import BackportError
from backport.model.prerequisites import Needed, Pick
from backport.model.progress import Progress, Silent
from backport.model.result import Skipped
from backport.model.series import Patch, Series
from backport.model.verdict import PatchOutcome, Verdict
from backport.package import version
from backport.replay.engine import Replayed, moved_files, replay
from backport.replay.explain import known_until
from backport.replay.guard import Guard
from backport.replay.policy import Policy
from backport.replay.prerequisites.plans import STAGE, Case, needed
from backport.replay.prerequisites.trial import Bench
from backport.replay.situation import Library
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Answer:
    """What each patch that did not land needs, in the order of the series, and how many patches there were."""

    needed: tuple[Needed, ...]
    patches: int
    skipped: tuple[Skipped, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether any of them has no plan that is complete."""
        return any(found.best is None for found in self.needed)


def ask(request: Request, base: str, progress: Progress) -> Answer:
    """Replay the series under the guard, then find plans for every patch that does not land. Nothing is written.

    `base` is the upstream revision up to which the target has all history; '' finds it: the definition's, the fork point, or for
    a target without common history the release that its Makefile names.
    """
    with opened(request, progress, base) as found:
        series, skipped = _based(found, base)
        accepted = request.definition.accepted if request.definition is not None else ()
        with Room.over(series.base, found.onto, found.shop, accepted, progress) as room:
            replayed = room.replay(series, progress)
            progress.stage("plans", 0)
            waiting = [(p, o) for p, o in zip(series.patches, replayed.outcomes, strict=True) if wants_help(o)]
            told = tuple(room.plans(patch, outcome, replayed) for patch, outcome in waiting)
        complete = sum(n.best is not None for n in told)
        progress.done(f"{complete} of {len(told)} patches have a complete plan" if told else "no patch needs one")
        return Answer(told, len(series.patches), skipped)


def complete(
    definition: Definition, series: Series, onto: Commit, shop: Workshop, progress: Progress
) -> tuple[Definition, Series, Mapping[str, str]]:
    """The series with the cheapest complete plan of every patch that waits for a person put in front of it.

    Each plan is found on the target with the plans before it. The commits that were put in are named with the patch that needs
    them; in the definition they are of that patch's topic. A patch without a complete plan stays as it is.
    """
    progress.stage("plans", 0)
    asked: set[str] = set()
    put: dict[str, str] = {}
    with Room.over(series.base, onto, shop, definition.accepted, progress) as room:
        while True:
            replayed = room.replay(series, Silent())
            waiting = [o for o in replayed.outcomes if o.verdict.needs_person and o.upstream not in asked]
            if not waiting:
                break
            asked.add(waiting[0].upstream)
            patch = next(p for p in series.patches if p.commit == waiting[0].upstream)
            plan = room.plans(patch, waiting[0], replayed).best
            if plan is not None:
                picks = [pick for pick in plan.picks if pick.commit not in put]
                put.update((pick.commit, patch.commit) for pick in picks)
                series, definition = _inserted(series, definition, patch, picks, shop)
    progress.done(f"{len(put)} prerequisites for {len(set(put.values()))} of {len(asked)} patches")
    return definition, series, put


def _inserted(
    series: Series, definition: Definition, patch: Patch, picks: Sequence[Pick], shop: Workshop
) -> tuple[Series, Definition]:
    made = read_patches([shop.history.commit(pick.commit) for pick in picks], shop.history, shop.store)
    at = series.patches.index(patch)
    patches = (*series.patches[:at], *made, *series.patches[at:])
    row = next(i for i, c in enumerate(definition.commits) if patch.commit.startswith(c.commit))
    topic = definition.commits[row].topic
    rows = tuple(DefinedCommit(pick.commit, pick.subject, topic, 0) for pick in picks)
    commits = (*definition.commits[:row], *rows, *definition.commits[row:])
    return replace(series, patches=patches), replace(definition, commits=commits)


def marked(outcomes: Sequence[PatchOutcome], put: Mapping[str, str], folds: Sequence[Fold]) -> list[PatchOutcome]:
    """The outcomes with a reason beside those that are put in for another's sake, or have a fix folded in."""
    told = []
    for outcome in outcomes:
        notes = [f"prerequisite of {put[outcome.upstream][:12]}"] if outcome.upstream in put else []
        notes += [f"with {f.commit[:12]} {f.subject} folded in" for f in folds if outcome.upstream.startswith(f.into[:12])]
        told.append(replace(outcome, reason="; ".join(filter(None, [outcome.reason, *notes]))) if notes else outcome)
    return told


_FOLDED = re.compile(r"with ([0-9a-f]{12}) ((?:(?! folded in(?:;|$)).)*) folded in(?:; |$)")


def folds_of(outcome: PatchOutcome) -> list[Fold]:
    """The folds that `marked` has noted beside an outcome; ids of twelve digits."""
    return [Fold(commit, subject, outcome.upstream, 0) for commit, subject in _FOLDED.findall(outcome.reason)]


@dataclass(frozen=True, slots=True)
class Room:
    """Where the patches of one series are tried on one target: `base` is the upstream commit up to which it has all history."""

    base: str
    onto: Commit
    shop: Workshop
    accepted: Sequence[Acceptance]
    workbench: Workbench
    progress: Progress

    @classmethod
    @contextmanager
    def over(cls, base: str, onto: Commit, shop: Workshop, accepted: Sequence[Acceptance], progress: Progress) -> Iterator[Room]:
        """A room with one workbench for all guards that are asked in it."""
        with Workbench(shop.trees, shop.store, shop.history, cache_folder()) as workbench:
            yield cls(base, onto, shop, accepted, workbench, progress)

    def replay(self, series: Series, progress: Progress) -> Replayed:
        """As a run would do it."""
        shop = self.shop
        guard = self._guard(series, self.onto.tree)
        return replay(series, self.onto.oid, shop.store, shop.trees, shop.history, progress, guard, self._policy)

    def plans(self, patch: Patch, outcome: PatchOutcome, replayed: Replayed) -> Needed:
        """The plans for a patch of a replayed series, found on the tree on which it did not land."""
        shop = self.shop
        tree = _tree_before(outcome, replayed, self.onto.tree)
        since = known_until(Series("", "", self.base, (patch,)), self.onto.oid, shop.history)
        library = Library(shop.store, shop.trees, shop.history)
        bench = Bench(library, since, moved_files([patch], tree, shop.trees, shop.history), self._policy)
        findings = tuple(f for f in replayed.findings if f.patch == patch.commit)
        taken = frozenset(o.upstream for o in replayed.outcomes if o.tree)

        def trial(tried: Sequence[Patch], behind: Guard | None) -> Guard:
            if isinstance(behind, Lenient):
                return behind.going_on(tried)
            return self._guard(Series("", "", self.base, tuple(tried)), tree)

        return needed(Case(patch, tree, outcome, findings, bench, trial, self.progress, taken))

    @property
    def _policy(self) -> Policy:
        return Policy(diffs=False, lenient=lambda found: apply(found, tuple(self.accepted)))

    def _guard(self, series: Series, tree: str) -> Lenient:
        """The guard of a run, for some patches on some tree."""
        return Lenient(KernelGuard(series, tree, self.workbench), tuple(self.accepted))


def wants_help(outcome: PatchOutcome) -> bool:
    """Whether other commits may make a patch land: it waits for a person, or the target has none of its files."""
    return outcome.verdict.needs_person or outcome.verdict is Verdict.NOT_APPLICABLE


def _tree_before(outcome: PatchOutcome, replayed: Replayed, tree: str) -> str:
    """The target as it was when the patch was tried: with whatever landed before it."""
    for other in replayed.outcomes:
        if other.upstream == outcome.upstream:
            break
        tree = other.tree or tree
    return tree


def _based(found: Opened, base: str) -> tuple[Series, tuple[Skipped, ...]]:
    """The series with the upstream commit up to which the target has all history."""
    series, shop = found.series, found.shop
    until = next((patch.parent for patch in reversed(series.patches) if patch.parent), "")
    if base:
        return replace(series, base=resolve_one(found.clones, base, "--base")), ()
    if series.base != found.onto.oid or not until or fork_point(shop.store, found.onto.oid, until):
        return series, ()
    try:
        makefile = shop.trees.read(found.onto.tree, b"Makefile") or b""
        release = f"v{version.parse(makefile, 'Makefile').upstream}"
    except BackportError:
        release = ""
    for name in (release, release.rpartition(".")[0]):  # v2.6.31.3 is not among mainline's tags, v2.6.31 is
        (oid,) = resolve(found.clones, [name]) if name else (None,)
        if oid is not None and fork_point(shop.store, oid, until):
            return replace(series, base=oid), ()
    why = "target and patches share no history, and no clone has the release that the target's Makefile names"
    return series, (Skipped(STAGE, "the lower end of the search", why, "name it: --base REV"),)

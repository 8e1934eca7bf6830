"""What the patches of a series that do not land would need first: the question behind `backport prerequisites`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from backport.drift.undeclared import KernelGuard
from backport.examine import Lenient, Opened, Request, Workshop, opened
from backport.git.clone import resolve
from backport.git.history import Commit
from backport.git.versions import fork_point
from backport.model.definition import Acceptance
from backport.model.errors import BackportError
from backport.model.prerequisites import Needed
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import Patch, Series
from backport.model.verdict import PatchOutcome, Verdict
from backport.package import version
from backport.replay.engine import Replayed, moved_files, replay
from backport.replay.explain import known_until
from backport.replay.guard import Guard
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
        with guarding(series, found.onto.tree, found.shop, accepted) as guard:
            shop = found.shop
            replayed = replay(series, found.onto.oid, shop.store, shop.trees, shop.history, progress, guard)
        return Answer(plans_for(series, found.onto, replayed, shop, accepted, progress), len(series.patches), skipped)


def plans_for(
    series: Series, onto: Commit, replayed: Replayed, shop: Workshop, accepted: Sequence[Acceptance], progress: Progress
) -> tuple[Needed, ...]:
    """The plans for every patch of a replayed series that did not land, each on the tree on which it did not."""
    progress.stage("plans", 0)
    patches = {patch.commit: patch for patch in series.patches}
    found = []
    for outcome in replayed.outcomes:
        if wants_help(outcome):
            found.append(_plans(patches[outcome.upstream], outcome, series.base, onto, replayed, shop, accepted, progress))
    progress.done(f"{sum(n.best is not None for n in found)} of {len(found)} patches have a complete plan")
    return tuple(found)


def _plans(
    patch: Patch,
    outcome: PatchOutcome,
    base: str,
    onto: Commit,
    replayed: Replayed,
    shop: Workshop,
    accepted: Sequence[Acceptance],
    progress: Progress,
) -> Needed:
    tree = _tree_before(outcome, replayed, onto.tree)
    since = known_until(Series("", "", base, (patch,)), onto.oid, shop.history)
    library = Library(shop.store, shop.trees, shop.history)
    bench = Bench(library, since, moved_files([patch], tree, shop.trees, shop.history))
    findings = tuple(f for f in replayed.findings if f.patch == patch.commit)
    taken = frozenset(o.upstream for o in replayed.outcomes if o.tree)

    def trial(tried: Sequence[Patch]) -> AbstractContextManager[Guard]:
        return guarding(Series("", "", base, tuple(tried)), tree, shop, accepted)

    return needed(Case(patch, tree, outcome, findings, bench, trial, progress, taken))


@contextmanager
def guarding(series: Series, tree: str, shop: Workshop, accepted: Sequence[Acceptance]) -> Iterator[Guard]:
    """The guard of a run, for some patches on some tree."""
    with KernelGuard(series, tree, shop.trees, shop.store, shop.history, cache_folder()) as guard:
        yield Lenient(guard, tuple(accepted))


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
        (oid,) = resolve(found.clones, [base])
        return replace(series, base=oid or series.base), ()
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

"""Which later commits belong to a series: the question behind `backport fixes`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backport.examine import Opened, Request, opened
from backport.git.clone import resolve_one
from backport.ingest.adhoc import is_file
from backport.model.errors import InputError
from backport.model.followups import FollowUp, Rank
from backport.model.progress import Progress, Silent
from backport.model.result import Skipped
from backport.model.verdict import Verdict
from backport.replay.engine import moved_files, replay
from backport.replay.explain import known_until
from backport.replay.followups.content import has
from backport.replay.followups.later import follow_ups
from backport.replay.prerequisites.trial import Bench
from backport.replay.situation import Library


@dataclass(frozen=True, slots=True)
class Answer:
    """The later commits, the most needed first, and what was not looked at."""

    found: tuple[FollowUp, ...]
    skipped: tuple[Skipped, ...]

    @property
    def needs_person(self) -> bool:
        """Whether anything mandatory is missing."""
        return any(f.rank is Rank.MANDATORY and f.missing for f in self.found)


def ask(request: Request, until: str, progress: Progress) -> Answer:
    """The follow-ups of a series up to the revision `until`, and whether the target has each by content. Nothing is written.

    Without a target (commits, and no --onto) the latter is left open. What the definition drops is not told again.
    """
    compared = bool(request.onto)
    if not compared:
        request = replace(request, onto=_before(request))
    with opened(request, progress, until) as found:
        shop, series = found.shop, found.series
        oldest = min((p for p in series.patches if p.parent), key=lambda p: p.committer.rpartition(b"> ")[2], default=None)
        since = known_until(series, found.onto.oid, shop.history) if request.definition else oldest.parent if oldest else ""
        definition = request.definition
        dropped = [drop.commit for drop in definition.drops] if definition is not None else []
        last = resolve_one(found.clones, until, "--until")
        library = Library(shop.store, shop.trees, shop.history)
        later, skipped = follow_ups(series, since, last, library, progress, dropped)
        return Answer(tuple(_on_target(later, found, library, progress)) if compared else tuple(later), skipped)


def _before(request: Request) -> str:
    """A place for commits that are asked about without a target, where nothing is replayed: the first of them, or before."""
    first = request.what[0]
    if is_file(first):
        raise InputError("no target is given", where="--onto", then="say what the patch files are made for: --onto REV")
    since, dots, _ = first.partition("..")
    return since if dots else first


def _on_target(later: list[FollowUp], found: Opened, library: Library, progress: Progress) -> list[FollowUp]:
    """The same with what becomes of each on the target, with as much of the series as lands there."""
    shop, series = found.shop, found.series
    progress.stage("target", len(later))
    tree = replay(series, found.onto.oid, shop.store, shop.trees, shop.history, Silent()).tree
    since = known_until(series, found.onto.oid, shop.history)
    plain = Bench(library, since, {})
    patches = {patch.commit: patch for patch in plain.patches(f.commit for f in later)}
    bench = Bench(library, since, moved_files(tuple(patches.values()), tree, shop.trees, shop.history))
    told = []
    for each in later:
        verdict = bench.apply(patches[each.commit], tree).verdict if each.commit in patches else Verdict.CONFLICT
        if not verdict.landed and each.commit in patches:
            patch = patches[each.commit]
            (hunks,) = shop.history.tree_hunks([(patch.parent_tree, patch.tree)])
            verdict = Verdict.ALREADY_PRESENT if has(hunks, lambda path: shop.trees.read(tree, path)) else verdict
        told.append(replace(each, target=verdict))
        progress.step(each.subject)
    progress.done(f"{sum(not f.missing for f in told)} of {len(told)} are there already")
    return told

"""Settles many patches that have nothing to do with each other, each on a target of its own, in as few processes as one series.

What the whole wave needs is read and merged first: commits, changed paths, file contents, merges. What is left for one patch
is comparing ids, asking the guard, and the rules where it is in conflict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache

from backport.git.merge import Merger
from backport.model.errors import BackportError
from backport.model.series import Patch
from backport.replay.engine import Chain, foresee, moved_files, prefetch
from backport.replay.guard import Guard, Trusting
from backport.replay.policy import Policy
from backport.replay.settle import Settled, Settler
from backport.replay.situation import Library


@dataclass(frozen=True, slots=True)
class Job:
    """A patch, the commit that it is to go onto, and that commit's tree."""

    patch: Patch
    onto: str
    tree: str


Guards = Callable[[Job], AbstractContextManager[Guard]]
"""Opens the guard of one job."""


def trusting(job: Job) -> AbstractContextManager[Guard]:
    """A guard that believes everything."""
    return nullcontext(Trusting())


def settle_wave(
    jobs: Sequence[Job], library: Library, policy: Policy, guards: Guards = trusting
) -> Iterator[tuple[Settled | BackportError, float]]:
    """What becomes of each job, in order, and the seconds that it took: its own, and its share of what was done for all.

    A job that fails (an object is missing, git died) is an error of its own and does not stop the others.
    """
    started = time.perf_counter()
    merger = Merger(library.store, library.trees)
    chains = [_chain(job, library) for job in jobs]
    sound = [chain for chain in chains if isinstance(chain, Chain)]
    with suppress(BackportError):  # whose object is missing is said when that job is settled
        prefetch(sound, library.store, library.trees)
        foresee(sound, library.trees, merger)
    share = (time.perf_counter() - started) / max(1, len(jobs))
    for job, chain in zip(jobs, chains, strict=True):
        started = time.perf_counter()
        settled = chain if isinstance(chain, BackportError) else _settle(job, chain, library, merger, policy, guards)
        yield settled, share + time.perf_counter() - started


def _chain(job: Job, library: Library) -> Chain | BackportError:
    try:
        return Chain(job.tree, (job.patch,), moved_files((job.patch,), job.tree, library.trees, library.history))
    except BackportError as error:
        return error


def _settle(job: Job, chain: Chain, library: Library, merger: Merger, policy: Policy, guards: Guards) -> Settled | BackportError:
    since = cache(lambda: library.history.merge_base(job.onto, job.patch.parent) if job.patch.parent else "")
    try:
        with guards(job) as guard:
            return Settler(library, merger, chain.moved, since, guard, policy).settle(job.patch, job.tree)
    except BackportError as error:
        return error

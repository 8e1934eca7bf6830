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
from typing import ParamSpec, TypeVar

from backport.git.merge import Merger
from backport.model.errors import BackportError
from backport.model.series import Patch
from backport.replay.engine import Chain, foresee, moved_files, prefetch
from backport.replay.guard import Guard, Trusting
from backport.replay.policy import Policy
from backport.replay.settle import Settled, Settler
from backport.replay.situation import Library

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """A patch, the commit that it is to go onto, and that commit's tree."""

    patch: Patch
    onto: str
    tree: str


Guards = Callable[[Sequence[Job]], Callable[[Job], AbstractContextManager[Guard]]]
"""Reads what the guards of all jobs will ask for; what it returns opens the guard of one of them."""


def trusting(jobs: Sequence[Job]) -> Callable[[Job], AbstractContextManager[Guard]]:
    """Guards that believe everything."""
    return lambda job: nullcontext(Trusting())


def settle_wave(
    jobs: Sequence[Job], library: Library, policy: Policy, guards: Guards = trusting
) -> Iterator[tuple[Settled | BackportError, float]]:
    """What becomes of each job, in order, and the seconds that it took: its own, and its share of what was done for all.

    A job that fails (an object is missing, git died) is an error of its own and does not stop the others.
    """
    started = time.perf_counter()
    merger = Merger(library.store, library.trees)
    with suppress(BackportError):  # whose object is missing is said when that job is settled
        changes = ((job.tree, change) for job in jobs for change in job.patch.changes)
        library.trees.prefetch((tree, path) for tree, change in changes for path in (change.old_path, change.new_path))
    chains = [_timed(_chain, job, library) for job in jobs]
    sound = [chain for chain, _ in chains if isinstance(chain, Chain)]
    with suppress(BackportError):
        prefetch(sound, library.store, library.trees)
        foresee(sound, library.trees, merger)
    opened = guards(jobs)
    own = sum(seconds for _, seconds in chains)  # where a file has moved, a search of seconds that the others have no part in
    share = (time.perf_counter() - started - own) / max(1, len(jobs))
    for job, (chain, before) in zip(jobs, chains, strict=True):
        settled, seconds = _timed(_settle, job, chain, library, merger, policy, opened)
        yield settled, share + before + seconds


def _timed(work: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> tuple[_T, float]:
    """What some work gives, and the seconds that it took."""
    started = time.perf_counter()
    return work(*given, **named), time.perf_counter() - started


def _chain(job: Job, library: Library) -> Chain | BackportError:
    try:
        return Chain(job.tree, (job.patch,), moved_files((job.patch,), job.tree, library.trees, library.history))
    except BackportError as error:
        return error


def _settle(
    job: Job,
    chain: Chain | BackportError,
    library: Library,
    merger: Merger,
    policy: Policy,
    opened: Callable[[Job], AbstractContextManager[Guard]],
) -> Settled | BackportError:
    if isinstance(chain, BackportError):
        return chain
    since = cache(lambda: library.history.merge_base(job.onto, job.patch.parent) if job.patch.parent else "")
    try:
        with opened(job) as guard:
            return Settler(library, merger, chain.moved, since, guard, policy).settle(job.patch, job.tree)
    except BackportError as error:
        return error

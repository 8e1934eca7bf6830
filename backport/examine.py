"""The first half of the stair, shared by `run` and `drift`: ingest, replay under the guard, and everything drift knows.

Nothing is written but to the store, which the caller owns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backport.drift import stage
from backport.drift.undeclared import KernelGuard
from backport.drift.workbench import Workbench
from backport.git.clone import Clone, resolve_one
from backport.git.history import Commit, History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.accepted import apply
from backport.ingest.adhoc import gather, is_file
from backport.ingest.commits import ingest
from backport.ingest.sources import Sources, open_sources, wanted_names
from backport.model.definition import Acceptance, Definition
from backport.model.errors import InputError
from backport.model.finding import Finding
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import Patch, Series
from backport.replay.engine import Replayed, replay
from backport.replay.policy import Policy
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Request:
    """What `backport drift` was asked: a definition, or commits, ranges and patch files by name."""

    what: tuple[str, ...]
    definition: Definition | None
    kernels: tuple[str, ...]
    onto: str
    kabi_whitelist: Path | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A series replayed onto a target, and what was found."""

    replayed: Replayed
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every stage of one run reads with."""

    store: Store
    trees: Trees
    history: History


@dataclass(frozen=True, slots=True)
class Opened:
    """A series and its target, with everything that they are read with."""

    shop: Workshop
    clones: tuple[Clone, ...]
    onto: Commit
    series: Series


@contextmanager
def opened(request: Request, progress: Progress, *more: str) -> Iterator[Opened]:
    """Ingest what was asked about, in a scratch store that is gone afterwards; the revisions `more` are looked up as well.

    InputError where no target is named.
    """
    if not request.onto:
        raise InputError("no target is given", where="--onto", then="say what the commits are to be rebased onto: --onto REV")
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        scratch = Path(folder)
        names = [request.onto, *_revisions(request.what), *filter(None, more)]
        sources = open_histories(request.definition, request.kernels, names, scratch, progress)
        with sources.store(scratch / "run.git") as store:
            shop = Workshop(store, Trees(store), History(store))
            onto = shop.history.commit(resolve_one(sources.clones, request.onto))
            yield Opened(shop, sources.clones, onto, _series(request, sources.clones, store, progress))


def drift(request: Request, progress: Progress) -> Examined:
    """Ingest and examine. InputError where no target is named."""
    whitelist = _whitelist(request.kabi_whitelist)
    with opened(request, progress) as found:
        return examine(found.series, found.onto, found.shop, request.definition, progress, whitelist)


def examine(
    series: Series,
    onto: Commit,
    shop: Workshop,
    definition: Definition | None,
    progress: Progress,
    whitelist: frozenset[str] | None = None,
    *,
    suggestions: bool = False,
) -> Examined:
    """Replay under the guard, then look at what only the whole result shows: numbers, Kconfig, kABI.

    `suggestions` applies what the rules suggest and the guard has nothing against.
    """
    store, trees, history = shop.store, shop.trees, shop.history
    config, accepted = (definition.config, definition.accepted) if definition is not None else ((), ())
    with Workbench(trees, store, history, cache_folder()) as bench:
        guard = KernelGuard(series, onto.tree, bench)
        replayed = under_guard(series, onto, shop, guard, definition, progress, suggestions=suggestions)
        subject = stage.Subject(series, onto.tree, replayed.tree, config, whitelist)
        report = stage.check(subject, replayed.findings, bench, progress)
        return Examined(replayed, apply(report.findings, accepted), (*guard.skipped(), *bench.skipped(), *report.skipped))


def under_guard(
    series: Series,
    onto: Commit,
    shop: Workshop,
    guard: KernelGuard,
    definition: Definition | None,
    progress: Progress,
    *,
    suggestions: bool = False,
) -> Replayed:
    """The replay alone, with findings accepted and conflicts decided as the definition says."""
    accepted, recordings = (definition.accepted, definition.recordings) if definition is not None else ((), ())
    policy = Policy(accept=suggestions, recordings=recordings, lenient=lambda found: apply(found, accepted))
    return replay(series, onto.oid, shop.store, shop.trees, shop.history, progress, Lenient(guard, accepted), policy)


def replayed_now(series: Series, onto: Commit, shop: Workshop, definition: Definition | None, progress: Progress) -> Replayed:
    """The same with a guard of its own, for whoever wants nothing else of it."""
    with Workbench(shop.trees, shop.store, shop.history, cache_folder()) as bench:
        guard = KernelGuard(series, onto.tree, bench)
        return under_guard(series, onto, shop, guard, definition, progress)


@dataclass(frozen=True, slots=True)
class Lenient:
    """A guard whose findings carry the reasons for which the definition accepts them: those do not refuse a patch."""

    guard: KernelGuard
    accepted: tuple[Acceptance, ...]

    def going_on(self, patches: Sequence[Patch]) -> Lenient:
        """A guard for other patches behind those that this one has accepted; this one stays as it is."""
        return replace(self, guard=self.guard.going_on(patches))

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        """The guard's, with reasons."""
        return apply(self.guard.findings(patch, tree), self.accepted)

    def accept(self, patch: Patch) -> None:
        """The patch landed."""
        self.guard.accept(patch)


def open_histories(
    definition: Definition | None, kernels: Sequence[str], names: Sequence[str], scratch: Path, progress: Progress
) -> Sources:
    """The histories that are needed; an embedded one is made now, in `scratch`."""
    if definition is not None and definition.embedded and not kernels:
        from backport import sample

        kernels = [str(sample.build(definition.source.parent, scratch / "sample.git"))]
    wanted = wanted_names(definition, names[0]) if definition is not None else list(names)
    return open_sources(kernels, wanted, cache_folder(), progress)


def _series(request: Request, clones: Sequence[Clone], store: Store, progress: Progress) -> Series:
    if request.definition is not None:
        return ingest(request.definition, clones, store, progress)
    return gather(request.what, request.onto, clones, store, progress)


def _whitelist(path: Path | None) -> frozenset[str] | None:
    if path is None:
        return None
    from backport.drift.kabi import parse_whitelist

    try:
        return parse_whitelist(path.read_bytes())
    except OSError as error:
        then = "give a file with one exported symbol a line, or a Module.symvers"
        raise InputError(f"cannot read the whitelist: {error.strerror}", where=str(path), then=then) from error


def _revisions(what: Sequence[str]) -> list[str]:
    """The revisions among the words of a command line."""
    return [end for word in what if not is_file(word) for end in word.split("..") if end]

"""Everything that one command of a session works with: the histories, a store of its own, the series, and its replay."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backport import sample
from backport.examine import Workshop, replayed_now
from backport.git.history import Commit, History
from backport.git.sparse import Worktree
from backport.git.trees import Trees
from backport.ingest import catalog
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.ingest.sources import Sources, open_sources, wanted_names
from backport.model.definition import Definition
from backport.model.errors import InputError
from backport.model.finding import Finding
from backport.model.progress import Progress
from backport.model.series import Patch, Series
from backport.model.verdict import PatchOutcome
from backport.resolve.session import Session, place
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Stop:
    """The first patch that needs a person: its outcome, what the guard found, and what it would go on top of."""

    patch: Patch
    number: int
    outcome: PatchOutcome
    findings: tuple[Finding, ...]
    head: str
    tree: str


@dataclass(frozen=True, slots=True)
class Bench:
    """`folder` is the worktree's, `store` the name of the folder of our objects in it."""

    folder: Path
    session: Session
    definition: Definition
    sources: Sources
    shop: Workshop
    series: Series
    onto: Commit
    store: str

    def outcomes(
        self, definition: Definition, progress: Progress, upto: str = ""
    ) -> tuple[tuple[PatchOutcome, ...], tuple[Finding, ...]]:
        """The replay under the guard, as `definition` has it decided; with `upto` no further than that patch."""
        series = self.series
        if upto:
            end = next((i for i, patch in enumerate(series.patches, 1) if patch.commit == upto), 0)
            series = replace(series, patches=series.patches[:end])
        replayed = replayed_now(series, self.onto, self.shop, definition, progress)
        return replayed.outcomes, replayed.findings

    def stop(self, outcomes: Sequence[PatchOutcome], findings: Sequence[Finding]) -> Stop | None:
        """The first patch that needs a person and that the session does not skip."""
        head, tree = self.onto.oid, self.onto.tree
        for number, (patch, outcome) in enumerate(zip(self.series.patches, outcomes, strict=False), 1):
            if outcome.verdict.needs_person and outcome.upstream not in self.session.skipped:
                found = tuple(f for f in findings if f.patch == outcome.upstream)
                return Stop(patch, number, outcome, found, head, tree)
            if outcome.commit:
                head, tree = outcome.commit, outcome.tree
        return None

    def discard(self) -> None:
        """Remove our objects: nothing in the folder is made of them."""
        shutil.rmtree(place(self.folder) / self.store, ignore_errors=True)


@contextmanager
def bench(folder: Path, session: Session, progress: Progress) -> Iterator[Bench]:
    """Open the histories of a session again. InputError where they changed so that the target is no longer what it was."""
    definition = catalog.decided(load(Path(session.definition)), [Path(each) for each in session.places])
    kernels = list(session.kernels)
    if definition.embedded and not kernels:
        built = place(folder) / "sample.git"
        kernels = [str(built if built.exists() else sample.build(definition.source.parent, built))]
    sources = open_sources(kernels, [*wanted_names(definition, session.onto), session.target], cache_folder(), progress)
    name = Path(tempfile.mkdtemp(prefix="store-", dir=place(folder))).name
    objects = [Worktree(folder).git_dir / "objects"]
    with sources.store(
        place(folder) / name, objects, keep_last=False
    ) as store:  # what is laid out was flushed; else it may be gone
        shop = Workshop(store, Trees(store), History(store))
        onto = shop.history.commit(session.target)
        series = ingest(definition, sources.clones, store, progress)
        yield Bench(folder, session, definition, sources, shop, series, onto, name)


def check(bench: Bench, stop: Stop | None) -> Stop:
    """The stop, if the folder was laid out for it. InputError where the series or what is recorded changed since."""
    session = bench.session
    if stop is None or (stop.patch.commit, stop.head) != (session.stop, session.head):
        raise InputError(
            f"{session.stop[:12]} is no longer what the series stops at",
            where=session.definition,
            then="the definition or its resolutions changed: save your files, `backport resolve abort`, and begin again",
        )
    return stop

"""Questions to whole trees by name: the index of every blob, over one or more versions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backport.csource.index import Index
from backport.csource.reading import Reader
from backport.csource.survey import Survey
from backport.git.clone import resolve_one
from backport.git.history import History
from backport.ingest.sources import open_sources
from backport.model.progress import Progress
from backport.model.symbols import Declaration, SymbolAnswers
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Version:
    """One revision, read into the index."""

    revision: str
    commit: str
    survey: Survey
    history: History


@contextmanager
def open_trees(revisions: Sequence[str], kernels: Sequence[str], progress: Progress) -> Iterator[list[Version]]:
    """Each revision with all of its C files in the index. InputError for a revision that no clone has."""
    sources = open_sources(kernels, revisions, cache_folder(), progress)
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        history = History(store)
        with Index(Reader(store), cache_folder()) as index:
            versions = []
            for revision in revisions:
                commit = resolve_one(sources.clones, revision, "--at")
                survey = Survey(history.commit(commit).tree, history, index)
                progress.stage("index", survey.steps)
                survey.read(progress.step)
                progress.done(f"{revision}: {survey.blobs} files")
                versions.append(Version(revision, commit, survey, history))
            yield versions


def symbol(name: str, versions: Sequence[Version]) -> SymbolAnswers:
    """What a name is in each version; where first and last differ, the commits between that changed lines with it.

    Looked for in the files that declare it at either end: a commit that only changed callers is left out.
    """
    raw = name.encode("utf-8", "surrogateescape")
    found = []
    for version in versions:
        places = [(d.path, d.declaration) for d in version.survey.declared(raw)]
        declared = [Declaration(path, d.line, d.kind, d.signature) for path, d in places]
        found.append((version.revision, tuple(declared)))
    answers = SymbolAnswers(tuple(found), ())
    if len(versions) < 2 or not answers.differ:
        return answers
    first, last = versions[0], versions[-1]
    if last.history.is_ancestor(last.commit, first.commit):
        first, last = last, first
    paths = sorted({d.path for _, declared in found for d in declared})
    return SymbolAnswers(answers.versions, tuple(last.history.mentions(name, first.commit, last.commit, paths)))

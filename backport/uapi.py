"""The userspace API of a series: what it adds as merged, and the same in other trees and in the backport."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from backport.drift.uapi.feature import Compared, compare_named, feature_at, series_surface
from backport.drift.uapi.items import Changes
from backport.drift.uapi.surface import Reader
from backport.examine import open_histories
from backport.git.clone import resolve_one
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.model.definition import Definition
from backport.model.progress import Progress, Silent
from backport.model.uapi import ApiAnswer, ApiChange, ApiComparison
from backport.replay.engine import replay


def userspace_api(
    definition: Definition, kernels: Sequence[str], onto: str, revisions: Sequence[str], progress: Progress
) -> ApiAnswer:
    """What the series adds, changes and removes, compared with each of `revisions` and with the backport onto `onto`.

    Without revisions, the end of the definition's range is taken: the release that the series was merged for.
    """
    names = list(revisions) or [end for end in [definition.range.rpartition("..")[2]] if end]
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        scratch = Path(folder)
        sources = open_histories(definition, kernels, [onto, *names], scratch, progress)
        with sources.store(scratch / "run.git") as store:
            trees, history = Trees(store), History(store)
            targets = [(name, history.commit(resolve_one(sources.clones, name, "--at")).tree) for name in names]
            target = resolve_one(sources.clones, onto)
            series = ingest(definition, sources.clones, store, Silent())
            replayed = replay(series, target, store, trees, history, Silent())
            targets.append((f"the backport onto {onto}", replayed.tree))
            progress.stage("uapi", len(targets))
            reader = Reader(trees, store)
            feature = series_surface(series, reader)
            found = []
            for name, tree in targets:
                surface = feature_at(feature, tree, reader)
                found.append(comparison(compare_named((definition.name, feature.surface), (name, surface))))
                progress.step(name)
            progress.done(f"{len(feature.changes.changes)} changes")
            return ApiAnswer(_rows(feature.changes), tuple(found), feature.changes.skipped)


def comparison(compared: Compared) -> ApiComparison:
    """Two states of a feature, for display."""
    return ApiComparison(compared.verdict, compared.stable, _rows(compared.changes))


def _rows(changes: Changes) -> tuple[ApiChange, ...]:
    return tuple(
        ApiChange(
            word=change.word,
            kind=change.item.kind.value,
            name=change.item.name,
            scope=change.item.scope,
            before=change.before.value if change.before is not None else "",
            after=change.after.value if change.after is not None else "",
            path=change.item.path,
            line=change.item.line,
        )
        for change in changes.changes
    )

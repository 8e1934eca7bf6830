"""Folds a fix into the commit of a series that it fixes: the question behind `backport series fold`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backport.examine import open_histories
from backport.git.clone import resolve_one
from backport.git.history import History
from backport.ingest import edit
from backport.ingest.commits import ingest
from backport.model.definition import Definition, Fold
from backport.model.errors import InputError
from backport.model.progress import Progress
from backport.model.series import squeezed


def fold(definition: Definition, fix: str, into: str, kernels: Sequence[str], progress: Progress) -> Fold:
    """Write the fold into the definition's file, once it is known that the fix applies directly on `into`.

    InputError where it does not, or where either is no such commit; the file is then as it was.
    """
    row = next((c for c in definition.commits if into and c.commit.startswith(into[:40].lower())), None)
    if row is None:
        then = f"`backport series show {definition.name}` lists its commits"
        raise InputError(f"{into!r} is no commit of the series", where=str(definition.source), then=then)
    if any(fix.startswith(known.commit[:12]) or known.commit.startswith(fix) for known in definition.folds):
        then = f"backport series fold {definition.name} {fix} --undo"
        raise InputError(f"{fix} is folded already", where=str(definition.source), then=then)
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        scratch = Path(folder)
        sources = open_histories(definition, kernels, [definition.onto, fix], scratch, progress)
        with sources.store(scratch / "run.git") as store:
            oid = resolve_one(sources.clones, fix, "FIX")
            made = Fold(oid, squeezed(History(store).commit(oid).subject), row.commit, 0)
            ingest(replace(definition, folds=(*definition.folds, made)), sources.clones, store, progress)
    edit.add_fold(definition.source, made)
    return made


def unfold(definition: Definition, fix: str) -> None:
    """Take a fold out of the definition's file again: the fix has the place back that it had."""
    edit.remove_fold(definition.source, fix)

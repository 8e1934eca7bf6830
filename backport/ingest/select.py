"""Writes a definition from a history: the commits of a range that touch some paths or whose message matches."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.git.clone import resolve_one
from backport.git.history import History
from backport.git.runner import GitFailedError
from backport.ingest.definition import NAME, dump, load
from backport.ingest.edit import put
from backport.ingest.sources import open_sources
from backport.model.definition import ConfigValue, DefinedCommit, Definition
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.model.series import squeezed
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Selection:
    """What `series new` was asked for; `symbols` are SYMBOL=VALUE."""

    name: str
    title: str
    span: str
    paths: tuple[str, ...]
    grep: str
    onto: str
    symbols: tuple[str, ...]


def select(selection: Selection, kernels: Sequence[str]) -> Definition:
    """The definition of a selection, oldest commit first; merges and empty commits are never in it.

    InputError for a range that is none, a pattern that git refuses, or nothing found.
    """
    if not NAME.fullmatch(selection.name):
        raise InputError(f"{selection.name!r} is no name for a series", then="letters, digits and ._- only")
    since, dots, until = selection.span.partition("..")
    if not dots or not since or not until or until.startswith("."):
        raise InputError(f"{selection.span!r} is no range", where="--commits", then="write it as A..B")
    sources = open_sources(kernels, [since, until, selection.onto], cache_folder(), Silent())
    first, last = (resolve_one(sources.clones, end, "--commits") for end in (since, until))
    resolve_one(sources.clones, selection.onto)
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder)) as store:
        history = History(store)
        try:
            paths = [path.encode("utf-8", "surrogateescape") for path in selection.paths]
            ids = history.list_commits(f"{first}..{last}", paths, selection.grep)
        except GitFailedError as error:
            raise InputError(f"git cannot list the commits: {error.stderr}", where="--grep") from error
        if not ids:
            raise InputError("no commit matches", where=selection.span, then="widen the range, the paths or --grep")
        store.prefetch(ids)
        commits = tuple(DefinedCommit(oid, squeezed(history.commit(oid).subject), "", 0) for oid in ids)
    return Definition(
        source=Path("series.toml"),
        name=selection.name,
        title=selection.title,
        repository=kernels[0],
        range=selection.span,
        onto=selection.onto,
        commits=commits,
        drops=(),
        topics=(),
        config=tuple(_config(symbol) for symbol in selection.symbols),
    )


def write(definition: Definition, patches: Path) -> Definition:
    """Write NAME/series.toml below `patches`, whole or not at all, and read it back. A file that is there is never replaced."""
    path = patches / definition.name / "series.toml"
    if path.exists():
        raise InputError("the series is defined already", where=str(path), then="edit it, or choose another name")
    put(path, dump(definition))
    return replace(load(path), source=path)


def _config(text: str) -> ConfigValue:
    match = re.fullmatch(r"(?:CONFIG_)?([A-Za-z0-9_]+)=(.+)", text)
    if match is None:
        raise InputError(f"{text!r} sets no symbol", where="--config", then="write it as KSM=y")
    return ConfigValue(match[1], match[2])

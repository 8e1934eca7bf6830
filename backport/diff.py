"""`backport diff`: upstream against backport, patch by patch, only what differs in substance."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.csource.parse import function_at
from backport.examine import Request, Workshop, open_histories, opened, replayed_now
from backport.git.diff import Hunk
from backport.git.history import History
from backport.git.publish import unbundle
from backport.git.store import EMPTY_TREE
from backport.git.trees import Trees
from backport.model.comparison import Comparison, Part, differing
from backport.model.definition import Definition
from backport.model.progress import Progress
from backport.model.result import RunResult
from backport.model.series import decode
from backport.model.verdict import PatchOutcome


@dataclass(frozen=True, slots=True)
class _Pair:
    """One patch that landed: upstream's two trees, and the target's."""

    outcome: PatchOutcome
    upstream: tuple[str, str]
    here: tuple[str, str]


def of_series(request: Request, progress: Progress) -> list[Comparison]:
    """Replay a series now, and compare. InputError where no target is named."""
    with opened(request, progress) as found:
        replayed = replayed_now(found.series, found.onto, found.shop, request.definition, progress)
        return compare(replayed.outcomes, found.onto.tree, found.shop)


def of_report(
    result: RunResult, folder: Path, kernels: Sequence[str], definition: Definition | None, progress: Progress
) -> list[Comparison]:
    """Compare what a finished run in `folder` made. GitFailedError where its bundle is damaged."""
    with tempfile.TemporaryDirectory(prefix="backport-") as scratch:
        names = [result.onto_commit, *(patch.upstream for patch in result.patches)]
        sources = open_histories(definition, kernels, names, Path(scratch), progress)
        with sources.store(Path(scratch) / "run.git") as store:
            for made in result.artifacts:
                if made.kind == "bundle":
                    unbundle(store, folder / made.path)
            return compare(result.patches, result.onto_tree, Workshop(store, Trees(store), History(store)))


def compare(outcomes: Sequence[PatchOutcome], onto_tree: str, shop: Workshop) -> list[Comparison]:
    """Each patch compared, in order; two processes for all of them."""
    pairs = list(_pairs(outcomes, onto_tree, shop))
    upstream = shop.history.tree_hunks([pair.upstream for pair in pairs])
    here = shop.history.tree_hunks([pair.here for pair in pairs])
    parts = {
        pair.outcome.upstream: tuple(_parts(pair, theirs, ours, shop))
        for pair, theirs, ours in zip(pairs, upstream, here, strict=True)
    }
    return [Comparison(o.upstream, o.subject, o.verdict, o.commit, parts.get(o.upstream, ()), o.reason) for o in outcomes]


def _pairs(outcomes: Sequence[PatchOutcome], tree: str, shop: Workshop) -> Iterator[_Pair]:
    for outcome in outcomes:
        if not outcome.commit:
            continue
        commit = shop.history.commit(outcome.upstream)
        parent = shop.history.commit(commit.parents[0]).tree if commit.parents else EMPTY_TREE
        yield _Pair(outcome, (parent, commit.tree), (tree, outcome.tree))
        tree = outcome.tree


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a patch, and where it stands in the file after it (for a removed one: where it stood)."""

    sign: str
    text: bytes
    line: int


def _parts(pair: _Pair, upstream: Sequence[Hunk], here: Sequence[Hunk], shop: Workshop) -> Iterator[Part]:
    """Where the two differ, file by file in the target's names."""
    names = {file.upstream_path: file.path for file in pair.outcome.files}
    theirs, ours = _rows(upstream, names), _rows(here, {})
    for path in dict.fromkeys([*theirs, *ours]):
        yield from _file(path, theirs.get(path, []), ours.get(path, []), pair, shop)
    for file in pair.outcome.files:  # where git shows no lines, the blobs themselves say it
        if file.path not in theirs.keys() | ours.keys() and file.result != file.theirs and file.rule not in ("already", "mode"):
            yield Part(file.path, "", 0, ())


def _rows(hunks: Sequence[Hunk], names: Mapping[bytes, bytes]) -> dict[bytes, list[_Row]]:
    found: dict[bytes, list[_Row]] = {}
    for hunk in hunks:
        rows = found.setdefault(names.get(hunk.path, hunk.path), [])
        rows += [_Row("-", text, hunk.new_line) for text in hunk.removed]
        rows += [_Row("+", text, hunk.new_line + number) for number, text in enumerate(hunk.added)]
    return found


def _file(path: bytes, theirs: list[_Row], ours: list[_Row], pair: _Pair, shop: Workshop) -> Iterator[Part]:
    there, here = ([(row.sign, row.text) for row in side] for side in (theirs, ours))
    if there == here:
        return
    text = shop.trees.read(pair.here[1], path) or b""
    for row, lines in differing(there, here):
        nearest = ours[row : row + 1] or ours[-1:]
        at = nearest[0].line if nearest else 0
        yield Part(path, decode(function_at(text, at)) if at else "", at, lines)

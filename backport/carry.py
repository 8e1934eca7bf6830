"""Carries what was known of an earlier revision over to the patches of a new one that are the same: never silently.

Equal is a patch with the same patch-id, or one that does the same to the same files in other surroundings. Resolutions, accepted
findings and verdicts of such a patch come along, each with a note from where; those of patches that changed stay behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.examine import open_histories
from backport.git.diff import Hunk
from backport.git.history import History
from backport.git.since import with_diffs
from backport.git.store import Store
from backport.ingest import accepted, carried, definition, resolutions
from backport.ingest.commits import ingest
from backport.ingest.mail.diff import read_diff
from backport.model.carried import Carried
from backport.model.definition import Acceptance, Definition
from backport.model.progress import Silent
from backport.model.recording import Recording, normal
from backport.model.result import RunResult
from backport.model.series import Patch, show_path
from backport.package import atomic


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier revision: its definition, how people call it ("v3"), and what runs of it gave."""

    definition: Definition
    revision: str
    results: tuple[RunResult, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """A patch as it is compared: git's patch-id ('' for one with a fix folded in), and what it does without surroundings."""

    patch: Patch
    patch_id: str
    does: tuple[object, ...]
    added: frozenset[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Left:
    """How many decisions stay behind because the patch that they are about is another now, or gone."""

    resolutions: int
    accepted: int


def carry(earlier: Earlier, new: Definition, kernels: Sequence[str]) -> tuple[Definition, Left]:
    """Write beside the new definition what holds for its patches too; that definition as it then reads, and what was left."""
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        names = [commit.commit for commit in (*earlier.definition.commits, *new.commits) if not commit.mail]
        names += [name for each in (earlier.definition, new) for name in (each.base, each.onto) if name]
        sources = open_histories(None, kernels, names, Path(folder), Silent())
        with sources.store(Path(folder) / "run.git") as store:
            before, after = (
                _changes(ingest(each, sources.clones, store, Silent()).patches, store) for each in (earlier.definition, new)
            )
    pairs = list(_pairs(before, after))
    told = [_carried(old, fresh, rule, earlier) for old, fresh, rule in pairs]
    recordings = [found for one in told for found in _recordings(one, earlier.definition)]
    acceptances = list(_acceptances(pairs, told, after, earlier.definition.accepted))
    counted = [
        replace(
            one,
            resolutions=sum(found.commit == one.commit for found in recordings),
            accepted=sum(found.carried == one.why for found in acceptances),
        )
        for one in told
    ]
    place = new.source.parent
    if recordings:
        resolutions.write(place / resolutions.FOLDER, recordings)
    if acceptances:
        accepted.add(place / accepted.FILE, acceptances)
    atomic.put(place / carried.FILE, carried.dump(counted))
    left = Left(len(earlier.definition.recordings) - len(recordings), len(earlier.definition.accepted) - len(acceptances))
    return definition.load(new.source), left


def _changes(patches: Sequence[Patch], store: Store) -> list[_Change]:
    """Three processes for all of them."""
    history = History(store)
    diffs = {each.commit: each.diff for each in with_diffs(store, [patch.commit for patch in patches])}
    hunks = history.tree_hunks([(patch.parent_tree, patch.tree) for patch in patches])
    whole = {patch.commit for patch in patches if history.commit(patch.commit).tree == patch.tree}
    return [
        _Change(
            patch,
            read_diff(diffs[patch.commit]).patch_id if patch.commit in whole else "",
            _does(patch, found),
            frozenset((hunk.path, line) for hunk in found for line in hunk.added),
        )
        for patch, found in zip(patches, hunks, strict=True)
    ]


def _does(patch: Patch, hunks: Sequence[Hunk]) -> tuple[object, ...]:
    """What a patch does: files with their modes, and lines without white space; for a file without lines, its contents."""
    lines: dict[bytes, list[tuple[str, bytes]]] = {}
    for hunk in hunks:
        rows = lines.setdefault(hunk.path, [])
        rows += [("-", line) for line in normal(b"\n".join(hunk.removed))]
        rows += [("+", line) for line in normal(b"\n".join(hunk.added))]
    files = []
    for change in patch.changes:
        modes = tuple(entry.mode if entry is not None else 0 for entry in (change.old, change.new))
        rows = lines.get(change.new_path, [])
        files.append((change.status, change.old_path, change.new_path, modes, tuple(rows) or change.new))
    return tuple(files)


def _pairs(before: Sequence[_Change], after: Sequence[_Change]) -> Iterator[tuple[_Change, _Change, str]]:
    """Each new patch with the earlier one that it is, by the stricter rule first; each earlier one once."""
    free = list(before)
    for new in after:
        same = next((old for old in free if new.patch_id and old.patch_id == new.patch_id), None)
        rule = "patch-id" if same is not None else "same change"
        same = same or next((old for old in free if new.does and old.does == new.does), None)
        if same is not None:
            free.remove(same)
            yield same, new, rule


def _carried(old: _Change, new: _Change, rule: str, earlier: Earlier) -> Carried:
    found = [(p.verdict.value, r.onto) for r in earlier.results for p in r.patches if p.upstream == old.patch.commit]
    verdict, onto = found[-1] if found else ("", "")
    return Carried(new.patch.commit, new.patch.subject, old.patch.commit, earlier.revision, rule, verdict, onto)


def _recordings(one: Carried, earlier: Definition) -> Iterator[Recording]:
    """Those about the patch, or about what it was in the revision before that, where it was decided late."""
    before = next((each.earlier for each in earlier.carried if each.commit == one.earlier), one.earlier)
    for found in earlier.recordings:
        if found.commit in (one.earlier, before):
            yield replace(found, commit=one.commit, subject=one.subject, carried=one.why)


def _acceptances(
    pairs: Sequence[tuple[_Change, _Change, str]],
    told: Sequence[Carried],
    after: Sequence[_Change],
    acceptances: Sequence[Acceptance],
) -> Iterator[Acceptance]:
    """Those whose symbol stands on an added line of a patch that is the same, and of none that is not.

    An acceptance names no patch: it would speak for the new one as well.
    """
    equal = {new.patch.commit for _, new, _ in pairs}
    for one in acceptances:
        if any(_has(change, one) for change in after if change.patch.commit not in equal):
            continue
        why = next((note.why for (_, new, _), note in zip(pairs, told, strict=True) if _has(new, one)), "")
        if why:
            yield replace(one, carried=why)


def _has(change: _Change, accepted: Acceptance) -> bool:
    symbol = accepted.symbol.encode("utf-8", "surrogateescape")
    return any(accepted.file in ("", show_path(path)) and symbol in line for path, line in change.added)

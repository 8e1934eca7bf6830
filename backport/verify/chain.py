"""The patches of a report: each decided again as far as that follows from blobs alone, and each tree and commit made again.

Comparing ids and merging three blobs is done anew. What a rule or a person made of a conflict is taken as it is: the resulting
blob must exist, and its evidence must be true of it; the tree and the commit then follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from backport.git.clone import Clone, resolve
from backport.git.merge import Merger
from backport.git.store import EMPTY_TREE
from backport.git.trees import PathTakenError
from backport.ingest.commits import patch_of, read_patches
from backport.ingest.fold import folded
from backport.model.codec import encode
from backport.model.difference import Difference
from backport.model.errors import InputError
from backport.model.result import RunResult
from backport.model.series import Entry, Patch
from backport.model.verdict import PLAIN, Conflict, FileOutcome, PatchOutcome, Verdict
from backport.prerequisites import folds_of
from backport.replay.astray import astray
from backport.replay.commit import write_commit
from backport.replay.decide import Decision, decide
from backport.replay.engine import Chain, foresee, moved_files
from backport.replay.evidence import with_evidence
from backport.replay.guard.text import CHECKS
from backport.replay.respelt import RULE as MINED
from backport.replay.settle import conflicts_of
from backport.replay.situation import Library


@dataclass(frozen=True, slots=True)
class Checked:
    """One patch as the report has it, as upstream has it, and what can be said of it without rules: its decisions and conflicts.

    `before` is the tree on which it was decided, `merged` that tree with everything that merges on its own.
    """

    place: str
    told: PatchOutcome
    patch: Patch
    before: str
    merged: str
    plain: PatchOutcome


def upstream_patches(result: RunResult, library: Library) -> tuple[dict[str, Patch], list[Difference]]:
    """The commits that the patches of a report are, by id; those that no history has are differences, and so are their names."""
    found: dict[str, Patch] = {}
    wrong: list[Difference] = []
    for number, told in enumerate(result.patches):
        place = f"patches[{number}]"
        try:
            commit = library.history.commit(told.upstream)
            parent = library.history.commit(commit.parents[0]).tree if commit.parents else EMPTY_TREE
        except InputError as error:
            if told.verdict is not Verdict.DROPPED or told.files:
                wrong.append(Difference(f"{place}.upstream", error.what))
            continue
        if commit.subject != told.subject and " ".join(commit.subject.split()) != told.subject:
            wrong.append(Difference(f"{place}.subject", f"{told.upstream[:12]} is {commit.subject!r}"))
        if told.verdict is not Verdict.DROPPED:
            found[told.upstream] = patch_of(commit, parent, library.history.changes([(parent, commit.tree)])[0])
    return found, wrong


def with_folds(result: RunResult, patches: Mapping[str, Patch], clones: Sequence[Clone], library: Library) -> dict[str, Patch]:
    """The same with the fixes folded in that the report says were: they are in no commit of upstream's."""
    folds = [fold for told in result.patches if told.upstream in patches for fold in folds_of(told)]
    ids = resolve(clones, [fold.commit for fold in folds]) if folds else []
    known = [fold for fold, oid in zip(folds, ids, strict=True) if oid is not None]
    fixes = read_patches([library.history.commit(oid) for oid in ids if oid is not None], library.history, library.store)
    try:
        made = folded(known, Path("patches"), [*patches.values(), *fixes], library.history, library.store)
    except InputError:
        return dict(patches)  # they cannot have been: what then is different is told of the trees
    return {patch.commit: patch for patch in made}


def walk(result: RunResult, patches: dict[str, Patch], library: Library) -> Iterator[Checked | Difference]:
    """Every patch in order with what is wrong with its files, its tree and its commit."""
    merger = Merger(library.store, library.trees)
    tree, tip = result.onto_tree, result.onto_commit
    moved = moved_files(list(patches.values()), tree, library.trees, library.history)
    foresee([Chain(tree, list(patches.values()), moved)], library.trees, merger)
    for number, told in enumerate(result.patches):
        patch, place = patches.get(told.upstream), f"patches[{number}]"
        if told.verdict is Verdict.DROPPED:
            bare = PatchOutcome(told.upstream, told.subject, told.verdict, reason=told.reason)
            yield from _fields(place, told, bare)
        if patch is None:
            continue
        decisions = [
            decide(change, partial(library.trees.entry, tree), lambda triple: merger.merge([triple])[0], moved)
            for change in patch.changes
        ]
        yield from _files(place, told, decisions, tree, library)
        made = _tree(told, decisions, tree, library)
        plain = _plain(patch, decisions, tree, library)
        yield Checked(place, told, patch, tree, made, plain)
        if told.verdict.landed:
            commit = write_commit(patch, replace(told, tree=made), tip, library.store)
            yield from _equal(f"{place}.tree", told.tree, made)
            yield from _equal(f"{place}.commit", told.commit, commit)
            tree, tip = made, commit
        else:
            yield from _equal(f"{place}.tree", told.tree, "")
            yield from _equal(f"{place}.commit", told.commit, "")
            if told.verdict is Verdict.ALREADY_PRESENT and made != tree:
                yield Difference(f"{place}.verdict", "the patch would change the target")
    yield from _equal("tip", result.tip, tip if tip != result.onto_commit else "")
    yield from _equal("tip_tree", result.tip_tree, tree)


def _plain(patch: Patch, decisions: Sequence[Decision], tree: str, library: Library) -> PatchOutcome:
    """The outcome without rules, guard and causes; its reason is there only where code is in a file of another name."""
    conflicts = tuple(conflict for decision in decisions for conflict in conflicts_of(decision))
    if not conflicts:
        try:
            library.trees.edit(tree, {path: entry for decision in decisions for path, entry in decision.edits.items()})
        except PathTakenError as error:
            conflicts = (Conflict(error.path, "kind", "", 0, b"", b"", b""),)
    nowhere = conflicts and all(decision.conflict == "absent" for decision in decisions)
    reason = astray(patch, tree, decisions, library) if nowhere else ""
    verdict = Verdict.NOT_APPLICABLE if nowhere and not reason else Verdict.CONFLICT if conflicts else Verdict.MERGED
    return PatchOutcome(patch.commit, patch.subject, verdict, tuple(d.outcome for d in decisions), conflicts, reason=reason)


def _files(place: str, told: PatchOutcome, decisions: Sequence[Decision], tree: str, library: Library) -> Iterator[Difference]:
    """The files of one patch against the decisions about them."""
    applied = told.verdict.landed or (told.verdict is Verdict.ALREADY_PRESENT and any(f.rule not in PLAIN for f in told.files))
    left = {(d.outcome.upstream_path, d.outcome.base, d.outcome.theirs): d for d in decisions}
    seen: set[int] = set()
    for number, file in enumerate(told.files):
        here = f"{place}.files[{number}]"
        decision = left.get((file.upstream_path, file.base, file.theirs))
        if decision is None and (file.base, file.theirs, file.rule) == (None, None, "recorded"):
            yield from _equal(f"{here}.ours", file.ours, library.trees.entry(tree, file.path))
        elif decision is None:
            yield from _stray(here, file, decisions)
        else:
            seen.add(id(decision))
            yield from _file(here, file, decision, tree, library, applied=applied, landed=told.verdict.landed)
    if told.verdict is not Verdict.DROPPED:
        missing = [d for d in decisions if id(d) not in seen]
        yield from (Difference(f"{place}.files", f"nothing is said of {encode(d.outcome.upstream_path)}") for d in missing)


def _stray(place: str, file: FileOutcome, decisions: Sequence[Decision]) -> Iterator[Difference]:
    """A file that is none of the patch's, or whose two upstream sides are not what upstream has."""
    known = next((d.outcome for d in decisions if d.outcome.upstream_path == file.upstream_path), None)
    if known is None:
        yield Difference(f"{place}.upstream_path", "the patch does not touch it")
        return
    yield from _equal(f"{place}.base", file.base, known.base)
    yield from _equal(f"{place}.theirs", file.theirs, known.theirs)


def _file(
    place: str, file: FileOutcome, decision: Decision, tree: str, library: Library, *, applied: bool, landed: bool
) -> Iterator[Difference]:
    if file.rule in PLAIN or not applied:
        bare = PatchOutcome("", "", Verdict.MERGED, (decision.outcome,))
        (true,) = with_evidence(bare, library.store, tuple(CHECKS)).files if landed else bare.files
        yield from _fields(place, replace(file, evidence=()) if file.rule == "conflict" else file, true)
        return
    if not decision.conflict and file.rule not in ("recorded", MINED):
        yield Difference(f"{place}.rule", f"there was nothing to resolve: {decision.outcome.rule}")
    yield from _equal(f"{place}.ours", file.ours, _ours(file.path, decision, tree, library))
    if file.result is not None:
        try:
            library.store.read(file.result.oid, "blob")
        except InputError as error:
            yield Difference(f"{place}.result.oid", error.what)
    if not file.evidence and file.result is not None:
        yield Difference(f"{place}.evidence", "nothing says why")


def _ours(path: bytes, decision: Decision, tree: str, library: Library) -> Entry | None:
    return decision.outcome.ours if path == decision.outcome.path else library.trees.entry(tree, path)


def _tree(told: PatchOutcome, decisions: Sequence[Decision], tree: str, library: Library) -> str:
    """The tree with the patch: plain decisions as they are made again, the others as they are told."""
    edits: dict[bytes, Entry | None] = {}
    ruled = [file for file in told.files if file.rule not in PLAIN]
    for decision in decisions:
        mine = [file for file in ruled if file.upstream_path == decision.outcome.upstream_path]
        if not mine or not decision.conflict:
            edits.update(decision.edits)
        if decision.source != decision.outcome.path and any(file.path == decision.outcome.path for file in mine):
            edits[decision.source] = None
    edits.update({file.path: file.result for file in ruled})
    try:
        return library.trees.edit(tree, edits)
    except PathTakenError:
        return tree


def _fields(place: str, told: Any, true: Any) -> Iterator[Difference]:
    for field in fields(told):
        yield from _equal(f"{place}.{field.name}", getattr(told, field.name), getattr(true, field.name))


def _equal(place: str, told: object, true: object) -> Iterator[Difference]:
    if told != true:
        yield Difference(place, f"it is {_show(true)}")


def _show(value: object) -> str:
    text = str(encode(value))
    return (text if len(text) <= 100 else text[:100] + "…") or "empty"

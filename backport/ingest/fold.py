"""Squashes a fix into the commit that it fixes, as `git rebase` does with a fixup: one patch with both changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backport.git.history import History
from backport.git.merge import Merger, Triple
from backport.git.store import Store
from backport.git.trees import PathTakenError, Trees
from backport.model.definition import DefinedCommit, Definition, Fold
from backport.model.errors import InputError
from backport.model.series import Entry, FileChange, Patch, show_path

_TRAILER = re.compile(rb"[A-Za-z-]+: |\[")


def brought_in(definition: Definition) -> list[DefinedCommit]:
    """The fixes that are in no [[commit]] of the definition, as if they were."""
    known = {commit.commit[:12] for commit in definition.commits}
    return [DefinedCommit(f.commit, f.subject, "", f.line) for f in definition.folds if f.commit[:12] not in known]


def folded(folds: Sequence[Fold], source: Path, patches: Sequence[Patch], history: History, store: Store) -> tuple[Patch, ...]:
    """The patches with the folds made that `source` asks for; the fixes have no place of their own any more.

    A folded patch keeps the id, author and date of the commit into which it went. InputError where a fix does not apply directly
    on that one: what comes between in the series must not be needed for it.
    """
    if not folds:
        return tuple(patches)
    by_id = {patch.commit[:12]: patch for patch in patches}
    gone = {fold.commit[:12] for fold in folds}
    trees = Trees(store)
    merger = Merger(store, trees)
    made = []
    for patch in patches:
        mine = [fold for fold in folds if patch.commit.startswith(fold.into[:12])]
        if patch.commit[:12] in gone:
            continue
        tree = patch.tree
        for fold in mine:
            where = f"{source}:{fold.line}: fold" if fold.line else f"{source}: fold"
            tree = _Squash(patch, by_id[fold.commit[:12]], trees, merger, where).tree(tree)
        if mine:
            (changes,) = history.changes([(patch.parent_tree, tree)])
            patch = replace(patch, tree=tree, changes=changes, message=_noted(patch.message, mine))
        made.append(patch)
    return tuple(made)


class _Squash:
    """One fix on its way into one patch."""

    def __init__(self, into: Patch, fix: Patch, trees: Trees, merger: Merger, where: str) -> None:
        self._into = into
        self._fix = fix
        self._trees = trees
        self._merger = merger
        self._where = where

    def tree(self, tree: str) -> str:
        """The tree of the patch with the fix on it."""
        edits: dict[bytes, Entry | None] = {}
        for change in self._fix.changes:
            edits |= self._edits(change, tree)
        try:
            return self._trees.edit(tree, edits)
        except PathTakenError as error:
            raise self._refusal(error.path) from error

    def _edits(self, change: FileChange, tree: str) -> dict[bytes, Entry | None]:
        ours = self._trees.entry(tree, change.old_path)
        moved: dict[bytes, Entry | None] = {change.old_path: None} if change.old_path != change.new_path else {}
        if moved and self._trees.entry(tree, change.new_path) is not None:
            raise self._refusal(change.new_path)
        if ours == change.old:
            return moved | {change.new_path: change.new}
        if not (change.old and ours and change.new and change.old.is_file and ours.is_file and change.new.is_file):
            raise self._refusal(change.old_path)
        (merged,) = self._merger.merge([Triple(change.old.oid, ours.oid, change.new.oid)])
        if merged.result is None:
            raise self._refusal(change.old_path)
        mode = ours.mode if change.new.mode == change.old.mode else change.new.mode
        return moved | {change.new_path: Entry(mode, merged.result)}

    def _refusal(self, path: bytes) -> InputError:
        return InputError(
            f"{self._fix.short} does not apply directly on {self._into.short}: {show_path(path)}",
            where=self._where,
            then="fold it into a later commit of the series, or leave it a patch of its own",
        )


def _noted(message: bytes, folds: Sequence[Fold]) -> bytes:
    """The message with a note on each fix, in brackets behind its trailers, as maintainers write what they changed."""
    body = message.rstrip(b"\n")
    gap = b"\n" if _TRAILER.match(body.rpartition(b"\n")[2]) else b"\n\n"
    notes = (f"[folded in: {fold.commit[:12]} {fold.subject}]".encode() for fold in folds)
    return body + gap + b"\n".join(notes) + b"\n"

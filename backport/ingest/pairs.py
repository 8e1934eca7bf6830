"""Reads a list of pairs, commit and target, for a sweep: one a line, parted by a tab.

    # comment
    4b2d0a1f<TAB>v2.6.32.10          the commit, and the revision that it is to go onto
    9c1e55b0<TAB>5d0e1a77^           any revision that git understands; more columns are passed over

A first line of names says what the columns are, in any order: `commit` or `upstream`; and `onto`, or `stable`: a commit that
is the backport already, so that the target is its parent. Without one the first column is the commit, the second the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backport.git.clone import Clone, resolve
from backport.git.history import Commit, History
from backport.git.runner import GitFailedError
from backport.git.store import EMPTY_TREE, Store
from backport.ingest.commits import patch_of, refuse_unsafe
from backport.model.errors import BackportError, InputError
from backport.model.series import FileChange, Patch, decode

_COMMIT, _ONTO, _BACKPORT = ("commit", "upstream"), "onto", "stable"
_HOW = "write COMMIT<TAB>REVISION on each line, or give one target for all with --onto"


@dataclass(frozen=True, slots=True)
class Pair:
    """A commit and the target that it is to go onto, both as they were written; `line` is where, 1-based."""

    commit: str
    onto: str
    line: int


def read_pairs(data: bytes, where: str, onto: str = "") -> list[Pair]:
    """The pairs of a list; `onto` is the target of every line, where it is given. InputError, with the line, for what is none."""
    rows = [(number, decode(row).rstrip("\r").split("\t")) for number, row in enumerate(data.split(b"\n"), 1)]
    rows = [(number, [cell.strip() for cell in cells]) for number, cells in rows if cells[0].strip() and cells[0][:1] != "#"]
    commit, target, suffix = 0, 1, ""
    if rows and (names := rows[0][1]) and any(name in _COMMIT for name in names):
        commit = next(at for at, name in enumerate(names) if name in _COMMIT)
        suffix = "^" if _ONTO not in names else ""
        target = names.index(_BACKPORT if suffix else _ONTO) if {_ONTO, _BACKPORT} & {*names} else len(names)
        rows = rows[1:]
    pairs = []
    for number, cells in rows:
        told = onto or (cells[target] + suffix if target < len(cells) and cells[target] else "")
        if commit >= len(cells) or not cells[commit] or not told:
            raise InputError("a line has no commit, or no target", where=f"{where}:{number}", then=_HOW)
        pairs.append(Pair(cells[commit], told, number))
    return pairs


def find_ids(pairs: Sequence[Pair], clones: Sequence[Clone], store: Store) -> list[tuple[str | None, str | None]]:
    """The commit ids of each pair; None for what no clone knows. All clones are one object store, names are looked up in each."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.commit, pair.onto)))
    known = dict(zip(names, resolve([Clone(store.folder, store.folder)], names), strict=True))
    left = [name for name in names if known[name] is None]
    known.update(zip(left, resolve(clones, left), strict=True))
    return [(known[pair.commit], known[pair.onto]) for pair in pairs]


def read_patches(ids: Sequence[str], store: Store, history: History) -> list[Patch | BackportError]:
    """Each commit as a patch, in one process for all; what cannot be one is the error that says why."""
    store.prefetch(ids)
    commits = [commit for oid in ids if isinstance(commit := _try(oid, history), Commit)]
    store.prefetch(commit.parents[0] for commit in commits if commit.parents)
    above = [parent for commit in commits if commit.parents and isinstance(parent := _try(commit.parents[0], history), Commit)]
    store.prefetch(commit.tree for commit in (*commits, *above))
    found = [_with_parent(oid, store, history) for oid in ids]
    wanted = [(told[1], told[0].tree) for told in found if not isinstance(told, BackportError)]
    changes = iter(_changes(wanted, history))
    return [told if isinstance(told, BackportError) else _made(*told, next(changes)) for told in found]


def _try(oid: str, history: History) -> Commit | BackportError:
    try:
        return history.commit(oid)
    except BackportError as error:
        return error


def _with_parent(oid: str, store: Store, history: History) -> tuple[Commit, str] | BackportError:
    """The commit and its parent's tree. Both trees are read: `diff-tree --stdin` says nothing of one that is missing."""
    commit = _try(oid, history)
    if isinstance(commit, BackportError):
        return commit
    if len(commit.parents) > 1:
        return InputError(f"it is a merge of {len(commit.parents)} parents", then="list the commits that it brought instead")
    parent = _try(commit.parents[0], history) if commit.parents else None
    if isinstance(parent, BackportError):
        return parent
    trees = [commit.tree, *([parent.tree] if parent else [])]
    try:
        for tree in trees:
            store.read(tree, "tree")
    except BackportError as error:
        return error
    return commit, trees[-1] if parent else EMPTY_TREE


def _changes(pairs: Sequence[tuple[str, str]], history: History) -> list[tuple[FileChange, ...] | BackportError]:
    """The changes of all pairs at once; one by one where git refuses a tree among them."""
    try:
        return list(history.changes(pairs))
    except GitFailedError as error:
        if len(pairs) == 1:
            return [error]
    return [found for pair in pairs for found in _changes([pair], history)]


def _made(commit: Commit, tree: str, changes: tuple[FileChange, ...] | BackportError) -> Patch | BackportError:
    if isinstance(changes, BackportError):
        return changes
    try:
        refuse_unsafe(changes, commit.oid)
    except InputError as error:
        return error
    return patch_of(commit, tree, changes)

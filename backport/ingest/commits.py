"""Turns a definition's commit ids into patches, after checking that each is the commit it is said to be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.git.clone import Clone, resolve
from backport.git.history import Commit, History
from backport.git.runner import GitFailedError
from backport.git.store import EMPTY_TREE, Store
from backport.ingest.fold import brought_in, folded
from backport.ingest.mail.defined import mailed
from backport.model.definition import DefinedCommit, Definition
from backport.model.errors import InputError
from backport.model.plural import plural
from backport.model.progress import Progress
from backport.model.series import FileChange, Patch, Series, show_path, squeezed

_UNSAFE = {b"", b".", b".."}
_IGNORED = re.compile(rb"\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf")  # the code points that HFS+ skips


def ingest(definition: Definition, clones: Sequence[Clone], store: Store, progress: Progress) -> Series:
    """The series that a definition names, in its order. Two processes, whatever its length.

    InputError, with file and line, for an id that no clone has, a subject that is not the commit's (it catches a wrong id; an
    empty one is not compared), a merge commit, and a path that would leave the tree.
    """
    progress.stage("ingest", len(definition.commits))
    history = History(store)
    rows = [*definition.commits, *brought_in(definition)]
    ids = resolve(clones, [c.commit for c in rows if not c.mail] + [definition.base])
    base = ids.pop()
    if any(c.mail for c in definition.commits):
        ids = [*mailed(definition, base, store), *ids]
    commits = [_look_up(definition, wanted, oid, history, store) for wanted, oid in zip(rows, ids, strict=True)]
    try:
        patches = read_patches(commits, history, store)
    except GitFailedError as error:  # a tree that git refuses to read: "empty filename in tree entry"
        what = f"git cannot read a commit of the series: {error.stderr}"
        raise InputError(what, where=str(definition.source), then=error.then) from error
    for wanted, patch in zip(rows, patches, strict=True):
        refuse_unsafe(patch.changes, _place(definition, wanted.line))
        progress.step(patch.subject)
    progress.done(plural(len(patches), "commit"))
    return Series(
        definition.name, definition.title, base or "", folded(definition.folds, definition.source, patches, history, store)
    )


def read_patches(commits: Sequence[Commit], history: History, store: Store) -> list[Patch]:
    """Each commit as a patch against its first parent. One process for all; GitFailedError for a tree that git cannot read."""
    store.prefetch(c.parents[0] for c in commits if c.parents)
    trees = [history.commit(c.parents[0]).tree if c.parents else EMPTY_TREE for c in commits]
    changes = history.changes([(tree, commit.tree) for tree, commit in zip(trees, commits, strict=True)])
    return [patch_of(commit, tree, changed) for commit, tree, changed in zip(commits, trees, changes, strict=True)]


def _look_up(definition: Definition, wanted: DefinedCommit, oid: str | None, history: History, store: Store) -> Commit:
    place = _place(definition, wanted.line)
    if oid is None:
        raise InputError(
            f"no clone has the commit {wanted.commit} ({wanted.subject})",
            where=f"{place}: id",
            then="the clone is shallow, partial, or of another project: give a full mainline clone with --kernel",
        )
    if not oid.startswith(wanted.commit):  # a topic's patches are told apart by this id: with another, none would be found
        raise InputError(
            f"{wanted.commit} is not a commit's own id but a name of {oid[:12]} (a tag?)",
            where=f"{place}: id",
            then=f"write {oid}",
        )
    commit = history.commit(oid)
    if wanted.subject and squeezed(commit.subject) != squeezed(wanted.subject):
        raise InputError(
            f"{oid[:12]} is {commit.subject!r}, not {wanted.subject!r}",
            where=f"{place}: subject",
            then="correct the id or the subject",
        )
    if len(commit.parents) > 1:
        raise InputError(
            f"{oid[:12]} is a merge of {len(commit.parents)} parents",
            where=f"{place}: id",
            then="list the commits that it brought instead (git log --no-merges)",
        )
    return commit


def patch_of(commit: Commit, parent_tree: str, changes: tuple[FileChange, ...]) -> Patch:
    """A commit as a patch: what it changes against its first parent's tree."""
    return Patch(
        commit=commit.oid,
        parent=commit.parents[0] if commit.parents else "",
        tree=commit.tree,
        parent_tree=parent_tree,
        author=commit.author,
        committer=commit.committer,
        encoding=commit.encoding,
        message=commit.message,
        changes=changes,
    )


def refuse_unsafe(changes: Sequence[FileChange], where: str) -> None:
    """git itself never makes such trees, but an object written by hand can hold any name, and we write some of them out."""
    for change in changes:
        for path in (change.old_path, change.new_path):
            if any(_is_unsafe(name) for name in path.split(b"/")):
                raise InputError(f"the path {show_path(path)!r} would leave the tree or touch git's own files", where=where)


def _is_unsafe(name: bytes) -> bool:
    """`..`, an empty name (a leading or double slash), and every spelling of `.git` that some file system folds to it."""
    folded = _IGNORED.sub(b"", name).lower().rstrip(b". ")
    return name in _UNSAFE or folded == b".git" or folded.startswith(b"git~")


def _place(definition: Definition, line: int) -> str:
    return f"{definition.source}:{line}"

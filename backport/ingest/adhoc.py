"""A series that nobody defined: commits, ranges and patch files as they are named on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backport.git.clone import Clone, made_by, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.ingest.commits import ingest
from backport.ingest.patchfile import read_patch_file
from backport.model.definition import DefinedCommit, Definition
from backport.model.errors import InputError
from backport.model.progress import Progress, Silent
from backport.model.series import Patch, Series


def is_file(name: str) -> bool:
    """Whether a word on the command line means a patch file rather than a commit."""
    return name.endswith((".patch", ".diff", ".mbox", ".eml")) or (not name.isalnum() and Path(name).is_file())


def gather(names: Sequence[str], onto: str, clones: Sequence[Clone], store: Store, progress: Progress) -> Series:
    """The patches of commits, ranges (`A..B`, oldest first, without merges) and patch files, in the order given.

    InputError for whatever is none of these, and where nothing is left.
    """
    progress.stage("ingest", len(names))
    history = History(store)
    base = resolve_one(clones, onto)
    patches = []
    for name in names:
        if is_file(name):
            patches.append(_merged(read_patch_file(Path(name), base, store), clones, store))
        else:
            found = _commits(name, clones, history)
            patches.extend(ingest(_definition(found, onto), clones, store, Silent()).patches)
        progress.step(name)
    if not patches:
        raise InputError("there is no commit in what was given", where=" ".join(names))
    progress.done(f"{len(patches)} patch{'es' * (len(patches) > 1)}")
    return Series("commits", ", ".join(names), base, tuple(patches))


def _merged(patch: Patch, clones: Sequence[Clone], store: Store) -> Patch:
    """The commit that a patch file became, where a clone has one that makes the very same blobs; else the patch as it is.

    The commit is worth more: around it lies upstream's tree, which says what the names on the added lines meant.
    """
    for oid in made_by(clones, [(c.new_path, c.new.oid) for c in patch.changes if c.new is not None]):
        (found,) = ingest(_definition([oid], ""), clones, store, Silent()).patches
        if found.changes == patch.changes:
            return found
    return patch


def _commits(name: str, clones: Sequence[Clone], history: History) -> list[str]:
    since, dots, until = name.partition("..")
    if not dots:
        return [resolve_one(clones, name, name)]
    return history.list_commits(f"{resolve_one(clones, since, name)}..{resolve_one(clones, until, name)}")


def _definition(commits: Sequence[str], onto: str) -> Definition:
    rows = tuple(DefinedCommit(commit, "", "", number) for number, commit in enumerate(commits, 1))
    return Definition(Path("command line"), "commits", "commits", "", f"{onto}..", onto, rows, (), (), ())

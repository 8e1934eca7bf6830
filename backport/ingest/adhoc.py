"""A series that nobody defined: commits, ranges and patch files as they are named on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backport.git.clone import Clone, made_by, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.ingest.commits import ingest, read_patches, refuse_unsafe
from backport.ingest.mail import boxes, message
from backport.ingest.mail.diff import holds_diff
from backport.ingest.mail.posted import make
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
    patches: list[Patch] = []
    for name in names:
        if is_file(name):
            patches.extend(_merged(patch, clones, store) for patch in _posted(Path(name), base, clones, store))
        else:
            found = _commits(name, clones, history)
            patches.extend(ingest(_definition(found, onto), clones, store, Silent()).patches)
        progress.step(name)
    if not patches:
        raise InputError("there is no commit in what was given", where=" ".join(names))
    progress.done(f"{len(patches)} patch{'es' * (len(patches) > 1)}")
    return Series("commits", ", ".join(names), base, tuple(patches))


def _posted(path: Path, onto: str, clones: Sequence[Clone], store: Store) -> list[Patch]:
    """The patches of a file of mails, or of one plain diff, on the commit that they were made for; on `onto` where none is known.

    InputError where the file cannot be read, holds no patch, or git refuses one.
    """
    boxes.check(path)
    then = "give a diff, or mails as git format-patch writes them"
    mails = []
    for found in boxes.Box(path).walk():
        if found.refused is not None:
            raise InputError(found.refused.why, where=found.where, then=then)
        try:
            mails += [found] if _is_patch(found.raw) else []
        except message.MailRefusedError as error:
            raise InputError(str(error), where=f"{found.where}:{error.line}", then=then) from error
    if not mails:
        raise InputError("there is no patch in it", where=str(path), then=then)
    history = History(store)
    made = make(mails, clones, store, fallback=onto)
    patches = read_patches([history.commit(oid) for oid in made.commits], history, store)
    for patch in patches:
        refuse_unsafe(patch.changes, str(path))
    return patches


def _is_patch(raw: bytes) -> bool:
    """Whether a mail, or a text without headers, holds a diff; a cover letter does not."""
    return raw.startswith((b"diff ", b"--- ", b"Index: ")) or holds_diff(message.read(raw).body) or holds_diff(raw)


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

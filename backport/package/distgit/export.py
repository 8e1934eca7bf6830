"""Writes a branch back as patch files: what changed since the import, and what is new on it. The rest stays as it lies there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git.history import Commit, History
from backport.git.mail import format_patches
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import InputError
from backport.package import patchfiles
from backport.package.distgit import branch
from backport.package.distgit.applied import Application
from backport.package.distgit.patcher import NotAppliedError, Patcher
from backport.package.plan import PatchFile

_TRAILER = re.compile(rb"^" + branch.NAME_TRAILER.encode() + rb": (\S+)$", re.M)
_REVERSED = re.compile(rb"^" + branch.REVERSED_TRAILER.encode() + rb": yes$", re.M)
_PICKED = re.compile(rb"^\(cherry picked from commit ([0-9a-f]{40})\)$", re.M)


@dataclass(frozen=True, slots=True)
class Exported:
    """What a branch comes to as files: existing ones whose commit changed, new ones in order, and names that left the branch."""

    changed: tuple[PatchFile, ...]
    new: tuple[PatchFile, ...]
    gone: tuple[str, ...]
    titles: tuple[str, ...]


def export(store: Store, base: str, imported: str, tip: str, topics: Mapping[str, str]) -> Exported:
    """Compare the branch that was imported (base..imported) with what became of it (base..tip).

    A commit counts as changed where its patch-id differs: a rebase that only moved lines leaves the file alone. `topics`
    names the file that gathers a commit, by upstream id; without, each new commit makes a file of its own.
    """
    history = History(store)
    if not history.is_ancestor(base, tip):
        raise InputError(
            "the branch does not come from the import: its base is not below it", where=tip, then="give another --branch"
        )
    before = _by_name([history.commit(oid) for oid in history.list_commits(f"{base}..{imported}")])
    commits = [history.commit(oid) for oid in history.list_commits(f"{base}..{tip}")]
    after = _by_name(commits)
    ids = _patch_ids(store, history, base, imported) | _patch_ids(store, history, base, tip)
    mails = dict(zip([c.oid for c in commits], format_patches(store, [c.oid for c in commits]), strict=True))
    changed = []
    for name, mine in after.items():
        if name and name in before and [ids[c.oid] for c in mine] != [ids[c.oid] for c in before[name]]:
            changed.append(_changed(name, mine, mails))
    new, titles = _new(after.get("", []), mails, topics)
    return Exported(tuple(changed), new, tuple(name for name in before if name and name not in after), titles)


def prove(store: Store, trees: Trees, imported: str, tip: str, files: Sequence[PatchFile], usual: Application) -> None:
    """Apply the new files behind the imported patches with the spec's own command: the result must be the branch's very tree.

    InputError naming the file that does not apply, or that leaves something out.
    """
    history = History(store)
    tree, wanted = history.commit(imported).tree, history.commit(tip).tree
    with tempfile.TemporaryDirectory(prefix="backport-distgit-") as scratch:
        patcher = Patcher(store, trees, Path(scratch))
        for file in files:
            try:
                tree = patcher.apply(tree, file.data, usual)
            except NotAppliedError as error:
                then = "run the series --onto the imported branch, then export that"
                raise InputError(
                    f"it does not apply behind the spec's patches: {error.what}", where=file.name, then=then
                ) from error
    if tree != wanted:
        raise InputError("applied behind the spec's patches, the files give another tree than the branch", where=tip)


def _by_name(commits: Sequence[Commit]) -> dict[str, list[Commit]]:
    """The commits by the patch file that their trailer names, '' for those of nobody's."""
    found: dict[str, list[Commit]] = {}
    for commit in commits:
        names = _TRAILER.findall(commit.message)
        found.setdefault(names[-1].decode("utf-8", "replace") if names else "", []).append(commit)
    return found


def _patch_ids(store: Store, history: History, base: str, tip: str) -> dict[str, str]:
    """The patch-id of each commit: git's sum over its changed lines, white space and line numbers apart."""
    commits = history.list_commits(f"{base}..{tip}")
    if not commits:
        return {}
    out = store.git.run(["patch-id", "--stable"], b"".join(format_patches(store, commits))).decode().split()
    return dict.fromkeys(commits, "") | dict(zip(out[1::2], out[::2], strict=True))


def _changed(name: str, mine: Sequence[Commit], mails: Mapping[str, bytes]) -> PatchFile:
    if any(_REVERSED.search(commit.message) for commit in mine):
        raise InputError(
            "the spec applies the patch in reverse: it cannot be written from the branch", where=name, then="edit the file"
        )
    if not name.endswith((".patch", ".diff")):
        raise InputError(
            "the patch is compressed: it is upstream's, not ours to change", where=name, then="make a commit of your own"
        )
    return PatchFile(name, b"".join(mails[commit.oid] for commit in mine))


def _new(
    commits: Sequence[Commit], mails: Mapping[str, bytes], topics: Mapping[str, str]
) -> tuple[tuple[PatchFile, ...], tuple[str, ...]]:
    files: dict[str, list[bytes]] = {}
    titles: dict[str, str] = {}
    for number, commit in enumerate(commits, 1):
        picked = _PICKED.findall(commit.message)
        name = topics.get(picked[-1].decode(), "") if picked else ""
        name = name or patchfiles.file_name(number, commit.subject)
        files.setdefault(name, []).append(mails[commit.oid])
        titles.setdefault(name, commit.subject)
    return tuple(PatchFile(name, b"".join(parts)) for name, parts in files.items()), tuple(titles.values())

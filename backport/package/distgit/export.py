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
    """What a branch comes to as files: existing ones whose commit changed, new ones in order, names that stayed and that left."""

    changed: tuple[PatchFile, ...]
    new: tuple[PatchFile, ...]
    kept: frozenset[str]
    gone: tuple[str, ...]


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
    named = [name for name in before if name]
    kept, gone = frozenset(n for n in named if n in after), tuple(n for n in named if n not in after)
    return Exported(tuple(changed), _new(after.get("", []), mails, topics), kept, gone)


def prove(store: Store, trees: Trees, base: str, tip: str, steps: Sequence[tuple[Application, bytes]]) -> None:
    """Apply all patch files to the base as the spec would, kept, changed and new ones: that must give the branch's very tree.

    InputError naming the file that does not apply; or saying that they give something else than the branch is.
    """
    history = History(store)
    tree, wanted = history.commit(base).tree, history.commit(tip).tree
    with tempfile.TemporaryDirectory(prefix="backport-distgit-") as scratch:
        patcher = Patcher(store, trees, Path(scratch))
        for how, data in steps:
            try:
                tree = patcher.apply(tree, data, how)
            except NotAppliedError as error:
                what = f"it does not apply where the spec would apply it: {error.what}"
                then = "are the commits of the branch still in the spec's order? new ones must come last"
                raise InputError(what, where=how.name, then=then) from error
    if tree != wanted:
        then = "are the commits of the branch still in the spec's order? new ones must come last"
        raise InputError("applied as the spec would, the patch files give another tree than the branch", where=tip, then=then)


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


def _new(commits: Sequence[Commit], mails: Mapping[str, bytes], topics: Mapping[str, str]) -> tuple[PatchFile, ...]:
    files: dict[str, list[bytes]] = {}
    for number, commit in enumerate(commits, 1):
        picked = _PICKED.findall(commit.message)
        name = topics.get(picked[-1].decode(), "") if picked else ""
        files.setdefault(name or patchfiles.file_name(number, commit.subject), []).append(mails[commit.oid])
    return tuple(PatchFile(name, b"".join(parts)) for name, parts in files.items())

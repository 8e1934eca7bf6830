"""Hands the new commits over: as a bundle that any clone can fetch, or as a branch in the user's own clone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from backport.git.clone import Clone, resolve
from backport.git.runner import Git
from backport.git.store import Store
from backport.model.errors import EnvironmentFailedError, InputError

_BRANCH = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|\.$|/$))[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")


def bundle(store: Store, onto: str, tip: str, branch: str, destination: Path) -> None:
    """Write the commits onto..tip as a git bundle that brings them as `branch`; equal commits give equal bytes.

    Packed here rather than by `git bundle create`, which takes the deltas over that the user's clone happens to have: the
    bytes would change with a `git gc` there. One thread: with more, the order changes from run to run.
    """
    options = ["--stdout", "--revs", "--thin", "--delta-base-offset", "--threads=1", "-q"]
    options += ["--no-reuse-delta", "--no-reuse-object", "--no-use-bitmap-index"]
    pack = store.git.run(["pack-objects", *options], f"{tip}\n^{onto}\n".encode())
    destination.write_bytes(f"# v2 git bundle\n-{onto} the target\n{tip} refs/heads/{branch}\n\n".encode() + pack)


def unbundle(store: Store, path: Path) -> None:
    """Bring the objects of a bundle into the store. GitFailedError where it is damaged, or no history has its target."""
    store.git.run(["bundle", "unbundle", str(path.absolute())])


def heads(path: Path) -> dict[str, str]:
    """What a bundle brings: each ref and its commit, by its header alone; empty where it is no bundle."""
    with path.open("rb") as stream:
        lines = stream.read(1 << 16).partition(b"\n\n")[0].split(b"\n")
    if lines[0] != b"# v2 git bundle":
        return {}
    rows = [line.decode("utf-8", "replace").partition(" ") for line in lines[1:] if not line.startswith(b"-")]
    return {name: oid for oid, _, name in rows}


def check_branch(clone: Clone, branch: str) -> None:
    """InputError where `publish` would refuse: a bad name, a branch that we did not make, one that is checked out.

    Asked before the run begins: nobody wants to hear it after a minute's work.
    """
    check_name(branch)
    existing, ours = resolve([clone], [f"refs/heads/{branch}", _mark(branch)])
    if existing is not None and existing != ours:
        then = "give another --branch, or delete it yourself (git branch -D)"
        raise InputError(f"the branch {branch} exists and is not as backport left it", where=str(clone.git_dir), then=then)
    for head in [clone.git_dir / "HEAD", clone.common / "HEAD", *clone.common.glob("worktrees/*/HEAD")]:
        if _branch_of(head) == branch.encode():
            raise InputError(f"the branch {branch} is checked out", where=str(head.parent), then="switch to another branch first")


def check_name(branch: str) -> None:
    """InputError for a name that no branch may have."""
    if not _BRANCH.fullmatch(branch):
        raise InputError(f"{branch!r} is no name for a branch", where="--branch")


def publish(store: Store, clone: Clone, tip: str, branch: str) -> None:
    """Make `branch` of the clone point to `tip`, and remember beside it (refs/backport/) that we did.

    The objects are fetched first; then both refs change in one transaction, against the values that were checked.
    """
    check_branch(clone, branch)
    old, mark = resolve([clone], [f"refs/heads/{branch}", _mark(branch)])
    store.git.run(["update-ref", "refs/heads/publish", tip])
    try:
        command = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
        Git(clone.git_dir, transports="file").run([*command, str(store.folder), "refs/heads/publish"])
        zero = "0" * 40
        updates = f"update refs/heads/{branch} {tip} {old or zero}\nupdate {_mark(branch)} {tip} {mark or zero}\n"
        Git(clone.git_dir).run(["update-ref", "--stdin", "-m", "backport"], updates.encode())
    except EnvironmentFailedError as error:
        raise EnvironmentFailedError(
            f"the branch {branch} could not be written: {error.what}",
            where=str(clone.git_dir),
            then="is the clone writable? the result is also in the bundle: git fetch BUNDLE",
        ) from error


def _branch_of(head: Path) -> bytes:
    """The branch that a HEAD names; a HEAD that is a symbolic link, as git once wrote it, still counts."""
    text = os.fsencode(head.readlink()) if head.is_symlink() else head.read_bytes().strip().removeprefix(b"ref: ")
    return text.removeprefix(b"refs/heads/") if text.startswith(b"refs/heads/") else b""


def _mark(branch: str) -> str:
    return f"refs/backport/{branch}"

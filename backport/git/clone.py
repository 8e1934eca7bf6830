"""The user's clones: found, asked for revisions, and left exactly as they were."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git.runner import Git
from backport.model.errors import InputError

_COMMIT = re.compile(rb"commit ([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository on this machine: `git_dir` has its HEAD, `common` its refs and objects (they differ in a linked worktree)."""

    git_dir: Path
    common: Path

    @property
    def objects(self) -> Path:
        """Its object folder; its own alternates are named in there and followed by git."""
        return self.common / "objects"

    @property
    def shallow(self) -> bytes:
        """The commits at which a shallow clone ends, as git keeps them; empty for a full one."""
        try:
            return (self.common / "shallow").read_bytes()
        except OSError:
            return b""


def open_clone(path: Path) -> Clone:
    """The clone at `path`: a work tree, a linked worktree, a submodule or a bare repository. Starts no process.

    Found by hand rather than by `git rev-parse`, which refuses a clone of another user and would search the folders above:
    a wrong --kernel must not quietly become the repository that it happens to lie in.
    """
    if not path.exists():
        raise InputError("there is no such folder", where=str(path), then="give a clone of the kernel with --kernel")
    git_dir = path / ".git" if (path / ".git").exists() else path
    if git_dir.is_file():
        pointer = git_dir.read_bytes().strip()
        if not pointer.startswith(b"gitdir: "):
            raise InputError("its .git file does not name a git directory", where=str(path))
        git_dir = path / pointer[8:].decode("utf-8", "surrogateescape")
    common = git_dir
    if (git_dir / "commondir").is_file():
        common = git_dir / (git_dir / "commondir").read_text(encoding="utf-8", errors="surrogateescape").strip()
    if not (common / "objects").is_dir() or not (git_dir / "HEAD").exists():
        raise InputError("this is no git repository", where=str(path), then="give a clone of the kernel with --kernel")
    return Clone(git_dir.resolve(), common.resolve())


def tip_of(clone: Clone) -> str:
    """The commit at a clone's HEAD, read from its files without a process; '' where there is none yet."""
    head = (clone.git_dir / "HEAD").read_bytes().strip()
    if not head.startswith(b"ref: "):
        return head.decode("ascii", "replace")
    name = head[5:].strip()
    loose = clone.common / os.fsdecode(name)
    if name.startswith(b"refs/") and b".." not in name and loose.is_file():
        return loose.read_bytes().strip().decode("ascii", "replace")
    try:
        packed = (clone.common / "packed-refs").read_bytes()
    except OSError:
        return ""
    found = re.search(rb"^([0-9a-f]{40}) " + re.escape(name) + rb"$", packed, re.M)
    return found[1].decode() if found else ""


def resolve(clones: Sequence[Clone], names: Sequence[str]) -> list[str | None]:
    """The commit id that each name means in the first clone that knows it; None where none does.

    One process a clone. A short id that several objects share counts as unknown.
    """
    found: list[str | None] = [None] * len(names)
    for clone in clones:
        asked = [i for i, name in enumerate(names) if found[i] is None and name and "\n" not in name]
        stdin = "".join(f"{names[i]}^{{commit}}\n" for i in asked).encode("utf-8", "surrogateescape")
        lines = Git(clone.git_dir).run(["cat-file", "--batch-check=%(objecttype) %(objectname)"], stdin).split(b"\n")
        for i, line in zip(asked, lines, strict=False):
            if match := _COMMIT.fullmatch(line):
                found[i] = match[1].decode()
    return found


def resolve_one(clones: Sequence[Clone], name: str, where: str = "--onto") -> str:
    """The commit id of one revision; InputError where no clone has it."""
    (found,) = resolve(clones, [name])
    if found is None:
        raise InputError(
            f"no clone has the revision {name!r}",
            where=where,
            then="look with `git -C CLONE tag`; a shallow or partial clone may have to be deepened (git fetch --unshallow)",
        )
    return found


def tags_of(clones: Sequence[Clone]) -> list[tuple[str, str]]:
    """Name and commit of every tag, the newest first."""
    command = ["for-each-ref", "--sort=-creatordate", "--format=%(refname:short)%09%(objectname)%09%(*objectname)", "refs/tags"]
    rows = [
        line.split("\t") for clone in clones for line in Git(clone.git_dir).run(command).decode("utf-8", "replace").splitlines()
    ]
    names = [row[0] for row in rows]
    return [(name, oid) for name, oid in zip(names, resolve(clones, [row[1] for row in rows]), strict=True) if oid is not None]


def tips_of(clone: Clone) -> list[str]:
    """The commit at every branch, remote branch and tag of a clone."""
    rows = Git(clone.git_dir).run(["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes", "refs/tags"])
    return [oid for oid in resolve([clone], list(dict.fromkeys(rows.decode("ascii", "replace").split()))) if oid is not None]


def made_by(clones: Sequence[Clone], blobs: Sequence[tuple[bytes, str]]) -> list[str]:
    """The commits of any branch or tag, newest first, that brought or removed the first of the blobs (path, id) at its path."""
    if not blobs:
        return []
    path, oid = blobs[0]
    found: list[str] = []
    for clone in clones:
        # --find-object would say the same, but compares whole trees: 10 s on mainline where this takes one
        command = ["log", "--all", "--no-merges", "--raw", "--no-abbrev", "--no-renames", "--format=%x00%H"]
        pieces = Git(clone.git_dir).run([*command, "--", os.fsdecode(path)], ok=(0, 128)).split(b"\0")
        found += [piece[:40].decode() for piece in pieces if oid.encode() in piece[40:]]
    return list(dict.fromkeys(found))

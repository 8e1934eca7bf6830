"""What a file was, commit by commit, and in which order commits came: one process for any number of files or commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backport.git.history import LOG_FORMAT, parse_changes, parse_log
from backport.git.store import Store
from backport.model.series import Entry, subject_of


@dataclass(frozen=True, slots=True)
class Version:
    """A commit that changed some of the files asked about: by path, what stood there before and after it."""

    commit: str
    subject: str
    files: Mapping[bytes, tuple[Entry | None, Entry | None]]


def versions(store: Store, paths: Iterable[bytes], since: str, until: str) -> list[Version]:
    """Every commit of `since..until` (`since` empty: all) that changed one of the paths, oldest first; merges are left out.

    Renames are not followed: where a file was called otherwise, its history ends at the commit that brought the name.
    """
    wanted = [path.decode("utf-8", "surrogateescape") for path in paths]
    if not wanted:
        return []
    span = f"{since}..{until}" if since else until
    order = ["--topo-order", "--reverse", "--no-merges", "--full-history"]
    raw = ["--raw", "--no-abbrev", "--no-renames", "-z"]
    out = store.git.run(["log", *order, *raw, LOG_FORMAT, span, "--", *wanted])
    found = []
    for oid, subject, rest in parse_log(out):
        changes = parse_changes(rest.removeprefix(b"\0").removeprefix(b"\n").split(b"\0"))
        found.append(Version(oid, subject, {change.new_path: (change.old, change.new) for change in changes}))
    return found


def positions(store: Store, since: str, until: str) -> dict[str, int]:
    """Where each commit stands in `since..until`, parents before children; half a second for five releases of mainline."""
    if not until:
        return {}
    span = f"{since}..{until}" if since else until
    listed = store.git.run(["rev-list", "--topo-order", "--reverse", span]).decode("ascii").split()
    return {oid: place for place, oid in enumerate(listed)}


def fork_point(store: Store, one: str, other: str) -> str:
    """The commit at which two histories part, '' where they share none."""
    return store.git.run(["merge-base", one, other], ok=(0, 1)).decode("ascii").strip()


@dataclass(frozen=True, slots=True)
class Told:
    """A commit as its message tells it (in UTF-8, as far as git could turn it)."""

    commit: str
    parent: str
    tree: str
    subject: str
    message: bytes


def told(store: Store, since: str, until: str) -> list[Told]:
    """Every commit of `since..until` with one parent, oldest first. A second for two releases of mainline."""
    span = f"{since}..{until}" if since else until
    form = "--format=%x00%x00%H%x00%P %T%x00%B"
    out = store.git.run(["log", "--topo-order", "--reverse", "--no-merges", "--encoding=UTF-8", form, span])
    found = []
    for piece in re.split(rb"(?:^|\n)\0\0(?=[0-9a-f]{40}\0)", out)[1:]:
        oid, ids, message = piece.split(b"\0", 2)
        *parents, tree = ids.decode("ascii").split()
        if len(parents) == 1:
            found.append(Told(oid.decode("ascii"), parents[0], tree, subject_of(message), message))
    return found

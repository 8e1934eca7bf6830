"""Commits since a date that touch some files, with their changes, and the first tag that has each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from backport.git.store import Store
from backport.model.series import decode

_FORMAT = "--format=%x00%x00%H%x00%ct%x00%s%x00%an%x00%ae%x00"
_PIECE = re.compile(rb"\0\0(?=[0-9a-f]{40}\0)")
_MOST = 20_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit: id, subject, author's name and address, its diff as git prints it (b"" where it was not asked for), its date.

    The date is the committer's, in seconds since 1970.
    """

    commit: str
    subject: str
    name: str
    address: str
    diff: bytes
    date: int = 0


def commits_since(store: Store, tip: str, seconds: int, paths: Sequence[bytes], known: str = "") -> list[Landed]:
    """Non-merge commits below `tip`, committed from `seconds` on, that touch `paths`, newest first; none that `known` has."""
    where = [path.decode("utf-8", "surrogateescape") for path in paths]
    revisions = [tip, *([f"^{known}"] if known else [])]
    command = ["log", "--no-merges", f"--since={seconds}", f"--max-count={_MOST}", _FORMAT, *revisions, "--", *where]
    return [landed for landed, _ in _read(store.git.run(command))]


def with_diffs(store: Store, commits: Sequence[str]) -> Iterator[Landed]:
    """These commits with their diffs, renames found: one process."""
    command = ["log", "--no-walk=unsorted", "--stdin", "-p", "-M", "--no-ext-diff", "--no-textconv", _FORMAT]
    out = store.git.run(command, "".join(f"{oid}\n" for oid in commits).encode()) if commits else b""
    for landed, diff in _read(out):
        yield replace(landed, diff=diff)


def patch_ids(store: Store, tips: Sequence[str], known: str, seconds: int, wanted: Collection[str]) -> dict[str, str]:
    """The commit with each of the `wanted` (stable) patch-ids below `tips`: the newest such one.

    Of what `known` has nothing is looked at; without it only what was committed from `seconds` on; never more than 20,000.
    """
    since = [] if known else [f"--since={seconds}"]
    lines = "".join(f"{line}\n" for line in (*tips, *([f"^{known}"] if known else [])))
    command = ["rev-list", "--no-merges", f"--max-count={_MOST}", *since, "--stdin"]
    commits = store.git.run(command, lines.encode()).decode().split()
    found: dict[str, str] = {}
    for start in range(0, len(commits), _AT_ONCE):
        part = "".join(f"{oid}\n" for oid in commits[start : start + _AT_ONCE]).encode()
        diffs = store.git.run(["diff-tree", "--stdin", "-p", "--no-ext-diff", "--no-textconv"], part)
        for line in store.git.run(["patch-id", "--stable"], diffs).decode().splitlines():
            number, _, oid = line.partition(" ")
            if number in wanted:
                found.setdefault(number, oid)
        if len(found) == len(wanted):
            break
    return found


def first_tags(store: Store, commits: Sequence[str]) -> dict[str, str]:
    """The first tag that has each commit, where one has, as `git name-rev` finds it. The store must know the tags as refs."""
    if not commits:
        return {}
    out = store.git.run(["name-rev", "--tags", "--stdin"], "".join(f"{oid}\n" for oid in commits).encode()).decode(
        "utf-8", "replace"
    )
    found = re.findall(r"^([0-9a-f]{40}) \((?:tags/)?([^~^)]+)[^)]*\)$", out, re.M)
    return dict(found)


def _read(out: bytes) -> Iterator[tuple[Landed, bytes]]:
    for piece in _PIECE.split(out)[1:]:
        fields = piece.split(b"\0", 5)
        if len(fields) == 6:
            oid, date, subject, name, address, rest = fields
            yield Landed(oid.decode(), decode(subject), decode(name), decode(address).lower(), b"", int(date)), rest

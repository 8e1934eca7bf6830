"""Reads a public-inbox epoch: a git history in which each commit brings one mail as the file `m`, or takes one back as `d`.

Format: public-inbox-v2-format(5). Two processes whatever the number of mails: `log --raw` names the blobs, `cat-file --batch`
hands them over.
"""

from __future__ import annotations

from collections.abc import Iterator

from backport.git.runner import GitFailedError
from backport.git.store import Store

_NOTHING = "0" * 40


def brought(store: Store, since: str, until: str, *, whole: bool = True) -> list[tuple[str, bool]] | None:
    """The mails (blob ids) that the commits after `since` up to `until` brought (True) or took back (False), oldest first.

    None where `since` is no ancestor of `until` or is gone: the archive's history was rewritten (public-inbox-edit, -purge).
    GitFailedError where a commit cannot be read; with `whole` off, what is newer than that is given.
    """
    if since:
        try:
            if store.git.run(["merge-base", since, until], ok=(0, 1)).decode().strip() != since:
                return None
        except GitFailedError:
            return None
    command = ["log", "--raw", "--no-abbrev", "--no-renames", "--root", "-m", "--first-parent", "--format="]
    found = []
    for line in store.git.run([*command, f"{since}..{until}" if since else until], ok=(0, *([] if whole else [128]))).split(
        b"\n"
    ):
        fields, _, path = line.partition(b"\t")
        words = fields.split()
        if len(words) == 5 and path in (b"m", b"d") and words[3].decode() != _NOTHING:
            found.append((words[3].decode(), path == b"m"))
    return found[::-1]


def mails(store: Store, blobs: list[str]) -> Iterator[tuple[str, bytes]]:
    """The mails themselves, in the order given, a few hundred at a time in memory."""
    return store.stream(blobs)

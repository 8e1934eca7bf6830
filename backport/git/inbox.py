"""Reads a public-inbox epoch: a git history in which each commit brings one mail as the file `m`, or takes one back as `d`.

Format: public-inbox-v2-format(5). Two processes whatever the number of mails: `log --raw` names the blobs, `cat-file --batch`
hands them over.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from typing import IO, cast

from backport.git.runner import GitFailedError
from backport.git.store import BATCH, MISSING, Store, read_content, read_header
from backport.model.errors import EnvironmentFailedError, InputError

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


def mails(store: Store, blobs: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | int]]:
    """The mails themselves in the order given, one at a time in memory; its size in place of one that is larger than `largest`.

    Such a one is not read: git tells the size before the content, and is ended there, before it has unpacked it. InputError where
    a blob is missing, EnvironmentFailedError where git cannot read one.
    """
    at = 0
    try:
        while at < len(blobs):
            with store.git.process(["cat-file", "--batch"]) as git:
                for found in _until_one_is_too_large(git, blobs[at:], largest):
                    at += 1
                    yield found
    except (OSError, ValueError) as error:
        raise EnvironmentFailedError("git cat-file died", where=str(store.folder)) from error


def _until_one_is_too_large(
    git: subprocess.Popen[bytes], blobs: Sequence[str], largest: int
) -> Iterator[tuple[str, bytes | int]]:
    """What one process gives. It is asked for as many at a time as a pipe holds, or both sides would wait for each other."""
    requests, replies = cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)
    for number, oid in enumerate(blobs):
        if number % BATCH == 0:
            requests.write("".join(f"{each}\n" for each in blobs[number : number + BATCH]).encode("ascii"))
            requests.flush()
        told = read_header(replies)
        if told is None:
            raise InputError(f"the history has no object {oid}", then=MISSING)
        if told[1] > largest:
            git.kill()
            yield oid, told[1]
            return
        yield oid, read_content(replies, told[1])

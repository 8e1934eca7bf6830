"""A file of lines that a killed run has begun: what is whole is kept, what is half is dropped, and writing goes on behind it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backport.model.errors import EnvironmentFailedError, InputError


@contextmanager
def continued(path: Path, expected: Sequence[tuple[str | None, str | None]]) -> Iterator[tuple[int, IO[bytes]]]:
    """The number of lines that `path` already has for the first of the `expected` (commit, onto), and the file to go on with.

    InputError where a line is about another pair than is expected there: it belongs to another list. One process at a time.
    """
    try:
        with path.open("ab+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process alone: with flock, its workers would hold it too
            file.seek(0)
            done, size = _whole(file, expected, path)
            file.truncate(size)
            file.seek(size)
            yield done, file
    except BlockingIOError as error:
        raise InputError("another sweep is writing to this file", where=str(path), then="wait for it, or give another") from error
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(path), then="free some space") from error


def _whole(file: IO[bytes], expected: Sequence[tuple[str | None, str | None]], path: Path) -> tuple[int, int]:
    """How many whole lines there are, and their size in bytes."""
    done = size = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        if done >= len(expected) or _about(line) != expected[done]:
            what = "this line is not about the pair that the list has there"
            then = "give another file with --out, or remove this one to begin again"
            raise InputError(what, where=f"{path}:{done + 1}", then=then)
        done, size = done + 1, size + len(line)
    return done, size


def _about(line: bytes) -> tuple[str | None, str | None] | None:
    try:
        row = json.loads(line)
        return row["commit"], row["onto"]
    except (ValueError, KeyError, TypeError):
        return None

"""The output folder: written beside its place, put there in one step, and never half of anything.

    lock  ->  .NAME.new/ (work)  ->  exchange with NAME/  ->  the old one is removed

Killed anywhere before the exchange, the old folder is as it was; after it, the new one is complete. What a killed run left
beside is removed by the next, which knows by the lock that nobody is still at it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, InputError

MARK = "report.json"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def output_folder(destination: Path) -> Iterator[Path]:
    """A new empty folder that becomes `destination` when the block ends well, and goes away when it does not.

    InputError where another run is at work on the same destination, or where something stands there that no run of ours
    wrote (it would be lost); EnvironmentFailedError where the disk is full or the folder cannot be written.
    """
    destination = Path(os.path.normpath(destination.absolute()))
    _refuse_foreign(destination)
    with _disk_errors(destination), _lock(destination):
        work = destination.with_name(f".{destination.name}.new")
        _restore(destination)
        _remove(work)
        work.mkdir()
        try:
            yield work
            _put_in_place(work, destination)
        finally:
            _remove(work)


@contextmanager
def _disk_errors(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        then = "give another folder with --out" if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM) else "free some space"
        where = os.fsdecode(error.filename) if error.filename else str(destination)
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=where, then=then) from error


@contextmanager
def _lock(destination: Path) -> Iterator[None]:
    destination.parent.mkdir(parents=True, exist_ok=True)
    path = destination.with_name(f".{destination.name}.lock")
    with path.open("wb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            then = "wait for it, or give another folder with --out"
            raise InputError("another run is writing to this folder", where=str(destination), then=then) from error
        yield  # the lock file stays: removing it would let a third run lock a new one while a second waits on this


def _refuse_foreign(destination: Path) -> None:
    if not destination.exists() and not destination.is_symlink():
        return
    if destination.is_symlink() or not destination.is_dir():
        raise InputError("the output folder is a file or a link", where=str(destination), then="give another with --out")
    if any(destination.iterdir()) and not (destination / MARK).is_file():
        raise InputError(
            "the output folder holds something that no run of backport wrote",
            where=str(destination),
            then="empty it, or give another with --out",
        )


def _put_in_place(work: Path, destination: Path) -> None:
    if not destination.exists():
        work.rename(destination)
    elif not _exchange(work, destination):
        old = destination.with_name(f".{destination.name}.old")
        _remove(old)
        destination.rename(old)
        work.rename(destination)
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, by renameat2(2); False where kernel, libc or file system cannot."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _restore(destination: Path) -> None:
    """Undo the two-step replacement of a run that was killed between its steps, or end one that was killed after them."""
    old = destination.with_name(f".{destination.name}.old")
    if old.exists() and not destination.exists():
        old.rename(destination)
    _remove(old)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)

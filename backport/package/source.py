"""Where Source0 comes from: the user's own tarball, checked, or one that is kept in the cache."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, InputError
from backport.package import atomic, escape, tarball
from backport.package.tarball import Entry
from backport.settings import cache_folder

_TREE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, LZMAError)


@dataclass(frozen=True, slots=True)
class Source:
    """Source0: its file name, the one folder in it, where it lies and its sha256 (None and '' for a spec without an SRPM)."""

    name: str
    folder: str
    path: Path | None = None
    sha256: str = ""


def given(path: Path, step: Callable[[str], None]) -> tuple[Source, bytes]:
    """The user's tarball, and the Makefile in it: read to its end, one top folder, a kernel.

    It is read to the end because a tarball cut short makes a fine SRPM that fails in the build system.
    """
    escape.file_name(path.name)
    step(f"reading {path.name}")
    try:
        folder, makefile = _examine(path)
        return Source(path.name, folder, path, atomic.sha256(path)), makefile
    except _UNREADABLE as error:
        raise InputError(
            f"this is no whole tarball: {error}", where=str(path), then="download it again (gz, bz2 or xz)"
        ) from error
    except OSError as error:
        raise InputError(
            f"the tarball cannot be read: {error.strerror or error}", where=str(path), then="check its name"
        ) from error


def cached(
    tree: str,
    prefix: str,
    mtime: int,
    entries: Callable[[], Iterable[Entry]],
    step: Callable[[str], None],
    cache: Path | None = None,
) -> Source:
    """The tarball of the target tree `tree` (an object id), from the cache or made now and kept there.

    A cached tarball is used only if its sha256 is the one recorded when it was complete; anything else is made afresh.
    A lock lets the second of two runs wait for the first one's tarball. `cache` is backport's cache folder, for tests.
    """
    if not _TREE.fullmatch(tree):
        raise InputError(f"{tree!r} is not the id of a tree", then="give the full object id")
    key = hashlib.sha256(f"{tarball.FORMAT} {tree} {prefix} {mtime}".encode()).hexdigest()[:16]
    folder = _make_folder((cache or cache_folder()) / "tarballs")
    path, record = folder / f"{tree}-{key}.tar.gz", folder / f"{tree}-{key}.sha256"
    name = str(escape.file_name(f"{prefix}.tar.gz"))
    with _lock(folder / f"{tree}-{key}.lock", step):
        known = _recorded(record)
        if known and path.is_file() and atomic.sha256(path) == known:
            step("source tarball found in the cache")
            return Source(name, prefix, path, known)
        record.unlink(missing_ok=True)
        for left_over in folder.glob(f".{path.name}.*"):  # of a run that was killed; the lock says it is nobody's
            left_over.unlink(missing_ok=True)
        step("making the source tarball")
        made = tarball.make(entries(), prefix, mtime, path, step)
        atomic.put(record, made.encode() + b"\n")
        return Source(name, prefix, path, made)


def _examine(path: Path) -> tuple[str, bytes]:
    """The top folder of a tarball and the Makefile in it."""
    folder, makefile = "", None
    with tarfile.open(path, "r|*", errors="surrogateescape") as tar:
        for member in tar:
            parts = member.name.removeprefix("./").split("/")
            if parts == [""] or parts == ["."]:
                continue
            folder = folder or str(escape.file_name(parts[0]))
            if parts[0] != folder or ".." in parts:
                raise InputError(
                    "the tarball must have one top folder",
                    where=f"{path.name}: {member.name!r}",
                    then="pack the folder linux-VERSION",
                )
            if parts[1:] == ["Makefile"] and member.isreg():
                stream = tar.extractfile(member)
                makefile = stream.read() if stream else None
    if makefile is None:
        raise InputError(
            "the tarball holds no kernel: there is no Makefile in its top folder", where=str(path), then="give another"
        )
    return folder, makefile


def _recorded(record: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return record.read_text("ascii", "replace").strip()
    return ""


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailedError(
            f"the cache cannot be written: {error.strerror}", where=str(folder), then="set XDG_CACHE_HOME to a folder of yours"
        ) from error
    return folder


@contextlib.contextmanager
def _lock(path: Path, step: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when we die, so a stale one is impossible."""
    try:
        stream = path.open("ab")
    except OSError as error:
        raise EnvironmentFailedError(
            f"the cache cannot be written: {error.strerror}", where=str(path), then="set XDG_CACHE_HOME to a folder of yours"
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step("waiting for another run that makes the same tarball")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield

"""Source0: the target tree as a tarball, the same bytes for the same tree.

Not `git archive`: that honours export-ignore and export-subst in the tree's own .gitattributes, so a tree could leave files
out or have text rewritten. Here every entry goes in as it is.

Measured on 2.6.31 (29,110 files, 342 MB), one core: level 1 7 s and 98 MB, 4 8 s and 83 MB, 6 16 s and 79 MB, xz -0 21 s
and 74 MB. Level 4 it is.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from backport.model.errors import InputError
from backport.model.series import GITLINK, SYMLINK, show_path
from backport.package import escape
from backport.package.atomic import replacing

FORMAT = "1"  # part of the cache's key: count it up when the bytes change
_LEVEL = 4
_REPORT_EVERY = 1000

Entry = tuple[bytes, int, bytes]


def make(entries: Iterable[Entry], prefix: str, mtime: int, destination: Path, step: Callable[[str], None]) -> str:
    """Write the entries (path, git mode, data) under the folder `prefix` to `destination`, a .tar.gz; its sha256.

    Equal entries give equal bytes (with one zlib: another implementation may compress otherwise). The file appears under
    its name when it is complete, or not at all. A submodule becomes an empty folder, as in a clone that did not fetch it.
    GNU format, because it holds names as bytes: a pax header would have to claim that they are UTF-8.
    """
    escape.file_name(prefix)
    with replacing(destination) as raw:
        summing = _Summing(raw)
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=summing, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as tar,
        ):
            tar.addfile(_folder(prefix, mtime))
            guard = _Guard()
            for count, (path, mode, data) in enumerate(entries, 1):
                guard.check(path, mode)
                name = prefix + "/" + path.decode("utf-8", "surrogateescape")
                header = _header(name, mode, data, mtime)
                tar.addfile(header, io.BytesIO(data) if header.isreg() else None)
                if count % _REPORT_EVERY == 0:
                    step(f"{count} files packed")
    return summing.digest.hexdigest()


class _Summing:
    """A stream that sums what is written through it."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Pass the bytes on."""
        self.digest.update(data)
        return self._raw.write(data)

    def flush(self) -> None:
        """Pass it on."""
        self._raw.flush()


class _Guard:
    """Refuses what git would not check out: a tree object may hold any name, and root may unpack the tarball."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._links: set[bytes] = set()

    def check(self, path: bytes, mode: int) -> None:
        """InputError for a path that leaves the tree, comes twice, or runs through a symlink."""
        parts = path.split(b"/")
        if b"\0" in path or any(part in (b"", b".", b"..") or part.lower() == b".git" for part in parts):
            raise InputError("the tree has a path that no tree may have", where=show_path(path), then="do not trust this tree")
        above = (b"/".join(parts[:depth]) for depth in range(1, len(parts)))
        if path in self._seen or any(folder in self._links for folder in above):
            raise InputError("the tree has the same path twice", where=show_path(path), then="run `git fsck` in the clone")
        self._seen.add(path)
        if stat.S_IFMT(mode) == SYMLINK:
            self._links.add(path)


def _folder(name: str, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode, header.mtime = tarfile.DIRTYPE, 0o755, mtime
    header.uname = header.gname = "root"
    return header


def _header(name: str, mode: int, data: bytes, mtime: int) -> tarfile.TarInfo:
    """The header of one entry: of git's mode only the kind and the executable bit mean anything."""
    if stat.S_IFMT(mode) == GITLINK:
        return _folder(name, mtime)
    header = tarfile.TarInfo(name)
    header.mtime = mtime
    header.uname = header.gname = "root"
    if stat.S_IFMT(mode) == SYMLINK:
        header.type, header.mode, header.linkname = tarfile.SYMTYPE, 0o777, data.decode("utf-8", "surrogateescape")
    else:
        header.mode, header.size = (0o755 if mode & 0o111 else 0o644), len(data)
    return header

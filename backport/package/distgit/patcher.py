"""Applies a patch file to a tree of the store, by the very program that the spec uses: patch(1) with its fuzz, or git apply.

Only the files that the patch names are laid out, in a folder that is thrown away; a kernel is never checked out.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import tempfile
import zlib
from pathlib import Path

from backport.git.diff import unquote
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import InputError
from backport.model.series import Entry, show_path
from backport.package.distgit.applied import Application
from backport.package.run import run, scrubbed

_FILE = re.compile(rb"^(?:--- |\+\+\+ |rename (?:from|to) )([^\t\n]+)", re.M)
_GIT_FILE = re.compile(rb"^diff --git (\S+) (\S+)$", re.M)
_RENAME = re.compile(rb"rename ")
_SYMLINK = re.compile(rb"^(?:new file mode|old mode|new mode|deleted file mode) 120000", re.M)
_BINARY = re.compile(rb"^GIT binary patch", re.M)
_LARGEST = 256 << 20  # bytes unpacked: a .bz2 of a few kB can hold more than the memory does
_SECONDS = 120.0


class NotAppliedError(InputError):
    """The patch does not apply there; `what` is what the program said."""


class Patcher:
    """Applies patches one after the other. `scratch` is a folder of its own, for an index and the files laid out."""

    def __init__(self, store: Store, trees: Trees, scratch: Path) -> None:
        self._store, self._trees, self._scratch = store, trees, scratch
        self._index = scratch / "index"
        self._indexed = ""

    def apply(self, tree: str, data: bytes, how: Application) -> str:
        """The tree with the patch applied. NotAppliedError where the program refuses it."""
        return self._by_git(tree, data, how) if how.fuzz is None else self._by_patch(tree, data, how)

    def _by_git(self, tree: str, data: bytes, how: Application) -> str:
        git = self._store.git
        if self._indexed != tree:
            git.run(["read-tree", tree], index=self._index)
        self._indexed = ""
        try:
            command = ["apply", "--cached", f"-p{how.strip}", *(["-R"] if how.reverse else []), "-"]
            git.run(command, data, index=self._index)
        except GitFailedError as error:
            raise NotAppliedError(f"git apply: {_last(error.stderr)}", where=how.name) from error
        self._indexed = git.run(["write-tree"], index=self._index).decode().strip()
        return self._indexed

    def _by_patch(self, tree: str, data: bytes, how: Application) -> str:
        if _SYMLINK.search(data) or _BINARY.search(data):
            raise NotAppliedError("patch(1) cannot apply a symlink or a binary change", where=how.name)
        paths = touched(data, how.strip)
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder = Path(name) / "tree"
            folder.mkdir()
            before = self._lay_out(tree, paths, folder)
            (Path(name) / "patch").write_bytes(data)
            options = [f"-p{how.strip}", f"-F{how.fuzz}", "-s", "-f", "--no-backup-if-mismatch", "-r", "-"]
            command = ["patch", *options, *(["-R"] if how.reverse else []), "-d", str(folder), "-i", str(Path(name) / "patch")]
            done = run(command, env=scrubbed(Path(name)), timeout=_SECONDS, install="apt-get install patch, or dnf install patch")
            if done.code:
                said = _last((done.out + done.err).decode("utf-8", "replace"))
                raise NotAppliedError(f"patch -p{how.strip} -F{how.fuzz}: {said}", where=how.name)
            return self._trees.edit(tree, self._changes(folder, paths, before))

    def _lay_out(self, tree: str, paths: list[bytes], folder: Path) -> dict[bytes, Entry | None]:
        """The files as they are in the tree. Never a symlink: what patch(1) writes must stay in the folder."""
        before = {path: self._trees.entry(tree, path) for path in paths}
        files = {path: entry for path, entry in before.items() if entry is not None and entry.is_file}
        self._store.prefetch([entry.oid for entry in files.values()])
        for path, entry in files.items():
            place = folder / os.fsdecode(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self._store.read(entry.oid, "blob"))
            place.chmod(entry.mode & 0o777)
        return before

    def _changes(self, folder: Path, paths: list[bytes], before: dict[bytes, Entry | None]) -> dict[bytes, Entry | None]:
        changes: dict[bytes, Entry | None] = {}
        for path in paths:
            place, old = folder / os.fsdecode(path), before[path]
            if place.is_symlink():
                raise NotAppliedError("patch(1) made a symlink", where=show_path(path))
            if not place.is_file():
                if old is not None and old.is_file:
                    changes[path] = None
                continue
            new = Entry(0o100755 if place.stat().st_mode & 0o100 else 0o100644, self._store.write("blob", place.read_bytes()))
            if new != old:
                changes[path] = new
        return changes


def touched(data: bytes, strip: int) -> list[bytes]:
    """Every path that the patch names, with `strip` leading parts taken off. InputError for one that leaves the tree."""
    names = [(unquote(found[1]), _RENAME.match(found[0]) is not None) for found in _FILE.finditer(data)]
    names += [(name, False) for found in _GIT_FILE.finditer(data) for name in (found[1], found[2])]
    paths = []
    for name, renamed in names:
        if name == b"/dev/null":
            continue
        parts = [part for part in name.split(b"/") if part not in (b"", b".")][0 if renamed else strip :]
        if b".." in parts or any(part.lower() == b".git" for part in parts) or (name.startswith(b"/") and not strip):
            raise NotAppliedError("the patch names a path outside of the tree", where=show_path(name))
        if parts:
            paths.append(b"/".join(parts))
    return list(dict.fromkeys(paths))


def unpacked(name: str, data: bytes) -> bytes:
    """The patch in a file that may be compressed, as its name says. InputError where it is damaged, or unpacks to too much."""
    kinds = {".bz2": bz2.BZ2Decompressor, ".xz": lzma.LZMADecompressor}
    suffix = Path(name).suffix
    try:
        if suffix == ".gz":
            out = gzip.GzipFile(fileobj=io.BytesIO(data)).read(_LARGEST + 1)
        elif suffix in kinds:
            out = kinds[suffix]().decompress(data, _LARGEST + 1)
        else:
            out = data
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"the compressed patch is damaged: {error}", where=name, then="download it again") from error
    if len(out) > _LARGEST:
        raise InputError("the patch unpacks to more than any patch has", where=name)
    return out


def _last(text: str) -> str:
    """The lines that say what failed, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[:3])[:300] if lines else "it said nothing"

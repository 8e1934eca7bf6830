"""Reads objects of the user's clones, and writes new ones where the clone never sees them.

The store is a bare repository of its own, made by hand in the run's folder (no process), with the clones' object folders
as alternates: a read-only clone, one with a busy index or with a hostile configuration serves as well as any, because
nothing of it but its objects is ever opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from backport.git.runner import Git, end
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.series import Entry

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = false\n"
BATCH = 256  # requests of 41 bytes: a batch must fit in a pipe (64 KiB), or both sides wait for each other
_KEEP = 64 << 20  # bytes of objects kept in memory; the replay of KSM reads 9 MB in all


class Store:
    """Objects by id, through one `cat-file --batch` that lives as long as the store. Use it as a context manager.

    `fetch_missing`, where given, is called with the ids that no alternate has, and is expected to bring them in (a
    partial clone of ours). Where it is not, a missing object is an InputError that says which and what to do.
    `keep_last` false: the folder is thrown away with the store, so that objects which no git needed are never written.
    """

    def __init__(
        self,
        folder: Path,
        alternates: Sequence[Path],
        *,
        shallow: bytes = b"",
        fetch_missing: Callable[[Sequence[str]], None] | None = None,
        keep_last: bool = True,
    ) -> None:
        _make_repository(folder, alternates, shallow)
        self.folder = folder
        self.git = Git(folder, before=self.flush)
        self._fetch_missing = fetch_missing
        self._batch: subprocess.Popen[bytes] | None = None
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._kept_bytes = 0
        self._pending: dict[str, tuple[str, bytes]] = {}  # written by us, and no git has asked for them yet
        self._pending_bytes = 0
        self._written: set[str] = set()
        self._last = keep_last

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._batch is not None:
            end(self._batch)
            self._batch = None
        if kind is None and self._last:
            self.flush()

    def text(self, entry: Entry | None) -> bytes | None:
        """What a file of a tree holds; None where there is none, or it is a link, a folder or a submodule."""
        return self.read(entry.oid, "blob") if entry is not None and entry.is_file else None

    def read(self, oid: str, kind: str = "") -> bytes:
        """The content of one object; InputError where it is missing or is not of `kind` (blob, tree, commit)."""
        if oid not in self._kept and oid not in self._pending:
            self.prefetch([oid])
        found = self._kept.get(oid) or self._pending.get(oid) or next(iter(self._ask([oid])))[1]
        if found is None:
            raise InputError(f"the history has no object {oid}", then=MISSING)
        if kind and found[0] != kind:
            raise InputError(f"{oid} is a {found[0]}, not a {kind}")
        return found[1]

    def has(self, oids: Iterable[str]) -> set[str]:
        """Those of `oids` that are there; none is fetched."""
        wanted = list(dict.fromkeys(oids))
        lines = self.git.run(["cat-file", "--batch-check=%(objectname)"], "".join(f"{o}\n" for o in wanted).encode())
        return {o for o, line in zip(wanted, lines.splitlines(), strict=True) if line == o.encode()}

    def prefetch(self, oids: Iterable[str]) -> None:
        """Read many objects in one go and keep them, fetching those that are missing where that is possible."""
        wanted = [o for o in dict.fromkeys(oids) if o not in self._kept and o not in self._pending]
        missing = [oid for oid, found in self._ask(wanted) if found is None or not self._keep(oid, *found)]
        missing = [oid for oid in missing if self._fetch_missing is not None and oid not in self._kept]
        if missing and self._fetch_missing is not None:
            self._fetch_missing(missing)
            for oid, found in self._ask(missing):
                if found is not None:
                    self._keep(oid, *found)

    @property
    def partial(self) -> bool:
        """Whether objects may be missing until somebody asks: git's own commands must then be given theirs beforehand."""
        return self._fetch_missing is not None

    def stream(self, oids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of many objects in order, none of them kept: for a whole tree. InputError where one is missing."""
        for oid, found in self._ask(oids):
            if found is None:
                raise InputError(f"the history has no object {oid}", then=MISSING)
            yield oid, found[1]

    def write(self, kind: str, content: bytes) -> str:
        """Store an object; the id it has. It is there for us at once, and for git when the next one starts: see `flush`."""
        data = b"%s %d\0" % (kind.encode(), len(content)) + content
        oid = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self._keep(oid, kind, content)
        if oid not in self._written:
            self._written.add(oid)
            self._pending[oid] = (kind, content)
            self._pending_bytes += len(content)
            if self._pending_bytes > _KEEP:
                self.flush()
        return oid

    def flush(self) -> None:
        """Have all that was written in the folder, as one pack; on an error nothing of it is left.

        Every git that is started with ours is preceded by this. A pack is two files, where the 160 objects of KSM were
        160: writing those was most of a replay, and taking them away most of the rest. Written straight under its name, the
        index last, which is what git looks for: a run that is killed throws the folder away.
        """
        if not self._pending:
            return
        pack, index = packed(self._pending.items())
        name = f"pack-{hashlib.sha1(pack, usedforsecurity=False).hexdigest()}"
        folder = self.folder / "objects" / "pack"
        try:
            for suffix, data in ((".pack", pack), (".idx", index)):
                _put(folder / (name + suffix), data)
        except OSError as error:
            raise EnvironmentFailedError(f"cannot write objects: {error.strerror}", where=str(self.folder)) from error
        self._pending.clear()
        self._pending_bytes = 0

    def apply(self, tree: str, patches: Sequence[bytes]) -> str:
        """The tree that patch files make of `tree`, one after the other. GitFailedError where one does not apply without fuzz."""
        index = self.folder / "apply.index"
        try:
            self.git.run(["read-tree", tree], index=index)
            for patch in patches:
                self.git.run(["apply", "--cached", "--whitespace=nowarn", "-"], patch, index=index)
            return self.git.run(["write-tree"], index=index).decode().strip()
        finally:
            index.unlink(missing_ok=True)

    def _keep(self, oid: str, kind: str, content: bytes) -> bool:
        if self._kept_bytes + len(content) > _KEEP:
            self._kept.clear()
            self._kept_bytes = 0
        self._kept[oid] = (kind, content)
        self._kept_bytes += len(content)
        return True

    def _ask(self, oids: Sequence[str]) -> Iterator[tuple[str, tuple[str, bytes] | None]]:
        """Each id with its kind and content, None where it is missing."""
        for start in range(0, len(oids), BATCH):
            batch = oids[start : start + BATCH]
            if not self._pending.keys().isdisjoint(batch):
                self.flush()
            try:  # the whole batch is read before any is handed on: the caller may ask for others in between
                answers = self._converse(batch)
            except (OSError, ValueError) as error:
                raise EnvironmentFailedError("git cat-file died", where=str(self.folder)) from error
            yield from zip(batch, answers, strict=True)

    def _converse(self, batch: Sequence[str]) -> list[tuple[str, bytes] | None]:
        if self._batch is None:
            self._batch = self.git.start(["cat-file", "--batch"])
        requests, replies = cast("IO[bytes]", self._batch.stdin), cast("IO[bytes]", self._batch.stdout)
        requests.write("".join(f"{o}\n" for o in batch).encode("ascii"))
        requests.flush()
        answers: list[tuple[str, bytes] | None] = []
        for _ in batch:
            told = read_header(replies)
            answers.append((told[0], read_content(replies, told[1])) if told is not None else None)
        return answers


def read_header(replies: IO[bytes]) -> tuple[str, int] | None:
    """What `cat-file --batch` says of the next object: its kind and size, None where it is missing. ValueError where git died."""
    header = replies.readline().split()
    if len(header) == 2:  # "<id> missing"
        return None
    if len(header) != 3:
        raise ValueError("no header")
    return header[1].decode(), int(header[2])


def read_content(replies: IO[bytes], size: int) -> bytes:
    """The object whose header was read. ValueError where it is cut off: git gives what it has, and dies."""
    content = replies.read(size + 1)
    if len(content) != size + 1:
        raise ValueError("short object")
    return content[:-1]


MISSING = "the clone is shallow, partial, damaged (git fsck) or of another project: give a full one, or a URL, with --kernel"


def packed(objects: Iterable[tuple[str, tuple[str, bytes]]]) -> tuple[bytes, bytes]:
    """Some objects (id, kind, content) as a pack, whole and without deltas, and its index."""
    from gitdb import OStream, pack  # late, like GitPython that brings it

    pieces: list[bytes] = []
    index: list[bytes] = []
    streams = [OStream(bytes.fromhex(oid), kind.encode(), len(text), io.BytesIO(text)) for oid, (kind, text) in objects]
    pack.PackEntity.write_pack(streams, pieces.append, index.append, len(streams))
    return b"".join(pieces), b"".join(index)


def _put(path: Path, data: bytes) -> None:
    """Create a file with this content; nothing is left of it after an error. One that is there already has the same content."""
    try:
        with path.open("xb") as stream:
            stream.write(data)
        path.chmod(0o444)
    except FileExistsError:
        return
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _make_repository(folder: Path, alternates: Sequence[Path], shallow: bytes) -> None:
    """A bare repository by hand. The alternates are absolute and quoted as git reads them."""
    try:
        (folder / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (folder / "objects" / "pack").mkdir(exist_ok=True)
        (folder / "refs" / "heads").mkdir(parents=True, exist_ok=True)
        (folder / "HEAD").write_bytes(b"ref: refs/heads/backport\n")
        (folder / "config").write_bytes(_CONFIG)
        lines = [quoted(os.fsencode(path.resolve())) for path in alternates]
        (folder / "objects" / "info" / "alternates").write_bytes(b"".join(line + b"\n" for line in lines))
        if shallow:  # without it, a walk of a shallow clone's history dies at the first parent that is not there
            (folder / "shallow").write_bytes(shallow)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot make the run's folder: {error.strerror}", where=str(folder)) from error


def quoted(path: bytes) -> bytes:
    """A path as a line of `objects/info/alternates`: C-quoted where it starts with `"` or `#` or holds a line break."""
    if not path.startswith((b'"', b"#")) and b"\n" not in path:
        return path
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'

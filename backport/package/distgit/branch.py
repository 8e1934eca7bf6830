"""Makes a branch of a dist-git folder: the base, and one commit for each patch that the spec applies, in its order.

The branch is in a bare repository of our own that borrows the objects of the kernel clones, which are only read. Any command
takes it as a `--kernel`: backport run ksm --kernel linux.git --kernel f12.git --onto f12
"""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import IO, cast

from backport.git.history import Commit
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.progress import Progress
from backport.package import adopt, source, version
from backport.package.dialects import recognise
from backport.package.distgit import sources
from backport.package.distgit.applied import Application, applications
from backport.package.distgit.patcher import Patcher, unpacked
from backport.package.document import Document

NAME_TRAILER, LINE_TRAILER, REVERSED_TRAILER = "Distgit-Patch", "Distgit-Line", "Distgit-Reversed"
_COMMITTER = b"backport <backport@localhost>"
_STABLE = re.compile(r"patch-(\d+(?:\.\d+){2,3}(?:-rc\d+)?)(?:\.(?:bz2|xz|gz))?")
_SKIPPED = 9  # lines: what ApplyOptionalPatch takes for an empty patch
_DATE = re.compile(rb"> (\d+ [+-]\d{4})\Z")
_IDENT = re.compile(r"[\x00-\x1f<>]")


@dataclass(frozen=True, slots=True)
class Landed:
    """A patch of the spec as a commit."""

    how: Application
    commit: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A patch of the spec that is not in the branch, and why."""

    how: Application
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a dist-git folder. `skipped` are empty optional patches, the stable patch of the base, those left out."""

    base: str
    tip: str
    landed: tuple[Landed, ...]
    failed: tuple[Failed, ...]
    skipped: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the spec counts: the architecture, macros as with --define, patches to leave out."""

    cpu: str = "x86_64"
    defines: tuple[tuple[str, str], ...] = ()
    skip: tuple[str, ...] = ()


def make(
    document: Document, folder: Path, base: Commit, wanted: Wanted, store: Store, trees: Trees, progress: Progress
) -> Imported:
    """Commit after commit onto `base`. A patch that is missing or does not apply is named and left out; the others go on.

    Equal folders and bases give equal commits: the committer's date is the base's, the author's is the patch's own where it is a
    mail.
    """
    presets: Mapping[str, str | None] = {**recognise(document).presets(document), **dict(wanted.defines)}
    todo = applications(document, wanted.cpu, presets)
    known = sources.read(folder)
    unknown = [name for name in wanted.skip if name not in {how.name for how in todo}]
    if unknown:
        raise InputError(f"the spec does not apply {unknown[0]}", where="--skip", then="see the list of what it applies")
    progress.stage("distgit", len(todo))
    here = _version(base, trees)
    landed: list[Landed] = []
    failed: list[Failed] = []
    skipped: list[Failed] = []
    tip, tree = base.oid, base.tree
    with tempfile.TemporaryDirectory(prefix="backport-distgit-") as scratch:
        patcher = Patcher(store, trees, Path(scratch))
        for how in todo:
            try:
                if _stable(how.name) == here:
                    skipped.append(Failed(how, f"the base is {here} already"))
                    continue
                data = _read(folder, how, known)
                if how.name in wanted.skip or (how.optional and data.count(b"\n") <= _SKIPPED):
                    skipped.append(Failed(how, "left out by --skip" if how.name in wanted.skip else "nine lines or fewer"))
                else:
                    tree = patcher.apply(tree, data, how)
                    tip = _commit(store, tree, tip, base, data, how, document)
                    landed.append(Landed(how, tip))
            except InputError as error:
                failed.append(Failed(how, error.what))
            progress.step(how.name)
    progress.done(f"{len(landed)} of {len(todo)} patches applied")
    return Imported(base.oid, tip, tuple(landed), tuple(failed), tuple(skipped))


def _stable(name: str) -> str:
    """The version to which a stable patch leads, `patch-2.6.32.26.bz2`; '' for another patch."""
    found = _STABLE.fullmatch(name)
    return found[1] if found else ""


def _version(base: Commit, trees: Trees) -> str:
    try:
        return version.parse(trees.read(base.tree, b"Makefile") or b"").upstream
    except InputError:
        return "?"


def from_tarball(path: Path, known: Mapping[str, tuple[str, str]], store: Store, progress: Progress) -> str:
    """The commit that holds the tree of a tarball; the checksum in `sources` is verified first, where there is one."""
    sources.verify(path, dict(known))
    found, _ = source.given(path, progress.step)
    progress.stage("tarball", 0)
    with store.git.process(["fast-import", "--quiet", "--force"]) as process:
        stdin = cast("IO[bytes]", process.stdin)
        try:
            for piece in _stream(path, found.folder):
                stdin.write(piece)
        except BrokenPipeError:
            pass
        _, err = process.communicate()
    if process.returncode:
        raise EnvironmentFailedError(f"git fast-import: {err.decode('utf-8', 'replace').strip()[:200]}", where=str(path))
    progress.done(path.name)
    return store.git.run(["rev-parse", "refs/backport/tarball"]).decode().strip()


def _stream(path: Path, top: str) -> Iterator[bytes]:
    """The tarball as git fast-import reads it: one commit, dated by the newest file in it."""
    newest, marks = 0, []
    with tarfile.open(path, "r|*", errors="surrogateescape") as tar:
        for member in tar:
            name = member.name.removeprefix("./").removeprefix(top).lstrip("/").encode("utf-8", "surrogateescape")
            newest = max(newest, int(member.mtime))
            if not name or not (member.isreg() or member.issym()):
                continue
            stream = tar.extractfile(member) if member.isreg() else None
            data = stream.read() if stream else member.linkname.encode("utf-8", "surrogateescape")
            mode = b"120000" if member.issym() else b"100755" if member.mode & 0o100 else b"100644"
            marks.append((mode, name))
            yield b"blob\nmark :%d\ndata %d\n" % (len(marks), len(data)) + data + b"\n"
    message = b"%s\n" % path.name.encode("utf-8", "replace")
    yield b"commit refs/backport/tarball\ncommitter %s %d +0000\n" % (_COMMITTER, newest)
    yield b"data %d\n" % len(message) + message
    for mark, (mode, name) in enumerate(marks, 1):
        quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        yield b'M %s :%d "%s"\n' % (mode, mark, quoted)


def _read(folder: Path, how: Application, known: dict[str, tuple[str, str]]) -> bytes:
    path = folder / how.name
    if "/" in how.name or path.is_symlink() or not path.is_file():
        listed = (
            f"; `sources` lists it, {known[how.name][0]} {known[how.name][1]} (fedpkg sources fetches it)"
            if how.name in known
            else ""
        )
        raise InputError(f"the file is not in the folder{listed}")
    sources.verify(path, known)
    return unpacked(how.name, path.read_bytes())


def _commit(store: Store, tree: str, parent: str, base: Commit, data: bytes, how: Application, document: Document) -> str:
    """The patch as a commit: author, date, subject and text of the mail where it is one."""
    when = _DATE.search(base.committer)
    stamp = when[1] if when else b"0 +0000"
    author = _author(data) or _COMMITTER + b" " + stamp
    header = f"tree {tree}\nparent {parent}\n".encode() + b"author " + author + b"\ncommitter " + _COMMITTER + b" " + stamp
    body = _body(data)
    trailers = f"{NAME_TRAILER}: {how.name}\n{LINE_TRAILER}: {Path(document.where).name}:{how.line}\n"
    trailers += f"{REVERSED_TRAILER}: yes\n" if how.reverse else ""
    text = (adopt.title(data) or how.name).encode("utf-8", "replace") + b"\n\n" + (body + b"\n\n" if body else b"")
    return store.write("commit", header + b"\n\n" + text + trailers.encode())


def _author(data: bytes) -> bytes:
    """The ident of a mail's author, with the date of the mail; empty for a patch that is none."""
    name, mail = parseaddr(adopt.header(data, "From"))
    try:
        when = parsedate_to_datetime(adopt.header(data, "Date"))
        stamp = f"{int(when.timestamp())} {when.strftime('%z') or '+0000'}"
    except (TypeError, ValueError, OverflowError):
        return b""
    name, mail = _IDENT.sub("", name).strip(), _IDENT.sub("", mail).strip()
    return f"{name or mail} <{mail}> {stamp}".encode("utf-8", "replace") if mail and int(stamp.split()[0]) >= 0 else b""


def _body(data: bytes) -> bytes:
    """What a mail says between its header and its diff; empty for a patch that is no mail."""
    if not adopt.header(data, "From"):
        return b""
    body = data.partition(b"\n\n")[2]
    end = re.search(rb"^(?:---|diff -|Index: |--- )", body, re.M)
    return body[: end.start() if end else 0].strip().replace(b"\0", b"")

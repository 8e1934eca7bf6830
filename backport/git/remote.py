"""Histories at a URL: kept in the cache as partial bare clones that hold what the runs so far have needed.

Commits and trees of the wanted revisions come with the first fetch (`--filter=blob:none`), file contents when a run asks for
them, many at once. Each step leaves the clone whole: an interrupted one goes on where it stopped at the next run.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backport.git.clone import Clone
from backport.git.runner import Git, GitFailedError
from backport.model.errors import EnvironmentFailedError, InputError

_URL = re.compile(r"(?:https?|git|ssh|file)://[^\s\x00-\x1f]+|\w[\w.-]*@[\w.-]+:[^\s\x00-\x1f]+")
_TRANSPORTS = "https:http:git:ssh:file"
_CONFIG = """[core]
\trepositoryformatversion = 1
\tbare = true
[extensions]
\tpartialClone = origin
[remote "origin"]
\tpromisor = true
\tpartialclonefilter = blob:none
"""


def is_url(kernel: str) -> bool:
    """Whether a --kernel is to be fetched rather than opened. `ext::` and its like, which run commands, never are."""
    return _URL.fullmatch(kernel) is not None


class Remote:
    """One URL and its partial clone in the cache. Several processes may use it; one at a time fetches."""

    def __init__(self, url: str, cache: Path, step: Callable[[str], None]) -> None:
        name = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:20]
        self.url = url
        self.folder = cache / "clones" / f"{name}.git"
        self._step = step
        _make(self.folder, url)
        self._git = Git(self.folder, transports=_TRANSPORTS)
        self.clone = Clone(self.folder, self.folder)

    def fetch(self, names: Sequence[str]) -> None:
        """Bring the history of each name that the server has: tags, branches, and full commit ids that are not here yet.

        Names that it does not have are passed over; whoever resolves them afterwards says so better.
        """
        listed = self._listing()
        refs, ids = [], []
        for name in dict.fromkeys(names):
            full = next((r for r in (name, f"refs/tags/{name}", f"refs/heads/{name}") if r in listed), None)
            if full is not None and full != "HEAD":
                refs.append(f"+{full}:{full}")
            elif re.fullmatch(r"[0-9a-f]{40}", name):
                ids.append(name)
        missing = self._missing(ids)
        with self._lock():
            if refs:
                self._fetch(["--filter=blob:none", "origin", *refs])
            if still := [oid for oid in self._missing(missing) if oid in missing]:
                self._fetch(["--filter=blob:none", "origin", *still], optional=True)

    def fetch_objects(self, oids: Sequence[str]) -> None:
        """Bring single objects, as git does when it meets a hole in a partial clone, but all in one trip."""
        with self._lock():
            options = ["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]
            command = [*self._where(), *options, "--no-auto-maintenance", "--filter=blob:none", "--stdin", "origin"]
            self._run(command, "".join(f"{oid}\n" for oid in oids).encode())
            self._step(f"{len(oids)} objects")

    def _listing(self) -> set[str]:
        out = self._run([*self._where(), "ls-remote", "--quiet", "origin"])
        return {line.split("\t")[1] for line in out.decode("utf-8", "replace").splitlines() if "\t" in line}

    def _missing(self, ids: Sequence[str]) -> list[str]:
        if not ids:
            return []
        out = Git(self.folder).run(["cat-file", "--batch-check"], "".join(f"{oid}\n" for oid in ids).encode())
        return [line.split()[0].decode() for line in out.splitlines() if line.endswith(b" missing")]

    def _where(self) -> list[str]:
        return ["-c", f"remote.origin.url={self.url}"]

    def _fetch(self, arguments: Sequence[str], *, optional: bool = False) -> None:
        """Fetch with git's own progress handed on line by line. A server may refuse single ids: `optional` lets it."""
        options = ["--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
        command = [*self._where(), "fetch", *options, *arguments]
        with self._git.process(command) as process:
            said = b""
            for line in _progress(process.stderr):
                said = line
                self._step(line.decode("utf-8", "replace"))
            code = process.wait()
        if code and not optional:
            raise self._failure(said.decode("utf-8", "replace"))

    def _run(self, command: Sequence[str], stdin: bytes = b"") -> bytes:
        try:
            return self._git.run(command, stdin)
        except GitFailedError as error:
            raise self._failure(error.stderr) from error

    def _failure(self, said: str) -> EnvironmentFailedError:
        last = said.strip().splitlines()[-1] if said.strip() else "git said nothing"
        then = "is the URL right, and the network up? what was fetched is kept: run it again to go on"
        return EnvironmentFailedError(f"cannot fetch: {last}", where=self.url, then=then)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "backport.lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _make(folder: Path, url: str) -> None:
    if not is_url(url):
        raise InputError("this is no URL that git may fetch from", where=url, then="https://, git://, ssh:// or file://")
    try:
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for name, text in (("HEAD", "ref: refs/heads/none\n"), ("config", _CONFIG), ("description", url + "\n")):
            if not (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write the cache: {error.strerror}", where=str(folder)) from error


def _progress(stream: object) -> Iterator[bytes]:
    """Lines of git's progress: a CR redraws one, and only what stands at its end counts."""
    pending = b""
    while chunk := getattr(stream, "read1")(4096):  # noqa: B009
        *lines, pending = re.split(rb"[\r\n]+", pending + chunk)
        yield from (line for line in lines if line.strip())
    if pending.strip():
        yield pending

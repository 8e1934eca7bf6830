"""The bench: the kept folder in which kernels of one version are built.

    prove/2.6.31/src/                   the source tree, rewritten file by file from one step to the next
    prove/2.6.31/out/NAME/              one output folder (make O=) for each architecture, configuration and toolchain
    prove/2.6.31/lock                   one proof at a time; compilers of a killed run hold it until they are gone
    prove/results/                      what builds said, by the content that they were made of

All of it is in the cache and can be made again. Nothing but the checkout writes to src/.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backport.git import worktree
from backport.git.store import Store
from backport.model.errors import EnvironmentFailedError, InputError
from backport.prove.disk import writing
from backport.prove.process import Ended, watch
from backport.prove.toolchain import Toolchain

_LONGEST = 4 * 3600.0
_LOG_LIMIT = 32 << 20
# What a build says that failed for want of something, and not for what stands in the tree.
_STARVED = re.compile(rb"No space left on device|Killed signal terminated|Cannot allocate memory|virtual memory exhausted")


@dataclass(frozen=True, slots=True)
class Bench:
    """An open bench; `lock` is the descriptor of its lock."""

    folder: Path
    cache: Path
    store: Store
    lock: int

    @property
    def source(self) -> Path:
        """The source tree."""
        return self.folder / "src"

    def checkout(self, tree: str) -> None:
        """Make the source tree that of `tree`."""
        worktree.checkout(self.store, tree, self.source)

    def output(self, name: str) -> Path:
        """An output folder, made where it is not there."""
        path = self.folder / "out" / name
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        return path


@dataclass(frozen=True, slots=True)
class Make:
    """make, for one output folder. What it printed is in `log`, the last of it also in what a failed call says."""

    bench: Bench
    toolchain: Toolchain
    arch: str
    out: Path

    @property
    def log(self) -> Path:
        """What the last make printed."""
        return self.out / ".backport.log"

    def run(
        self, targets: Sequence[str], *, stdin: bytes = b"", told: Callable[[str], None] | None = None, go_on: bool = False
    ) -> Ended:
        """Make the targets, with as many jobs as there are processors; `told` hears of each command (`CC mm/ksm.o`).

        With `go_on`, a target that fails does not keep the others from being made. EnvironmentFailedError where the disk or
        the memory ran out: that says nothing of the tree, and must not be remembered as if it did.
        """
        # Twice as nice, where the caller is nice already, was a build of 20 minutes beside somebody's busy loop.
        command = ["nice", "-n", str(max(0, 10 - os.nice(0))), "make", f"-j{os.cpu_count() or 1}"]
        command += ["-C", str(self.bench.source), f"O={self.out}", *(["-k"] if go_on else [])]
        command += [*self.toolchain.arguments(self.arch), *targets]
        with writing(self.out), self._busy(), self.log.open("wb") as log:
            environment = self.toolchain.environment(self.bench.cache)
            keep = [self.bench.lock]
            ended = watch(command, _Log(log.write, told), timeout=_LONGEST, environment=environment, stdin=stdin, keep=keep)
        if ended.code != 0 and (found := _STARVED.search(self.log.read_bytes())):
            then = "free some space or memory, and run it again: what is built already stays"
            raise EnvironmentFailedError(f"the build ran out of something: {found[0].decode()}", where=str(self.out), then=then)
        return ended

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """A mark while make is at it. One that is left is of a make that was killed: all that is newer is thrown away.

        What was written last may be half an object, and as it is newer than its source, make would take it for done.
        """
        mark = self.out / ".backport.busy"
        if mark.exists():
            begun = mark.stat().st_mtime_ns
            for path in [*self.out.rglob("*.o"), *self.out.rglob("*.a"), self.out / "vmlinux"]:
                if path.is_file() and path.stat().st_mtime_ns >= begun:
                    path.unlink()
        mark.write_bytes(b"")
        yield
        mark.unlink(missing_ok=True)

    def said(self, lines: int = 12) -> str:
        """What a failed make said that matters: its errors, else its last lines."""
        try:
            text = self.log.read_bytes()[-(1 << 18) :].decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        errors = [line for line in text if "error:" in line or "Error " in line or line.startswith("make")]
        return "\n".join((errors or text)[:lines])


class _Log:
    """Writes what make prints to the log, up to a limit, and tells of each command."""

    def __init__(self, write: Callable[[bytes], object], told: Callable[[str], None] | None) -> None:
        self._write = write
        self._told = told
        self._room = _LOG_LIMIT
        self._rest = b""

    def __call__(self, piece: bytes) -> bool:
        self._write(piece[: self._room])
        self._room = max(0, self._room - len(piece))
        if self._told is not None:
            *lines, self._rest = (self._rest + piece)[-(1 << 17) :].split(b"\n")
            for line in lines:
                if line.startswith(b"  ") and len(words := line.split()) == 2 and words[0].isupper():
                    self._told(b" ".join(words).decode("utf-8", "replace"))
        return True


@contextmanager
def open_bench(cache: Path, version: str, store: Store) -> Iterator[Bench]:
    """The bench of one kernel version, locked. InputError where another proof is at it."""
    folder = cache / "prove" / version
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                "another proof is building this kernel version (or its last compilers are still at it)",
                where=str(folder),
                then="wait for it, or give another cache: XDG_CACHE_HOME",
            ) from error
        yield Bench(folder, cache / "prove", store, handle)
    finally:
        os.close(handle)

"""Child processes that never outlive us: make and qemu, each in a process group of its own.

A child is killed with its whole group when the block is left, by whatever error; and by the kernel (PR_SET_PDEATHSIG) where
we are killed ourselves, so that no qemu is ever left running. The lock of the folder it writes to is inherited: while
compilers of a killed run are still at it, the next run waits its turn.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, cast

from backport.git.mortal import die_with_parent
from backport.model.errors import EnvironmentFailedError, MissingToolError

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its status (negative: a signal), and whether it was the time or our wish (`stopped`) that ended it."""

    code: int
    timed_out: bool = False
    stopped: bool = False


def watch(
    command: Sequence[str],
    reader: Callable[[bytes], bool],
    *,
    timeout: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    keep: Sequence[int] = (),
    then: float = 0,
) -> Ended:
    """Run a command and hand what it prints (both streams) to `reader` piece by piece, until it ends or `reader` says False.

    `timeout` in seconds for the whole of it; where `reader` has an attribute `ending` that becomes true, only `then` more
    seconds. `keep` are descriptors that the child inherits. MissingToolError where the program is not there.
    """
    deadline = time.monotonic() + timeout
    ending = False
    with _mortal(), _child(command, cwd, environment, stdin, keep) as child:
        stream = cast("IO[bytes]", child.stdout).fileno()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return Ended(_kill(child), timed_out=True)
            if not select.select([stream], [], [], left)[0]:
                continue
            piece = os.read(stream, _CHUNK)
            if not piece:
                break
            if not reader(piece):
                return Ended(_kill(child), stopped=True)
            if not ending and getattr(reader, "ending", False):
                ending, deadline = True, min(deadline, time.monotonic() + then)
        try:
            return Ended(child.wait(max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            return Ended(_kill(child), timed_out=True)


def collect(
    command: Sequence[str], *, timeout: float = 60, environment: Mapping[str, str] | None = None, most: int = 1 << 24
) -> tuple[int, bytes]:
    """Status and output of a short command, which is ended where it prints more than `most` bytes."""
    said: list[bytes] = []
    room = most

    def read(piece: bytes) -> bool:
        nonlocal room
        said.append(piece)
        room -= len(piece)
        return room > 0

    ended = watch(command, read, timeout=timeout, environment=environment)
    return ended.code, b"".join(said)


@contextmanager
def _child(
    command: Sequence[str], cwd: Path | None, environment: Mapping[str, str] | None, stdin: bytes, keep: Sequence[int]
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        child = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(keep),
            preexec_fn=die_with_parent,
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"{command[0]} is not installed", then="backport doctor") from error
    except OSError as error:
        raise EnvironmentFailedError(f"cannot start {command[0]}: {error.strerror}") from error
    try:
        if child.stdin is not None:
            with suppress(BrokenPipeError), child.stdin as stream:
                stream.write(stdin)
        yield child
    finally:
        _kill(child)
        if child.stdout is not None:
            child.stdout.close()


def _kill(child: subprocess.Popen[bytes]) -> int:
    """End the whole group, and wait for the child itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


@contextmanager
def _mortal() -> Iterator[None]:
    """SIGTERM and SIGHUP as exceptions while a child runs, so that leaving the block kills it. Only in the main thread."""

    def stop(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    old: dict[int, object] = {}
    with suppress(ValueError):  # another thread's signals are not ours to take
        for number in (int(signal.SIGTERM), int(signal.SIGHUP)):
            old[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

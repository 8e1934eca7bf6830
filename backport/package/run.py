"""Runs the programs that packaging needs (rpmbuild, rpmspec, rpm): no shell, a chosen environment, an end in sight."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, MissingToolError

_INSTALL = "apt-get install rpm, or dnf install rpm-build"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended by itself: its status, and all that it wrote."""

    code: int
    out: bytes
    err: bytes

    @property
    def said(self) -> str:
        """What it wrote to standard error, for a message."""
        return self.err.decode("utf-8", "replace").strip()


def run(
    command: Sequence[str], *, env: Mapping[str, str], timeout: float, cwd: Path | None = None, install: str = _INSTALL
) -> Finished:
    """Run the program to its end; where that does not come (a time-out, ^C) it is killed, and its children with it.

    It gets a process group of its own, so that no make is left behind. A program that is not there
    is a MissingToolError whose `then` is `install`.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise EnvironmentFailedError("the folder is gone", where=str(cwd)) from error
        raise MissingToolError(f"{command[0]} is not installed", then=install) from error
    except OSError as error:
        raise EnvironmentFailedError(f"{command[0]} cannot be run: {error.strerror}", then="check its permissions") from error
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailedError(
            f"{command[0]} did not end within {timeout:.0f} seconds", then="look at the load of this machine and try again"
        ) from error
    finally:
        _kill_group(process)
    return Finished(process.returncode, out, err)


def scrubbed(home: Path, **more: str) -> dict[str, str]:
    """An environment that says nothing of the user: only PATH is theirs; HOME is `home`, so no ~/.rpmmacros is read."""
    path = os.environ.get("PATH", os.defpath)
    folder = str(home)
    return {"PATH": path, "HOME": folder, "TMPDIR": folder, "XDG_CONFIG_HOME": folder, "LC_ALL": "C", "TZ": "UTC", **more}


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the process group; one that is empty is none of our business any more."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
        process.communicate()

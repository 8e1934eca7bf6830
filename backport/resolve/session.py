"""A person's turn on disk: which series, which target, where it stopped. Killed at any moment, the next command goes on.

The state is one small file in the worktree's `.git`, replaced in one step. Two phases follow each other:

    moving   the folder is being laid out; what is in it may be thrown away: all that was decided is recorded elsewhere
    stopped  the folder is the person's
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, InputError

_FOLDER = Path(".git") / "backport"
_FILE = "session.json"
_SCHEMA = "backport-resolve/1"
SUFFIX = ".resolve"


@dataclass(frozen=True, slots=True)
class Session:
    """`definition` is the series.toml, `records` the folder for what is decided, `places` those that are searched for it.

    `onto` is as the user said it, `target` the commit; `stop` is the upstream patch that waits, `head` and `shown` are the commit
    and the tree that the folder was laid out from. `stores` names the folders of our objects in `.git/backport`: all of the
    session's, for git writes no object that an earlier one has. `skipped` are patches that this session leaves out.
    """

    definition: str
    records: str
    places: tuple[str, ...]
    kernels: tuple[str, ...]
    onto: str
    target: str
    phase: str = "moving"
    stop: str = ""
    head: str = ""
    shown: str = ""
    stores: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def place(folder: Path) -> Path:
    """Where a worktree keeps our own files."""
    return folder / _FOLDER


def load(folder: Path) -> Session:
    """The session of a worktree. InputError where there is none, or none that this version can read."""
    path = place(folder) / _FILE
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError("nobody is resolving anything here", where=str(folder), then="backport resolve SERIES") from None
    except (OSError, ValueError) as error:
        raise InputError(f"the session cannot be read: {error}", where=str(path), then=_AGAIN) from error
    names = [field.name for field in fields(Session)]
    if not isinstance(data, dict) or data.pop("schema", "") != _SCHEMA or sorted(data) != sorted(names):
        raise InputError("the session is of another version, or damaged", where=str(path), then=_AGAIN)
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Session(**(data | lists))


_AGAIN = "save what you need of the folder, remove it, and begin again: what was recorded is kept"


def save(folder: Path, session: Session) -> None:
    """Replace the state, in one step."""
    path = place(folder) / _FILE
    temporary = path.with_suffix(".new")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump({"schema": _SCHEMA, **asdict(session)}, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(path), then="free some space") from error


def exists(folder: Path) -> bool:
    """Whether a session is open in this folder."""
    return (place(folder) / _FILE).is_file()


def find(given: Path | None, here: Path) -> Path:
    """The worktree that a command without a series means: the given one, the one we stand in, or the only one in build/."""
    if given is not None:
        return given.absolute()
    for folder in (here, *here.parents):
        if exists(folder):
            return folder
    found = [path for path in sorted((here / "build").glob(f"*{SUFFIX}")) if exists(path)]
    if not found:
        raise InputError("nobody is resolving anything here", where=str(here / "build"), then="backport resolve SERIES")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InputError(f"several series are being resolved here: {names}", then="say which with --in DIR")
    return found[0]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else works on this session. EnvironmentFailedError (status 3) where somebody does."""
    try:
        place(folder).mkdir(parents=True, exist_ok=True)
        handle = (place(folder) / "lock").open("wb")
    except OSError as error:
        raise EnvironmentFailedError(
            f"cannot write: {error.strerror}", where=str(folder), then="give another with --in"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EnvironmentFailedError(
                "another backport is at work on this session",
                where=str(folder),
                then="wait for it, or give another folder with --in",
            ) from error
        yield

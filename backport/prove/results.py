"""What builds said, kept by the content that they were made of: the same tree, configuration and toolchain say the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from backport.model import codec
from backport.prove.diagnostics import Compiled

_FORM = 3  # of what is kept; another number, and all is built anew


@dataclass(frozen=True, slots=True)
class Said:
    """One state of the tree, built: each object, what make said where it failed as a whole, and configuration wishes not met."""

    compiled: tuple[Compiled, ...]
    failure: str = ""
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """A folder of results. Damaged or missing ones are simply not there."""

    folder: Path

    def get(self, key: str) -> Said | None:
        """What was said under this key."""
        try:
            found: Said = codec.decode(Said, json.loads((self.folder / key).read_bytes()), "")
        except (OSError, ValueError, RecursionError):
            return None
        return found

    def put(self, key: str, said: Said) -> None:
        """Keep it; a disk that is full costs the next run time, and this one nothing."""
        temporary = self.folder / f".{key}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(json.dumps(codec.encode(said)).encode("utf-8", "backslashreplace"))
            temporary.replace(self.folder / key)
        except OSError:
            temporary.unlink(missing_ok=True)


def key(tree: str, *parts: object) -> str:
    """A file name for everything that decides what a build says."""
    return hashlib.sha256(repr((_FORM, tree, *parts)).encode()).hexdigest()

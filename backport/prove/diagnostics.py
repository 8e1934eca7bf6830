"""What a compiler said about an object, and what of it is new.

Lines move when a patch adds some, so two diagnostics are the same when file, level and message are; how often each occurs
counts. A warning that a patch moves from one function to another of the same file, with the same words, is not seen.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(rb"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+)(?::\d+)?: (?P<level>fatal error|error|warning): (?P<said>.+)$", re.M)
_STATUS = re.compile(rb"status (\d+)\n\Z")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning; `path` is relative to the source tree where it lies in it, `line` 1-based."""

    path: bytes
    line: int
    error: bool
    message: str

    @property
    def same(self) -> tuple[bytes, bool, str]:
        """What two of them must share to be the same one."""
        return self.path, self.error, self.message


@dataclass(frozen=True, slots=True)
class Compiled:
    """How an object came out: whether it did, and what the compiler said."""

    object: str
    made: bool
    diagnostics: tuple[Diagnostic, ...]


def parse(object_name: str, said: bytes, source: Path) -> Compiled:
    """What the compiler's wrapper left beside an object."""
    status = _STATUS.search(said)
    prefix = os.fsencode(source) + b"/"
    found = tuple(
        Diagnostic(
            os.path.normpath(m["path"].removeprefix(prefix)),
            int(m["line"]),
            m["level"] != b"warning",
            m["said"].decode("utf-8", "replace").strip(),
        )
        for m in _LINE.finditer(said)
    )
    return Compiled(object_name, status is not None and status[1] == b"0", found)


def new(before: Iterable[Diagnostic], after: Sequence[Diagnostic], added: Iterable[tuple[bytes, int]] = ()) -> list[Diagnostic]:
    """Those of `after` that `before` has not, or not so often.

    Of several with the same words, those on lines that the patch added (file, line) are taken to be the new ones.
    """
    had = Counter(item.same for item in before)
    lines = set(added)
    fresh = []
    for item in sorted(after, key=lambda item: ((item.path, item.line) in lines, 0)):
        if had[item.same] > 0:
            had[item.same] -= 1
        else:
            fresh.append(item)
    order = {id(item): place for place, item in enumerate(after)}
    return sorted(fresh, key=lambda item: order[id(item)])

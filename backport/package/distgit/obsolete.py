"""Which patches of a distribution a series makes obsolete: those whose changes are the series' own.

A heuristic. It compares changed lines file by file, not meaning: a patch that makes the same lines in another function counts as
covered, and one that does the same in other words does not. So each answer carries its figures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from backport.package.plan import PatchFile

_HEADER = re.compile(rb"\+\+\+ (?:b/)?([^\t\n]+)")
_OLD = re.compile(rb"--- (?:a/)?([^\t\n]+)")
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_OBSOLETE, _PARTLY = 0.9, 0.5
_FEWEST = 3  # lines that say something; fewer prove nothing


@dataclass(frozen=True, slots=True)
class Covered:
    """A patch of the distribution and how much of it the series brings itself: `same` of `lines` changed lines."""

    name: str
    same: int
    lines: int

    @property
    def obsolete(self) -> bool:
        """Nine tenths of it or more; below, the series brings a part of it."""
        return self.same >= _OBSOLETE * self.lines


def covered(theirs: Sequence[PatchFile], ours: Sequence[PatchFile]) -> list[Covered]:
    """Those of `theirs` of whose changed lines the series brings at least a half, most covered first."""
    have: Counter[tuple[bytes, bytes]] = Counter()
    for patch in ours:
        have.update(_changed(patch.data))
    found = []
    for patch in theirs:
        lines = Counter(_changed(patch.data))
        total = sum(lines.values())
        same = sum((lines & have).values())
        if total >= _FEWEST and same >= _PARTLY * total:
            found.append(Covered(patch.name, same, total))
    return sorted(found, key=lambda c: (-c.same / c.lines, c.name))


def _changed(data: bytes) -> list[tuple[bytes, bytes]]:
    """Path and changed line, with its sign and without its indentation; lines without a letter say nothing and are left out."""
    found, path, old_path, old, new = [], b"", b"", 0, 0
    for line in data.split(b"\n"):
        if old > 0 or new > 0:
            old -= line[:1] in (b"-", b" ", b"")
            new -= line[:1] in (b"+", b" ", b"")
            if line[:1] in (b"+", b"-") and re.search(rb"\w", line):
                found.append((path, line[:1] + b" ".join(line[1:].split())))
        elif hunk := _HUNK.match(line):
            old, new = int(hunk[1] or 1), int(hunk[2] or 1)
        elif header := _OLD.match(line):
            old_path = header[1]
        elif header := _HEADER.match(line):
            path = old_path if header[1] == b"/dev/null" else header[1]
    return found

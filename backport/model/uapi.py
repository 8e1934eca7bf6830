"""What programs see of a series, and how stable that is, for display."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.result import Skipped


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One thing that a program sees: `word` is added, changed, removed or moved; `before`, `after` its value on either side.

    `kind`, `name` and `scope` say which thing (a madvise number of asm/mman.h on parisc); `path` and `line` where it stands.
    """

    word: str
    kind: str
    name: str
    scope: str
    before: str
    after: str
    path: bytes
    line: int


@dataclass(frozen=True, slots=True)
class ApiComparison:
    """The series' items in another tree: one line of verdict, and what differs."""

    verdict: str
    stable: bool
    changes: tuple[ApiChange, ...]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What a series does to the userspace API, that compared with other trees, and what could not be read."""

    changes: tuple[ApiChange, ...]
    comparisons: tuple[ApiComparison, ...]
    skipped: tuple[Skipped, ...]

    @property
    def stable(self) -> bool:
        """Whether every comparison found the same."""
        return all(comparison.stable for comparison in self.comparisons)

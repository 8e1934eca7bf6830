"""Upstream's patch against the backport's, in substance: what each adds and removes, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a patch: `side` is "upstream", "backport" or "both"; `sign` is + or -."""

    side: str
    sign: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One place where the two differ: file (as the target calls it), function, line, and the lines with a few that they share.

    Without lines, the file as a whole is another: a binary one.
    """

    path: bytes
    function: str
    line: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One patch. `parts` is empty where both do the same, and where it did not land (`commit` is empty then)."""

    upstream: str
    subject: str
    verdict: Verdict
    commit: str
    parts: tuple[Part, ...]
    reason: str = ""

    @property
    def same(self) -> bool:
        """Whether it landed and does what upstream's does."""
        return bool(self.commit) and not self.parts

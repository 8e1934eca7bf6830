"""What a report says and what is true, where the two are not the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """`place` is a path into the report (`patches[3].files[0].result`) or a file beside it; `what` says what is there instead."""

    place: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The differences, and how much was looked at: patches, files, hunks with evidence, files of the output folder."""

    differences: tuple[Difference, ...]
    patches: int
    files: int
    evidence: int
    artifacts: int

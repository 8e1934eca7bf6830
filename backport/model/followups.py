"""Later commits that belong to a series, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backport.model.verdict import Verdict


class Rank(StrEnum):
    """How much a later commit matters: who ships the series without it ships a known defect; probably; have a look."""

    MANDATORY = "mandatory"
    LIKELY = "likely"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Trace:
    """What ties a later commit to a patch of the series.

    `rule`: "fixes" (a Fixes: line), "reverts", "blames" (the message names the patch beside a word like regression), "names" (it
    names it otherwise), "lines" (it changes lines that the patch brought), "function" (a function that the patch brought).
    `path` and `line` (1-based, before the later commit) are the first such place, empty and 0 for a rule about the message; `why`
    is a sentence that a person can check.
    """

    rule: str
    patch: str
    path: bytes
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A later commit. `target` is what becomes of it on the target with the series, None where no target was named.

    `already-present` means that the target has it by content, whatever its id there.
    """

    commit: str
    subject: str
    rank: Rank
    traces: tuple[Trace, ...]
    target: Verdict | None = None

    @property
    def missing(self) -> bool:
        """Whether the target lacks it, as far as that is known."""
        return self.target is not Verdict.ALREADY_PRESENT

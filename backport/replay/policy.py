"""How far a replay may go beyond merging, as the caller wishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from backport.model.finding import Finding
from backport.model.recording import Recording
from backport.replay.compose import Ladder
from backport.replay.guard.text import CHECKS, Check
from backport.replay.rules.ladder import attempt
from backport.replay.situation import Answers


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a replay may go beyond merging.

    `ladder` is asked about files in conflict that `recordings` (what a person decided before) do not settle; `accept` applies the
    best suggestion that the guard has nothing against; `diffs` shows what each suggestion does. `checks` are the guard's, of the
    text itself; `lenient` marks those of their findings that somebody accepts.
    """

    ladder: Ladder = attempt
    accept: bool = False
    diffs: bool = True
    recordings: tuple[Recording, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=lambda: CHECKS)
    lenient: Callable[[Sequence[Finding]], Sequence[Finding]] = tuple


MERGES_ALONE = Policy(ladder=lambda situation: Answers(), checks={})
"""What git would do: no rules, no checks. For comparing with it."""

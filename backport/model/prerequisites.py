"""What a patch that does not land would need first, and what each way out costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backport.model.result import Skipped
from backport.model.verdict import Verdict


class Role(StrEnum):
    """Why a commit is a candidate: it made lines in conflict differ, brought a name or a file, or another candidate needs it."""

    LINES = "lines"
    SYMBOL = "symbol"
    FILE = "file"
    FURTHER = "further"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An upstream commit between target and patch that may be what the patch misses, and what came of trying it.

    `why` says how it was found, in words a person can check. `alone` is the verdict of applying it straight on the target;
    `gone` of the patch's `conflicts` are no more when the patch is applied behind it. `incidental` names what little it changes
    ("only renames", "only white space", "only comments"; '' where it changes more): then adapting is mostly cheaper than picking
    it. `added` and `removed` count its lines. `breaks` marks the commit that a search through the history between names:
    onto the file as this commit left it, and onto every later one, the patch applies; onto the file before it, it does not.
    """

    commit: str
    subject: str
    role: Role
    why: str
    alone: Verdict
    gone: int
    conflicts: int
    added: int
    removed: int
    incidental: str = ""
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A place that a person must adapt where nothing is picked: at `line` (1-based) of the target's `path`, 0 where unknown.

    `removes` and `adds` are what the patch does there upstream; `target` is what stands there instead. For a missing name `adds`
    is the line that uses it, and `hint` the target's own spelling, where it is known.
    """

    path: bytes
    line: int
    function: str
    removes: bytes
    adds: bytes
    target: bytes
    hint: str = ""

    @property
    def lines(self) -> int:
        """How many lines have to be rewritten: those that the patch adds, or removes where it adds none."""
        return max(self.adds.count(b"\n"), 0) or max(self.removes.count(b"\n"), 1)


@dataclass(frozen=True, slots=True)
class Pick:
    """A commit that a plan puts in front of the patch, as it landed there: `verdict`, and the new commit's `tree`.

    `needed_by` is the pick (or the patch itself) for whose sake it is there, and `why` how that was found.
    """

    commit: str
    subject: str
    needed_by: str
    why: str
    verdict: Verdict
    tree: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to make a patch land, really tried: `picks` in their order, then the patch, then what is left to `adapt`.

    `complete` says that everything landed under the guard and nothing is left for a person; `tree` is then the resulting tree
    (where it is incomplete, that of the target with the picks). `conflicts` of `conflicts_before` and `symbols` of
    `symbols_before` (names that the target lacks) are gone; `added` and `removed` count the lines of the picks.
    """

    picks: tuple[Pick, ...]
    adapt: tuple[Adaptation, ...]
    complete: bool
    tree: str
    conflicts: int
    conflicts_before: int
    symbols: int
    symbols_before: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Needed:
    """The answer for one patch. `verdict` is what becomes of it without help; plans come cheapest complete one first."""

    commit: str
    subject: str
    verdict: Verdict
    reason: str
    conflicts: int
    symbols: tuple[str, ...]
    candidates: tuple[Candidate, ...] = ()
    plans: tuple[Plan, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def best(self) -> Plan | None:
        """The cheapest complete plan, None where there is none."""
        return next((plan for plan in self.plans if plan.complete), None)

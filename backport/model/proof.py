"""What was proved by building and by running: one Proof a kernel that was built or booted, with all that it showed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a proof ended. `absent` is a boot's word for "the feature is not in this kernel", which a control must say."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a probe looked at: its name, how it ended ("ok", "failed", "skipped"), and what it saw, where it says so."""

    name: str
    outcome: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that a probe took on the running kernel: a whole number of `unit` ("pages/s", "kB", "ns")."""

    name: str
    value: int
    unit: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One kernel, built or booted.

    `kind`: "build", "boot", "control" (the target without the series), "mutant" (the series with one thing wrong). `subject`
    is what was built: a commit, a package, a mutant's description; `setup` the rest that matters ("x86_64, 2 processors, tcg").
    `why` is one sentence for everything but `passed`; `console` the kept serial console, inside the output folder, or ''.
    What was measured is no part of it (see Measured): two equal runs give equal proofs.
    """

    kind: str
    subject: str
    setup: str
    outcome: Outcome
    why: str = ""
    checks: tuple[Check, ...] = ()
    console: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether it says what it should: a control is absent, a mutant is caught, all else passes."""
        if self.kind == "control":
            return self.outcome is Outcome.ABSENT
        if self.kind == "mutant":
            return self.outcome in (Outcome.FAILED, Outcome.ABSENT)
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that the probe took in one boot, which the first three fields name as its Proof does.

    No two runs share them, so they stand beside the report and never in it: the report's bytes follow from its inputs.
    """

    kind: str
    subject: str
    setup: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that we call: what it is for, its Debian and Fedora packages, whether every command needs it, where it is."""

    name: str
    purpose: str
    debian: str
    fedora: str
    needed: bool
    found: str = ""

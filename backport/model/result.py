"""The whole outcome of a run: what the report is written from, and nothing that differs between two equal runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from backport.model.carried import Carried
from backport.model.definition import ConfigValue
from backport.model.finding import Finding
from backport.model.proof import Measured, Proof
from backport.model.verdict import PatchOutcome


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that the run wrote: its path inside the output folder (with `/`), what it is, its sha256.

    `kind`: "patch", "series", "spec", "config", "manifest", "srpm", "bundle".
    """

    path: str
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not done or not checked, why, and the command that would change that. Never silence."""

    stage: str
    what: str
    why: str
    then: str = ""


@dataclass(slots=True)
class Proved:
    """Everything that proofs said."""

    proofs: list[Proof] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)

    @property
    def needs_person(self) -> bool:
        """Whether any proof or finding asks for somebody; of a mutant its finding says so, which a reason may accept."""
        return any(not p.as_expected for p in self.proofs if p.kind != "mutant") or any(found.blocks for found in self.findings)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run of one series onto one target. Dates, absolute paths and durations are left out: equal inputs, equal bytes.

    `onto` is the revision as the user said it, `onto_commit` what it was; `tip` is the last new commit (empty: none landed).
    """

    tool: str
    series: str
    title: str
    onto: str
    onto_commit: str
    onto_tree: str
    kernel_version: str
    tip: str
    tip_tree: str
    patches: tuple[PatchOutcome, ...]
    findings: tuple[Finding, ...] = ()
    config: tuple[ConfigValue, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    proofs: tuple[Proof, ...] = ()
    carried: tuple[Carried, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether any patch or finding asks for somebody: exit status 1."""
        bad = any(p.verdict.needs_person for p in self.patches) or any(f.blocks for f in self.findings)
        return bad or any(not proof.as_expected for proof in self.proofs)

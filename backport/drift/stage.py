"""The drift stage: what only the whole result shows, after the guard has had its say about every patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backport.drift import kabi
from backport.drift.kconfig import check as kconfig
from backport.drift.undeclared import STAGE, DriftReport
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.definition import ConfigValue
from backport.model.finding import Finding, Level
from backport.model.progress import Progress
from backport.model.series import Series


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: a series, the target's tree without it and with all of it that landed, the config it is built with.

    `whitelist` names the exported symbols whose interface must not change.
    """

    series: Series
    onto_tree: str
    result_tree: str
    config: tuple[ConfigValue, ...] = ()
    whitelist: frozenset[str] | None = None


def check(
    subject: Subject, guarded: Sequence[Finding], trees: Trees, store: Store, history: History, progress: Progress
) -> DriftReport:
    """The guard's findings with those of the whole: number clashes, Kconfig, kABI."""
    progress.stage(STAGE, 2)
    series, onto, result = subject.series, subject.onto_tree, subject.result_tree
    options = kconfig.check(series, onto, result, subject.config, trees, store, history)
    progress.step("Kconfig")
    interfaces = kabi.check(series, onto, result, trees, store, subject.whitelist, history)
    progress.step("kABI")
    findings = (*guarded, *options.findings, *interfaces)
    progress.done(_summary(findings))
    return DriftReport(findings, options.skipped)


def _summary(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`; accepted ones are counted apart."""
    open_ones = [found for found in findings if not found.accepted]
    counts = [(sum(found.level is level for found in open_ones), level.value) for level in Level]
    told = [f"{number} {word}{'s' * (number > 1)}" for number, word in counts if number]
    if accepted := len(findings) - len(open_ones):
        told.append(f"{accepted} accepted")
    return ", ".join(told) or "nothing found"

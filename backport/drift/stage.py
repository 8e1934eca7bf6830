"""The drift stage: what only the whole result shows, after the guard has had its say about every patch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from backport import __version__
from backport.drift.undeclared import STAGE, DriftReport
from backport.drift.workbench import Workbench
from backport.model import codec
from backport.model.definition import ConfigValue
from backport.model.finding import Finding, Level
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import Series

_ASKED = 4  # raise the number with what is asked of the whole


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

    def key(self) -> bytes:
        """A digest of everything that the findings of the whole follow from, our own version included."""
        facts = (
            __version__,
            _ASKED,
            self.series.base,
            [patch.commit for patch in self.series.patches],
            self.onto_tree,
            self.result_tree,
            [(value.symbol, value.value) for value in self.config],
            sorted(self.whitelist) if self.whitelist is not None else None,
        )
        return hashlib.sha256(json.dumps(facts).encode()).digest()


def check(subject: Subject, guarded: Sequence[Finding], bench: Workbench, progress: Progress) -> DriftReport:
    """The guard's findings with those of the whole: number clashes, forgotten users, Kconfig, kABI.

    The latter follow from the trees, the patches and the config alone, and are kept in the index for the next run.
    """
    progress.stage(STAGE, 4)
    key = subject.key()
    known = bench.index.recall(STAGE, key)
    whole = _read(known) if known is not None else None
    if whole is None:
        whole = _whole(subject, bench, progress)
        bench.index.remember(STAGE, [(key, _written(whole))])
    findings = (*guarded, *whole.findings)
    progress.done(_summary(findings))
    return DriftReport(findings, whole.skipped)


def _whole(subject: Subject, bench: Workbench, progress: Progress) -> DriftReport:
    # Late: the readers cost 0.2 s, and most runs know the answer.
    from backport.drift import kabi, leaning, linked, lostmembers, numbers, taken
    from backport.drift.kconfig import check as kconfig

    series, onto, result = subject.series, subject.onto_tree, subject.result_tree
    trees, store, history = bench.trees, bench.store, bench.history
    clashes = numbers.check(series, onto, trees, store, history, bench.added_lines(series.patches))
    names = taken.check(series, result, bench)
    progress.step("numbers")
    forgotten, unread = leaning.check(series, onto, result, bench)
    members, unsought = lostmembers.check(series, onto, result, bench)
    unlinked, unfollowed = linked.check(series, result, bench)
    progress.step("users")
    options = kconfig.check(series, onto, result, subject.config, trees, store, history)
    progress.step("Kconfig")
    interfaces = kabi.check(series, onto, result, trees, store, subject.whitelist, history)
    progress.step("kABI")
    found = (*clashes, *names, *forgotten, *members, *unlinked, *options.findings, *interfaces)
    return DriftReport(found, (*unread, *unsought, *unfollowed, *options.skipped))


def _written(report: DriftReport) -> bytes:
    return json.dumps([codec.encode(report.findings), codec.encode(report.skipped)]).encode()


def _read(raw: bytes) -> DriftReport | None:
    """What was kept, None where it cannot be understood: then it is worked out again."""
    try:
        findings, skipped = json.loads(raw)
        kinds = (tuple[Finding, ...], tuple[Skipped, ...])
        return DriftReport(codec.decode(kinds[0], findings, ""), codec.decode(kinds[1], skipped, ""))
    except ValueError:
        return None


def _summary(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`; accepted ones are counted apart."""
    open_ones = [found for found in findings if not found.accepted]
    counts = [(sum(found.level is level for found in open_ones), level.value) for level in Level]
    told = [f"{number} {word}{'s' * (number > 1)}" for number, word in counts if number]
    if accepted := len(findings) - len(open_ones):
        told.append(f"{accepted} accepted")
    return ", ".join(told) or "nothing found"

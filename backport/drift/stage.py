"""The drift stage: what only the whole result shows, after the guard has had its say about every patch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport import __version__
from backport.csource.index import Index
from backport.csource.reading import Reader
from backport.drift.undeclared import STAGE, DriftReport
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model import codec
from backport.model.definition import ConfigValue
from backport.model.finding import Finding, Level
from backport.model.progress import Progress
from backport.model.result import Skipped
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

    def key(self) -> bytes:
        """A digest of everything that the findings of the whole follow from, our own version included."""
        facts = (
            __version__,
            self.series.base,
            [patch.commit for patch in self.series.patches],
            self.onto_tree,
            self.result_tree,
            [(value.symbol, value.value) for value in self.config],
            sorted(self.whitelist) if self.whitelist is not None else None,
        )
        return hashlib.sha256(json.dumps(facts).encode()).digest()


def check(
    subject: Subject,
    guarded: Sequence[Finding],
    trees: Trees,
    store: Store,
    history: History,
    progress: Progress,
    cache: Path | None = None,
) -> DriftReport:
    """The guard's findings with those of the whole: Kconfig, kABI.

    The latter follow from the trees, the patches and the config alone, and are kept in `cache` for the next run.
    """
    progress.stage(STAGE, 2)
    with Index(Reader(store), cache) as memory:
        key = subject.key()
        known = memory.recall(STAGE, key)
        whole = _read(known) if known is not None else None
        if whole is None:
            whole = _whole(subject, trees, store, history, progress)
            memory.remember(STAGE, [(key, _written(whole))])
    findings = (*guarded, *whole.findings)
    progress.done(_summary(findings))
    return DriftReport(findings, whole.skipped)


def _whole(subject: Subject, trees: Trees, store: Store, history: History, progress: Progress) -> DriftReport:
    from backport.drift import kabi  # late: kconfiglib and both readers cost 0.2 s, and most runs know the answer
    from backport.drift.kconfig import check as kconfig

    series, onto, result = subject.series, subject.onto_tree, subject.result_tree
    options = kconfig.check(series, onto, result, subject.config, trees, store, history)
    progress.step("Kconfig")
    interfaces = kabi.check(series, onto, result, trees, store, subject.whitelist, history)
    progress.step("kABI")
    return DriftReport((*options.findings, *interfaces), options.skipped)


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

"""The drift gate against the compiler, one commit at a time on v2.6.31.

    BACKPORT_KERNEL=/path/to/linux python tests/bench/drift_vs_compiler.py CASES.jsonl [CACHE] [--whole]

Asked is the guard of the replay; with --whole also what only the result shows (forgotten users, numbers, Kconfig, kABI), as
`backport drift` does: that takes about 2 s a commit.

CASES holds one JSON object a line (commit, status, class, facts: see the corpus' own README). Prints every false alarm and
every miss, then the table: how many of the commits that the compiler fails get an error that names a right symbol, and how
many of those that compile get any error.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from backport.drift import stage
from backport.drift.undeclared import DriftReport, KernelGuard
from backport.drift.workbench import Workbench
from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Level
from backport.model.progress import Silent
from backport.model.series import Patch, Series
from backport.model.verdict import Verdict
from backport.replay.engine import replay

say = Console(highlight=False, markup=False, soft_wrap=True).print
Count = Counter[str]


def main(kernel: Path, cases: Path, cache: Path | None, *, whole: bool) -> None:
    clone, count, started = open_clone(kernel), Counter[str](), time.monotonic()
    base = resolve_one([clone], "v2.6.31")
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        store = stack.enter_context(Store(Path(scratch), [clone.objects]))
        trees, history = Trees(store), History(store)
        onto, bench = history.commit(base).tree, stack.enter_context(Workbench(trees, store, history, cache))
        for line in cases.read_text().splitlines():
            case = json.loads(line)
            series = one(case["commit"], base, history)
            guard = KernelGuard(series, onto, bench)
            replayed = replay(series, base, store, trees, history, Silent(), guard)
            report = DriftReport(replayed.findings, guard.skipped())
            mended = case["status"] != "OK" and replayed.outcomes[0].verdict is Verdict.RESOLVED
            if mended:  # by a rule of the replay, to which the guard had named what is missing
                say(f"mended {case['commit'][:12]} {case['subject']}")
                count["fails, and a rule mends it (not compiled)"] += 1
            if whole:
                subject = stage.Subject(series, onto, replayed.tree)
                report = DriftReport(stage.check(subject, replayed.findings, bench, Silent()).findings, report.skipped)
            (compiles if case["status"] == "OK" else fails)(case, report, count)
    for key, value in sorted(count.items()):
        say(f"{value:5} {key}")
    say(f"{time.monotonic() - started:.0f} s")


def one(commit: str, base: str, history: History) -> Series:
    found = history.commit(commit)
    parent = history.commit(found.parents[0])
    changes = history.changes([(parent.tree, found.tree)])[0]
    patch = Patch(found.oid, parent.oid, found.tree, parent.tree, b"", b"", b"", found.message, changes)
    return Series("one", found.subject, base, (patch,))


def compiles(case: Mapping[str, Any], report: DriftReport, count: Count) -> None:
    judged = case["added_not_compiled"] == 0
    errors = any(finding.level is Level.ERROR for finding in report.findings)
    count["compiles"] += judged
    count["compiles, and gets an error"] += judged and errors
    if report.findings:
        tell("FALSE" if judged and errors else "remark", case, report)


def fails(case: Mapping[str, Any], report: DriftReport, count: Count) -> None:
    facts = {fact["symbol"].split()[-1].split(".")[-1]: fact for fact in case["facts"] if not fact.get("cascade")}
    errors = {finding.symbol: finding for finding in report.findings if finding.level is Level.ERROR}
    files = {fact["file"] for fact in facts.values() if fact["symbol"] == "?"}  # no symbol: then the file must be right
    right = [name for name, found in errors.items() if name in facts or os.fsdecode(found.path) in files]
    count["fails"] += 1
    count["fails, and is named"] += bool(right)
    count[f"fails: {case['class']}"] += 1
    count[f"named: {case['class']}"] += bool(right)
    for name in right:
        wanted, cause = facts.get(name, {}).get("prerequisite"), errors[name].introduced_by
        if wanted:
            count["causes"] += 1
            is_right = cause is not None and cause.commit.startswith(wanted[:12])
            count["causes right"] += is_right
            if not is_right:
                say(f"CAUSE {name}: {cause.commit[:12] if cause else 'none'}, wanted {wanted[:12]}")
    tell("named" if right else "MISS", case, report)
    for name, fact in facts.items() if not right else ():
        say(f"    wanted {fact['kind']} {name} in {fact['file']}")


def tell(word: str, case: Mapping[str, Any], report: DriftReport) -> None:
    say(f"{word} {case['commit'][:12]} {case.get('class', '')} {case['subject']}")
    for found in report.findings[:20]:
        place = f"{os.fsdecode(found.path)}:{found.line}"
        say(f"    {found.level} {found.kind} {found.symbol} {place} | {found.upstream} | {found.target}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    folder = Path(words[1]) if len(words) > 1 else None
    main(Path(os.environ["BACKPORT_KERNEL"]), Path(words[0]), folder, whole="--whole" in sys.argv)

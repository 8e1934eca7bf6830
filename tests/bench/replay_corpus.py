"""What the replay makes of real backports, compared with what people made of them.

    python tests/bench/replay_corpus.py CORPUS.tsv --kernel GIT... [--part train|held|all] [--only conflict|clean]
                                        [--sample N] [--commit ID...] [--details FILE] [--write-precision]

CORPUS.tsv has a header line with the columns `upstream` and `stable` (a commit that says it is a backport of the other), and
perhaps `three_way`, by which --only chooses. Every pair is swept onto `stable^`, and the resulting tree is compared with that of
`stable` on the files that `stable` touches. A fifth of the pairs, chosen by a digest of their ids, is kept aside: --part held.

Prints how many are exact, equal but for white space, different (the bad ones: nobody was warned), refused or in conflict, and how
often each rule was right where it was AUTO and where it suggested. --details has one line for each pair that is not exact;
--write-precision writes the figures that `backport run` prints beside its suggestions.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import backport.replay.precision
from backport import sweep
from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.progress import Silent

AUTO = ("resolved", "recorded")
CLEAN = ("exact", "merged", "already-present")
LEFT = ("suspect", "conflict", "not-applicable", "error")


@dataclass(frozen=True)
class Case:
    """One pair and what the sweep said; `right` are the classes of the tree and of each suggestion's tree."""

    upstream: str
    stable: str
    row: dict[str, Any]
    right: str
    suggested: tuple[str, ...]

    @property
    def kind(self) -> str:
        verdict = self.row["verdict"]
        return verdict if verdict in LEFT else self.right


class Judge:
    """Compares trees with a stable commit's, on the files that it touches."""

    def __init__(self, store: Store) -> None:
        self.store, self.trees, self.history = store, Trees(store), History(store)

    def cases(self, rows: Sequence[dict[str, Any]], pairs: Sequence[tuple[str, str]]) -> list[Case]:
        commits = [self.history.commit(stable) for _, stable in pairs]
        before = [self.history.commit(commit.parents[0]).tree for commit in commits]
        changes = self.history.changes([(old, commit.tree) for old, commit in zip(before, commits, strict=True)])
        cases = []
        for row, (upstream, stable), commit, changed in zip(rows, pairs, commits, changes, strict=True):
            paths = {path for change in changed for path in (change.old_path, change.new_path)}
            right = self.compare(row["tree"], commit.tree, paths) if row["tree"] else ""
            told = tuple(self.compare(s["tree"], commit.tree, paths) for s in row["suggestions"])
            cases.append(Case(upstream, stable, row, right, told))
        return cases

    def compare(self, made: str, wanted: str, paths: Iterable[bytes]) -> str:
        different = [path for path in paths if self.trees.entry(made, path) != self.trees.entry(wanted, path)]
        if not different:
            return "exact"
        return "space" if all(self._squeezed(made, p) == self._squeezed(wanted, p) for p in different) else "different"

    def _squeezed(self, tree: str, path: bytes) -> bytes | None:
        text = self.trees.read(tree, path)
        return b"".join(text.split()) if text is not None else None


def read(options: argparse.Namespace) -> list[tuple[str, str]]:
    with options.corpus.open(newline="") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    if options.only:
        rows = [row for row in rows if (row["three_way"] == "CONFLICT") == (options.only == "conflict")]
    if options.part != "all":
        rows = [row for row in rows if is_held(row["upstream"], row["stable"]) == (options.part == "held")]
    if options.commit:
        rows = [row for row in rows if row["upstream"].startswith(tuple(options.commit))]
    if options.sample and options.sample < len(rows):
        chosen = set(random.Random(options.seed).sample(range(len(rows)), options.sample))
        rows = [row for number, row in enumerate(rows) if number in chosen]
    return [(row["upstream"], row["stable"]) for row in rows]


def is_held(upstream: str, stable: str) -> bool:
    """Whether a pair belongs to the fifth that is kept aside."""
    return hashlib.sha256(f"{upstream}{stable}".encode()).digest()[0] % 5 == 0


def swept(pairs: Sequence[tuple[str, str]], options: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], float]:
    listed = folder / "pairs.tsv"
    listed.write_text("upstream\tstable\n" + "".join(f"{u}\t{s}\n" for u, s in pairs))
    request = sweep.Request(
        listed,
        tuple(options.kernel),
        keep=folder / "keep.git",
        drift=options.drift,
        workers=options.workers,
        out=folder / "rows.jsonl",
    )
    started = time.perf_counter()
    sweep.run(request, Silent(), sys.stdout.buffer)
    seconds = time.perf_counter() - started
    return [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()], seconds


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "none"


def figures(cases: Sequence[Case], seconds: float) -> Table:
    table = Table(title=f"{len(cases)} pairs in {seconds:.0f} s", show_header=False)
    kinds = Counter(case.kind for case in cases)
    for kind in ("exact", "space", "different", *LEFT):
        table.add_row(kind, share(kinds[kind], len(cases)))
    refused = [case for case in cases if case.kind == "suspect"]
    table.add_section()
    table.add_row("refused though exact", share(sum(case.suggested[0] == "exact" for case in refused), len(refused)))
    hard = [case for case in cases if case.row["verdict"] in (*AUTO, "conflict", "not-applicable")]
    auto = [case for case in hard if case.row["verdict"] in AUTO]
    good = sum(case.right in ("exact", "space") for case in auto)
    first = sum(case.right == "exact" or case.suggested[:1] == ("exact",) for case in hard)
    table.add_row("in conflict before the rules", str(len(hard)))
    table.add_row("  AUTO", share(len(auto), len(hard)))
    table.add_row("  of which exact or equal but for space", share(good, len(auto)))
    table.add_row("  exact by AUTO or first SUGGEST", share(first, len(hard)))
    table.add_row("  exact by AUTO or any SUGGEST", share(sum("exact" in (c.right, *c.suggested) for c in hard), len(hard)))
    times = [case.row["ms"] for case in cases if case.row["verdict"] in CLEAN]
    if times:
        table.add_section()
        table.add_row("median of a clean pair", f"{statistics.median(times):.1f} ms")
        table.add_row("slowest pair", f"{max(case.row['ms'] for case in cases):.0f} ms")
    return table


def by_rule(cases: Sequence[Case]) -> tuple[Table, dict[str, dict[str, int]]]:
    """Each rule's answers and how many of them were right, AUTO and suggested apart; what the precision file says."""
    auto: dict[str, list[bool]] = defaultdict(list)
    told: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        for rule in case.row["rules"] if case.row["verdict"] in AUTO else ():
            auto[rule].append(case.right in ("exact", "space"))
        for suggestion, right in () if case.kind == "suspect" else zip(case.row["suggestions"], case.suggested, strict=True):
            for rule in suggestion["rules"]:
                told[rule].append(right in ("exact", "space"))
    table = Table("rule", "AUTO right", "SUGGEST right", title="by rule")
    for rule in sorted({*auto, *told}):
        table.add_row(rule, share(sum(auto[rule]), len(auto[rule])), share(sum(told[rule]), len(told[rule])))
    return table, {rule: {"right": sum(told[rule]), "asked": len(told[rule])} for rule in sorted(told) if told[rule]}


def write_details(cases: Sequence[Case], path: Path) -> None:
    with path.open("w") as file:
        for case in cases:
            if case.kind != "exact" or case.row["verdict"] in AUTO:
                told = " ".join(
                    f"{'+'.join(s['rules'])}={r}" for s, r in zip(case.row["suggestions"], case.suggested, strict=True)
                )
                cells = [case.upstream[:12], case.stable[:12], case.row["verdict"], case.right or "-"]
                cells += ["+".join(case.row["rules"]) or "-", told or "-", case.row["reason"], f"{case.row.get('ms', 0):.0f} ms"]
                file.write("\t".join(cells) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--kernel", action="append", required=True)
    parser.add_argument("--part", choices=("train", "held", "all"), default="train")
    parser.add_argument("--only", choices=("conflict", "clean"))
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commit", nargs="*")
    parser.add_argument("--no-drift", dest="drift", action="store_false", help="do not ask the drift guard: quicker")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--details", type=Path)
    parser.add_argument("--write-precision", action="store_true")
    options = parser.parse_args()
    pairs = read(options)
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        folder = Path(name)
        rows, seconds = swept(pairs, options, folder)
        clones = [open_clone(Path(kernel)) for kernel in options.kernel]
        with Store(folder / "judge.git", [folder / "keep.git" / "objects", *(clone.objects for clone in clones)]) as store:
            cases = Judge(store).cases(rows, pairs)
    table, precision = by_rule(cases)
    console = Console()
    console.print(figures(cases, seconds))
    console.print(table)
    if options.details:
        write_details(cases, options.details)
    if options.write_precision:
        place = Path(backport.replay.precision.__file__).with_name(backport.replay.precision.FILE)
        place.write_text(json.dumps({"rules": precision}, indent=2) + "\n")


if __name__ == "__main__":
    main()

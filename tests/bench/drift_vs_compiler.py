"""The first guard against the compiler: python tests/bench/drift_vs_compiler.py HISTORY CASES.jsonl [CACHE].

HISTORY is a bare clone's folder that holds v2.6.31 and the commits; CASES one JSON object a line, as `drift/README.md` says.
Prints every false alarm and every miss, then the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from backport.drift.undeclared import check
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.progress import Silent
from backport.model.series import Patch, Series

BASE = "v2.6.31"


def main(history_folder: Path, cases: Path, cache: Path | None) -> None:
    def rev(name: str) -> str:
        command = ["git", "-C", str(history_folder), "rev-parse", name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    base, onto = rev(f"{BASE}^{{commit}}"), rev(f"{BASE}^{{tree}}")
    count: Counter[str] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, Store(Path(scratch), [history_folder / "objects"]) as store:
        trees, history = Trees(store), History(store)
        for line in cases.read_text().splitlines():
            case = json.loads(line)
            series = _series(case["commit"], base, history)
            begun = time.monotonic()
            report = check(series, onto, trees, store, history, Silent(), cache)
            errors = {f.symbol for f in report.findings if f.level == "error"}
            named = {f.symbol: f for f in report.findings}
            if case["status"] == "OK":
                judged = case["added_not_compiled"] == 0
                count["OK"] += judged
                count["OK with an error"] += judged and bool(errors)
                if errors or named:
                    print("FALSE" if judged and errors else "warn", case["commit"][:12], case["subject"][:60])
                    for f in report.findings:
                        print("     ", f.level, f.kind, f.symbol, f.path.decode(), f.line, "|", f.upstream, "|", f.target)
                continue
            facts = [f for f in case["facts"] if not f.get("cascade")]
            right = errors & {f["symbol"] for f in facts}
            count["FAIL"] += 1
            count[f"FAIL {case['class']}"] += 1
            count["FAIL named"] += bool(right)
            count[f"named {case['class']}"] += bool(right)
            count["FAIL with a warning that names it"] += not right and bool(set(named) & {f["symbol"] for f in facts})
            for f in facts:
                wanted = f.get("prerequisite")
                if wanted and f["symbol"] in named and f["symbol"] in right:
                    count["causes"] += 1
                    cause = named[f["symbol"]].introduced_by
                    ok = cause is not None and cause.commit.startswith(wanted[:12])
                    count["causes right"] += ok
                    if not ok:
                        print(
                            "CAUSE", case["commit"][:12], f["symbol"], "wanted", wanted[:12], "got", cause and cause.commit[:12]
                        )
            took = time.monotonic() - begun
            print("named" if right else "MISS ", case["commit"][:12], case["class"], f"{took:.1f}s", case["subject"][:50])
            if not right:
                for f in facts:
                    print(
                        "      wanted",
                        f["kind"],
                        f["symbol"],
                        f["file"],
                        f"added {f['on_added_line']}",
                        f.get("exists_in_old_tree"),
                    )
            for g in report.findings:
                print("      said", g.level, g.kind, g.symbol, g.path.decode(), g.line, "|", g.target)
    for key, value in sorted(count.items()):
        print(f"{value:5} {key}")
    print(f"{time.monotonic() - started:.0f} s")


def _series(commit: str, base: str, history: History) -> Series:
    found = history.commit(commit)
    parent = history.commit(found.parents[0])
    changes = history.changes([(parent.tree, found.tree)])[0]
    patch = Patch(
        found.oid, parent.oid, found.tree, parent.tree, found.author, found.committer, found.encoding, found.message, changes
    )
    return Series("one", found.subject, base, (patch,))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)

"""How long the replay of a series takes beside `git cherry-pick` of the same commits, in one run on one machine.

    BACKPORT_KERNEL=/path/to/linux python tests/bench/replay_vs_cherry_pick.py [SERIES]

Prints a table of seconds and ratios, by the clock and of the processors (ours and git's together: that ratio holds on a busy
machine too). The checkout that cherry-pick needs is made before the clock starts, patches that conflict are skipped on both
sides, and the best of three runs counts for each (the first one warms the page cache). "The merges alone" is what cherry-pick
does: no rule, no check of what was merged, no guard.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.catalog import find, places
from backport.ingest.commits import ingest
from backport.ingest.sources import Sources
from backport.model.definition import Definition
from backport.model.progress import Silent
from backport.replay.engine import Replayed, replay
from backport.replay.policy import MERGES_ALONE, Policy


@dataclass(frozen=True)
class Cost:
    """What some work took at best: seconds by the clock, and of the processors, ours and our children's."""

    clock: float
    cpu: float

    def row(self, what: str, than: Cost) -> tuple[str, ...]:
        ratio = f"{than.clock / self.clock:.1f} ({than.cpu / self.cpu:.1f})"
        return what, f"{self.clock:.2f}", f"{self.cpu:.2f}", ratio


def best(times: int, work: Callable[[], object]) -> Cost:
    costs = []
    for _ in range(times):
        start, before = time.perf_counter(), cpu()
        work()
        costs.append((time.perf_counter() - start, cpu() - before))
    return Cost(min(clock for clock, _ in costs), min(used for _, used in costs))


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def replay_once(definition: Definition, kernel: Path, policy: Policy | None = None) -> Replayed:
    clone = open_clone(kernel)
    with tempfile.TemporaryDirectory() as folder, Sources((clone,)).store(Path(folder) / "run.git") as store:
        series = ingest(definition, [clone], store, Silent())
        onto = resolve_one([clone], definition.onto)
        return replay(series, onto, store, Trees(store), History(store), Silent(), policy=policy)


def cherry_pick(commits: list[str], onto: str, folder: Path) -> Cost:
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "reset", "-q", "--hard", onto], check=True)
    return best(1, lambda: subprocess.run([*git, "cherry-pick", *commits], check=True, capture_output=True))


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "ksm"
    kernel = Path(os.environ["BACKPORT_KERNEL"])
    definition = find(name, places())
    landed = [o.upstream for o in replay_once(definition, kernel).outcomes if o.commit]
    ours = best(3, lambda: replay_once(definition, kernel))
    same = replace(definition, commits=tuple(c for c in definition.commits if c.commit in landed), topics=())
    alike = best(3, lambda: replay_once(same, kernel))
    merges = best(3, lambda: replay_once(same, kernel, MERGES_ALONE))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "-q", "-s", "--no-checkout", str(kernel), folder], check=True)
        for key in ("user.name", "user.email"):
            subprocess.run(["git", "-C", folder, "config", key, "bench@localhost"], check=True)
        subprocess.run(["git", "-C", folder, "checkout", "-q", definition.onto], check=True)
        costs = [cherry_pick(landed, definition.onto, Path(folder)) for _ in range(3)]
        picks = Cost(min(cost.clock for cost in costs), min(cost.cpu for cost in costs))
        full, again = whole_run(name, Path(folder)), whole_run(name, Path(folder))
    table = Table(title=f"{name}: {len(definition.commits)} commits onto {definition.onto}")
    for column in ("what", "seconds", "CPU", "times faster (CPU)"):
        table.add_column(column, justify="left" if column == "what" else "right")
    count = len(landed)
    table.add_row(*picks.row(f"git cherry-pick of the {count} that land, in a checkout", picks))
    table.add_row(*merges.row(f"ingest and the merges alone of the same {count}", picks))
    table.add_row(*alike.row(f"ingest and replay of the same {count}, each checked", picks))
    table.add_row(*ours.row(f"ingest and replay of all {len(definition.commits)}, with causes", picks))
    for what, cost in (("cold cache", full), ("again", again)):
        table.add_row(f"backport run --no-srpm, {what}", f"{cost.clock:.2f}", f"{cost.cpu:.2f}", "")
    table.add_row("backport --help / python -c pass", *help_ratio())
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    table.add_row("peak memory, MB (this process and its children)", f"{peak:.0f}", "", "")
    Console().print(table)


def whole_run(name: str, folder: Path) -> Cost:
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / ".git" / "cache")}
    command = ["backport", "run", name, "--no-srpm", "--quiet", "--out", str(folder / ".git" / "out")]
    return best(1, lambda: subprocess.run(command, env=environment, check=False))


def help_ratio() -> tuple[str, ...]:
    python = best(15, lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    ours = best(15, lambda: subprocess.run(["backport", "--help"], check=True, stdout=subprocess.DEVNULL))
    both = (f"{ours.clock:.3f} / {python.clock:.3f}", f"{ours.cpu:.3f} / {python.cpu:.3f}")
    return *both, f"{ours.clock / python.clock:.1f} ({ours.cpu / python.cpu:.1f}) slower"


if __name__ == "__main__":
    main()

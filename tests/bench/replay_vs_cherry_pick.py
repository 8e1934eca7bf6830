"""How long the replay of a series takes beside `git cherry-pick` of the same commits, in one run on one machine.

    BACKPORT_KERNEL=/path/to/linux python tests/bench/replay_vs_cherry_pick.py [SERIES]

Prints a table of seconds and ratios. The checkout that cherry-pick needs is made before the clock starts, patches that
conflict are skipped on both sides, and the best of three runs counts for each (the first one warms the page cache).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
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


def best(times: int, work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def replay_once(definition: Definition, kernel: Path) -> Replayed:
    clone = open_clone(kernel)
    with tempfile.TemporaryDirectory() as folder, Sources((clone,)).store(Path(folder) / "run.git") as store:
        series = ingest(definition, [clone], store, Silent())
        return replay(series, resolve_one([clone], definition.onto), store, Trees(store), History(store), Silent())


def cherry_pick(commits: list[str], onto: str, folder: Path) -> None:
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "reset", "-q", "--hard", onto], check=True)
    start = time.perf_counter()
    subprocess.run([*git, "cherry-pick", *commits], check=True, capture_output=True)
    picks.append(time.perf_counter() - start)


picks: list[float] = []


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "ksm"
    kernel = Path(os.environ["BACKPORT_KERNEL"])
    definition = find(name, places())
    landed = [o.upstream for o in replay_once(definition, kernel).outcomes if o.commit]
    ours = best(3, lambda: replay_once(definition, kernel))
    same = replace(definition, commits=tuple(c for c in definition.commits if c.commit in landed), topics=())
    alike = best(3, lambda: replay_once(same, kernel))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "-q", "-s", "--no-checkout", str(kernel), folder], check=True)
        for key in ("user.name", "user.email"):
            subprocess.run(["git", "-C", folder, "config", key, "bench@localhost"], check=True)
        subprocess.run(["git", "-C", folder, "checkout", "-q", definition.onto], check=True)
        for _ in range(3):
            cherry_pick(landed, definition.onto, Path(folder))
        full, again = whole_run(name, Path(folder)), whole_run(name, Path(folder))
    table = Table(title=f"{name}: {len(definition.commits)} commits onto {definition.onto}")
    for column in ("what", "seconds", "ratio"):
        table.add_column(column, justify="left" if column == "what" else "right")
    table.add_row(f"git cherry-pick of the {len(landed)} that land, in a checkout", f"{min(picks):.2f}", "1.0")
    table.add_row(f"ingest and replay of the same {len(landed)}", f"{alike:.2f}", f"{min(picks) / alike:.1f} times faster")
    every = f"ingest and replay of all {len(definition.commits)}, with causes"
    table.add_row(every, f"{ours:.2f}", f"{min(picks) / ours:.1f} times faster")
    table.add_row("backport run --no-srpm, cold cache", f"{full:.2f}", "")
    table.add_row("backport run --no-srpm, again", f"{again:.2f}", "")
    table.add_row("backport --help / python -c pass", *help_ratio())
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    table.add_row("peak memory, MB (this process and its children)", f"{peak:.0f}", "")
    Console().print(table)


def whole_run(name: str, folder: Path) -> float:
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / ".git" / "cache")}
    command = ["backport", "run", name, "--no-srpm", "--quiet", "--out", str(folder / ".git" / "out")]
    return best(1, lambda: subprocess.run(command, env=environment, check=False))


def help_ratio() -> tuple[str, str]:
    python = best(15, lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    ours = best(15, lambda: subprocess.run(["backport", "--help"], check=True, stdout=subprocess.DEVNULL))
    return f"{ours:.3f} / {python:.3f}", f"{ours / python:.1f} times"


if __name__ == "__main__":
    main()

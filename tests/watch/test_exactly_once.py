"""Killed at any step, and with every clock wrong: each posting and commit is handled once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from backport.watch.state import State
from tests.gitrepo import START, numbered
from tests.watch.place import Place

FEATURE = {f"l{n}": b"long_enough_to_be_known(%d);" % n for n in range(5, 12)}
DRIVER = """
import os, signal, sys
last, count = int(sys.argv[1]), 0

def hook(event, arguments):
    # Each step that changes anything below the folder: SIGKILL just before the chosen one.
    global count
    if event == "open":
        steps = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    else:
        steps = event in (
            "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect", "subprocess.Popen")
    if steps:
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
sys.argv = ["backport", "watch", "watch.toml", "-q"]
from backport.cli import main
try:
    main()
finally:
    sys.stderr.write(f"{count} steps")
"""


def driven(place: Place, step: int) -> subprocess.CompletedProcess[str]:
    """A round of a process of its own that is killed before one of its steps (0: never)."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(place.folder / "cache")}
    command = [sys.executable, "-c", DRIVER, str(step)]
    return subprocess.run(command, cwd=place.folder, env=environment, capture_output=True, text=True)


def filled(place: Place) -> None:
    commit = place.post(1, **FEATURE)
    message = b'mm: mend it\n\nFixes: %s ("mm: change of a file")\n' % commit[:12].encode()
    fixed = {b"mm/a.c": numbered(40, **FEATURE | {"l7": b"mended"})}
    place.kernel.branch("master", place.kernel.on(commit, fixed, message))


_STEPS: list[int] = []  # how many there are, counted once


@pytest.mark.parametrize("share", [0.02, 0.3, 0.45, 0.6, 0.75, 0.9, 0.97])
def test_killed_before_any_step(share: float, place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A posting, the commit that it became, and a fix of that: three events in two results, whatever happened before."""
    filled(place)
    if not _STEPS:
        with pytest.MonkeyPatch.context() as patched:
            whole = Place(tmp_path_factory.mktemp("whole"), patched)
            filled(whole)
            _STEPS.append(int(driven(whole, 0).stderr.rpartition(" steps")[0].split()[-1]))
    assert _STEPS[0] > 40
    killed = driven(place, max(1, round(share * _STEPS[0])))
    assert killed.returncode == -signal.SIGKILL
    told = place.once()
    with State(place.folder / "results") as state:
        events = state.events()
    assert [event.kind for event in events] == ["revision", "merged", "fix"]
    assert len({event.key for event in events}) == 3
    assert told == events[len(events) - len(told) :]
    assert place.results == ["00001-feature-v1", "00002-feature-merged"]
    for folder in place.results:
        assert (place.folder / "results" / folder / "target" / "report.json").is_file()
    assert place.once() == []


def test_every_clock_set_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's by a year between two rounds, and the sender's: v2 is dated before v1."""
    place.post(1, l5=b"one")
    assert len(place.once()) == 1
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 365 * 86400)
    for path in (place.folder / "results").rglob("*"):
        os.utime(path, (START, START))
    assert place.once() == []
    place.kernel.clock = START - 30 * 86400
    place.post(2, l5=b"two")
    assert [event.said.partition(";")[0] for event in place.once()] == ["v2, 1 patches"]
    assert place.once() == []


def test_two_at_once(place: Place) -> None:
    """Of two processes that start together one does the work; the other says so and ends with status 3, or finds it done."""
    place.post(1, l5=b"one")
    environment = {**os.environ, "XDG_CACHE_HOME": str(place.folder / "cache")}
    command = ["backport", "watch", "watch.toml", "-q"]
    both = [subprocess.Popen(command, cwd=place.folder, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    said = [(process.wait(), process.stderr.read()) for process in both if process.stderr is not None]
    assert sorted(status for status, _ in said) in ([0, 0], [0, 3])
    assert all(b"another watch is at work" in text for status, text in said if status == 3)
    with State(place.folder / "results") as state:
        assert [event.kind for event in state.events()] == ["revision"]
    assert place.results == ["00001-feature-v1"]

"""The output folder: whole or not at all, whatever happens."""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backport import output
from backport.model.errors import EnvironmentFailedError, InputError
from backport.output import MARK, output_folder

FILES = 30


def write(folder: Path, generation: int) -> None:
    """A run's worth of files that all name their generation."""
    with output_folder(folder) as work:
        (work / "patches").mkdir()
        for number in range(FILES):
            (work / "patches" / f"{number}.patch").write_text(f"{generation}\n" * 50)
        (work / MARK).write_text(json.dumps(generation))


def generation(folder: Path) -> int:
    """Which one is there; fails where it is not whole."""
    found: int = json.loads((folder / MARK).read_text())
    for number in range(FILES):
        assert (folder / "patches" / f"{number}.patch").read_text() == f"{found}\n" * 50
    assert sorted(path.name for path in folder.iterdir()) == ["patches", MARK]
    return found


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir() if path.name not in (folder.name, f".{folder.name}.lock"))


def test_new_again_and_below_folders_that_are_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "out"
    for number in (1, 2, 3):
        write(folder, number)
        assert generation(folder) == number
        assert leftovers(folder) == []


def _fail(folder: Path, error: type[BaseException]) -> None:
    with output_folder(folder) as work:
        (work / MARK).write_text("2")
        raise error("x")


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "in two steps"])
def test_an_error_inside_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr(output, "_exchange", lambda one, other: False)
    folder = tmp_path / "out"
    write(folder, 1)
    for error in (ValueError, KeyboardInterrupt, InputError):
        with pytest.raises(error):
            _fail(folder, error)
    assert generation(folder) == 1
    assert leftovers(folder) == []
    write(folder, 2)
    assert generation(folder) == 2


@pytest.mark.parametrize("what", ["file in it", "report that is a folder", "hidden file"])
def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    name = {"file in it": "thesis.tex", "report that is a folder": MARK, "hidden file": ".precious"}[what]
    (folder / name).mkdir() if "folder" in what else (folder / name).write_text("years of work")
    with pytest.raises(InputError, match="no run of backport wrote"), output_folder(folder):
        pass
    assert [path.name for path in folder.iterdir()] == [name]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", 1)
    assert generation(tmp_path / "out") == 1


@pytest.mark.parametrize("what", ["file", "link to a folder", "dangling link", "fifo"])
def test_what_is_no_folder_is_refused(tmp_path: Path, what: str) -> None:
    folder, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    {
        "file": lambda: folder.write_text("x"),
        "link to a folder": lambda: folder.symlink_to(other),
        "dangling link": lambda: folder.symlink_to(tmp_path / "none"),
        "fifo": lambda: os.mkfifo(folder),
    }[what]()
    before = folder.lstat()
    with pytest.raises(InputError, match="file or a link"), output_folder(folder):
        pass
    assert folder.lstat() == before
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("name", ["a file/out", "/proc/backport/out", "/dev/null/out"])
def test_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").write_text("x")
    with pytest.raises(EnvironmentFailedError, match="cannot write"), output_folder(tmp_path / name):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_parent_that_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir(mode=0o555)
    with pytest.raises(EnvironmentFailedError, match="cannot write"), output_folder(tmp_path / "p" / "out"):
        pass


def test_the_root_folder_is_refused() -> None:
    with pytest.raises(InputError), output_folder(Path("/")):
        pass


def test_a_relative_path_with_dots_and_a_change_of_folder_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path / "x")
    with output_folder(Path("../x/./../out")) as work:
        (work / MARK).write_text("1")
        monkeypatch.chdir("/")
    assert (tmp_path / "out" / MARK).read_text() == "1"


def test_an_odd_name(tmp_path: Path) -> None:
    for name in ("a b", "new\nline", "caf\udce9", "-x", ".hidden", "x" * 200):
        write(tmp_path / name, 1)
        assert generation(tmp_path / name) == 1


def test_a_second_run_at_the_same_time_is_refused_and_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(folder, 1)
    with output_folder(folder) as work:
        (work / MARK).write_text("2")
        with pytest.raises(InputError, match="another run"), output_folder(folder):
            pytest.fail("two runs at once")
        assert (work / MARK).exists(), "the refused run took nothing away"
        assert generation(folder) == 1
    assert (folder / MARK).read_text() == "2"


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with (tmp_path / ".out.lock").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run"):
            write(folder, 1)
    write(folder, 1)


def test_a_lock_file_left_by_a_dead_run_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".out.lock").write_text("12345")
    write(tmp_path / "out", 1)
    assert generation(tmp_path / "out") == 1


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(folder, 1)
    (tmp_path / ".out.new" / "deep").mkdir(parents=True)
    (tmp_path / ".out.new" / "deep" / "f").write_text("half")
    (tmp_path / ".out.new" / "deep" / "f").chmod(0o444)
    write(folder, 2)
    assert generation(folder) == 2
    assert leftovers(folder) == []


def test_a_run_killed_between_the_two_steps_is_undone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(folder, 1)
    folder.rename(tmp_path / ".out.old")
    with pytest.raises(ValueError, match="x"), output_folder(folder):
        raise ValueError("x")
    assert generation(folder) == 1
    assert leftovers(folder) == []


CHILD = """
import sys
from pathlib import Path
from tests.test_output import write
from backport import output
if sys.argv[2] == "two steps":
    output._exchange = lambda one, other: False
number = int(sys.argv[3])
while True:
    write(Path(sys.argv[1]), number)
    number += 1
"""


@pytest.mark.parametrize("steps", ["one step", "two steps"])
def test_kill_9_at_any_moment_leaves_a_whole_folder(tmp_path: Path, steps: str) -> None:
    folder, dice, last = tmp_path / "out", random.Random(1), 0
    write(folder, 0)
    for number in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, folder, steps, str(number * 10**6 + 1)],
            cwd=Path(__file__).parents[1],
            stderr=subprocess.PIPE,
        )
        for _ in range(1000):  # until it has begun to write
            if (tmp_path / ".out.new").exists() or child.poll() is not None:
                break
            time.sleep(0.005)
        time.sleep(dice.random() * 0.06)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, child.stderr and child.stderr.read()
        if steps == "one step":
            assert generation(folder) >= last
        with pytest.raises(ZeroDivisionError), output_folder(folder):
            raise ZeroDivisionError  # the next run restores what was there, even if it fails itself
        last = generation(folder)
        assert leftovers(folder) == []
    assert last > 0
    write(folder, 5)
    assert generation(folder) == 5


@pytest.mark.parametrize("where", ["tmpfs", "limit"])
def test_a_full_disk_is_an_error_and_the_old_folder_is_intact(tmp_path: Path, where: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    folder = disk / "out"
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]
    if where == "tmpfs" and (os.geteuid() or subprocess.run(mount, capture_output=True).returncode):
        pytest.skip("cannot mount a small disk here")
    try:
        write(folder, 1)
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if where == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, old[1]))
        try:
            with pytest.raises(EnvironmentFailedError) as caught, output_folder(folder) as work:
                (work / "big").write_bytes(b"x" * 2_000_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert caught.value.status == 3
        assert "space" in caught.value.then
        assert generation(folder) == 1
        assert leftovers(folder) == []
        write(folder, 2)
        assert generation(folder) == 2
    finally:
        if where == "tmpfs":
            subprocess.run(["umount", disk], check=False)

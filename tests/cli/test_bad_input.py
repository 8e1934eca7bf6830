"""Bad input at the command line: a clear error, the right status, nothing written, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest


def backport(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if not key.startswith("BACKPORT_")}
    variables |= {"XDG_CACHE_HOME": str(cwd / "cache"), "XDG_CONFIG_HOME": str(cwd / "config")}
    return subprocess.run(["backport", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, env=variables)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["run", "samlpe"], 2, "did you mean sample?"),
        (["run", "ksm"], 2, "no kernel history is given"),
        (["run", "ksm", "--kernel", "nowhere"], 2, "there is no such folder"),
        (["run", "ksm", "--kernel", "."], 2, "this is no git repository"),
        (["run", "ksm", "--kernel", "ext::sh -c id"], 2, "there is no such folder"),
        (["run", "sample", "--onto", "v9.9"], 2, "no clone has the revision 'v9.9'"),
        (["run", "sample", "--branch", "a..b"], 2, "is no name for a branch"),
        (["run", "sample", "--packager", "nobody"], 2, "is not a name and an address"),
        (["run", "sample", "--tarball", "none.tar.gz"], 2, "none.tar.gz"),
        (["run"], 2, "Missing argument 'SERIES'"),
        (["rnu"], 2, "No such command"),
        (["log"], 2, "there is no report"),
        (["series", "show", "none"], 2, "there is no series 'none'"),
        (["series", "new", "x", "--commits", "nonsense", "--kernel", "."], 2, "is no range"),
    ],
)
def test_wrong_usage(arguments: list[str], status: int, said: str, tmp_path: Path) -> None:
    done = backport(*arguments, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "build").exists() or not list((tmp_path / "build").glob("[!.]*"))


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("years of work")
    done = backport("run", "sample", "--out", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "mine" / "thesis").read_text() == "years of work"


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    """Python may lose a KeyboardInterrupt inside a finaliser; then the run ends well, and its output must be whole."""
    for attempt in range(5):
        place = tmp_path / str(attempt)
        place.mkdir()
        process = subprocess.Popen(
            ["backport", "run", "sample"], cwd=place, env={**os.environ, "XDG_CACHE_HOME": str(place)}, stdout=-1, stderr=-1
        )
        while not list(place.glob("build/.sample.new/*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert b"Traceback" not in err
        if process.returncode == 130:
            assert b"interrupted" in err
            assert [path.name for path in (place / "build").iterdir()] == [".sample.lock"]
            return
        assert (place / "build/sample/report.json").is_file(), err.decode()
    pytest.fail("five runs took no notice of SIGINT")


def test_help_names_every_command_and_the_exit_statuses(tmp_path: Path) -> None:
    said = backport("--help", cwd=tmp_path).stdout
    assert all(word in said for word in ("run", "series", "log", "Exit status"))

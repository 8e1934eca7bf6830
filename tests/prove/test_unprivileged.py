"""Proving needs no privilege: where the tests run as root, the same commands as nobody, with no capability left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534
DROPPED = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
AS_NOBODY = ["setpriv", *DROPPED] if os.geteuid() == 0 else []
pytestmark = [
    pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root, and no setpriv to be somebody else"),
    pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="gcc or make is not installed"),
]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of nobody's; pytest's own are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="backport-"))
    if AS_NOBODY:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run(home: Path, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """A command as nobody. Skips where this Python lies in a folder of root's, as pyenv's does."""
    python = [*AS_NOBODY, sys.executable]
    bare = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    if subprocess.run([*python, "-c", "import backport, click"], capture_output=True, cwd="/", env=bare).returncode != 0:
        pytest.skip(f"nobody may not run {sys.executable}")
    return subprocess.run([*python, "-m", "backport", *map(str, words)], cwd=home, capture_output=True, env=bare)


def test_nobody_builds_a_series(home: Path) -> None:
    done = run(home, "prove", "build", "sample", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["as_expected"] is True
    assert (home / ".cache" / "backport" / "prove").stat().st_uid == (NOBODY if AS_NOBODY else os.geteuid())


def test_a_cache_of_somebody_else_is_told(home: Path) -> None:
    """The cache of a run as root, then a run as oneself: which folder it is, and the way out."""
    if not AS_NOBODY:
        pytest.skip("only root can make a folder of somebody else's")
    (home / ".cache").mkdir(mode=0o755)
    done = run(home, "prove", "build", "sample")
    assert done.returncode == 3, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert b"XDG_CACHE_HOME" in done.stderr

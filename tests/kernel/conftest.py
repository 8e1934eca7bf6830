"""Real histories: BACKPORT_KERNEL names a mainline clone with the tags v2.6.31 and v2.6.32."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def kernel() -> Path:
    value = os.environ.get("BACKPORT_KERNEL", "")
    if not value:
        pytest.skip("BACKPORT_KERNEL is not set: give it the path of a mainline clone with v2.6.31 and v2.6.32")
    return Path(value.split(":")[0])


@pytest.fixture(scope="session")
def worktree(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of v2.6.31 that shares the objects of the history, for git's own cherry-pick and am."""
    folder = tmp_path_factory.mktemp("worktree") / "linux"
    subprocess.run(["git", "clone", "-q", "-s", "--no-checkout", str(kernel), str(folder)], check=True)
    for key, value in (("user.name", "Tester"), ("user.email", "tester@localhost"), ("gc.auto", "0")):
        subprocess.run(["git", "-C", str(folder), "config", key, value], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "-q", "v2.6.31"], check=True)
    return folder

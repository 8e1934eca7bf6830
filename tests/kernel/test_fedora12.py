"""Fedora 12's whole dist-git as a target: 117 patches on 2.6.32.26 as a branch, a series of 2.6.33 onto it and into the spec.

BACKPORT_FEDORA names a clone of Fedora's kernel dist-git (branch f12), BACKPORT_STABLE one with the release 2.6.32.26,
BACKPORT_KERNEL one with v2.6.33. About half a minute.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.package.examples import needs_rpm
from tests.package.specs import contents

FEDORA, STABLE = os.environ.get("BACKPORT_FEDORA", ""), os.environ.get("BACKPORT_STABLE", "")
pytestmark = [
    pytest.mark.kernel,
    needs_rpm,
    pytest.mark.skipif(not (FEDORA and STABLE), reason="BACKPORT_FEDORA and BACKPORT_STABLE are not set: see the test's text"),
]
F12 = "22028b11783fb1c0b953c089d73acd291901e182"  # "final f12 build"
BASE = "b55f3d92cd8f544f8f0c31f20f0a745d2c138dfc"  # Linux 2.6.32.26
PACKAGER = "Kim Poe <kim@example.org>"


def backport(place: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backport", *map(str, words)]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def imported(place: Path, folder: Path, branch: str) -> tuple[str, str]:
    """What the command says last, and the tree of the branch that it made."""
    words = ("--kernel", STABLE, "--base", BASE, "--into", "f12.git", "--branch", branch)
    done = backport(place, "distgit", "import", folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    command = ["git", "-C", str(place / "f12.git"), "rev-parse", f"{branch}^{{tree}}"]
    return done.stdout.splitlines()[-1], subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    archive = subprocess.run(["git", "-C", FEDORA, "archive", F12], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path / "f12", filter="data")
    return tmp_path / "f12"


def test_a_series_of_2_6_33_goes_onto_fedora_12_and_into_its_spec(folder: Path, kernel: Path, tmp_path: Path) -> None:
    before = contents(folder)
    said, _ = imported(tmp_path, folder, "f12")
    assert said.endswith(f"117 commits on {BASE[:12]}")
    both = ("--kernel", kernel, "--kernel", "f12.git")
    words = ("--commits", "v2.6.32..v2.6.33", "--onto", "f12", "--patches", "defs", "--config", "SENSORS_K10TEMP=m", *both)
    assert backport(tmp_path, "series", "new", "k10temp", "drivers/hwmon/k10temp.c", *words).returncode == 0
    words = ("--patches", "defs", *both, "--onto", "f12", "--packager", PACKAGER, "--no-srpm", "--out", "out")
    done = backport(tmp_path, "run", "k10temp", *words)
    assert "3 of 3 patches landed, nothing needs a person" in done.stdout, done.stdout + done.stderr
    words = ("--series", "k10temp", "--patches", "out/patches", "--config", "SENSORS_K10TEMP=m", "--packager", PACKAGER)
    edit = ("spec", "edit", folder / "kernel.spec", *words, "--kernel", STABLE, "--kernel", "f12.git", "--bump")
    done = backport(tmp_path, *edit, "--trust-spec", "--in-place")
    assert done.returncode == 0, done.stderr
    for line in (
        "143 patches, 3 of them ours, in order; the others as before",
        "kernel-2.6.32.26-176.k10temp, the release raised from 175, 74 sections as before",
        "547 older changelog entries, all still there",
        "CONFIG_SENSORS_K10TEMP=m does not survive everywhere: arm, ia64, ppc, ppc-smp, ppc64, ppc64-debug, sparc64: X86; s390x:",
    ):
        assert line in " ".join(done.stdout.split()), done.stdout
    said, tree = imported(tmp_path, folder, "again")
    assert said.endswith(f"120 commits on {BASE[:12]}")
    assert tree == json.loads((tmp_path / "out" / "report.json").read_text())["tip_tree"], "the spec prepares what the run made"
    assert backport(tmp_path, "spec", "remove", folder / "kernel.spec", "--series", "k10temp", "--in-place").returncode == 0
    assert contents(folder) == before


def test_a_symbol_that_nobody_answers_stops_the_edit(folder: Path, tmp_path: Path) -> None:
    """`nonint_oldconfig` would stop in %build, for each of 14 kernels."""
    patches = tmp_path / "patches"
    patches.mkdir()
    text = '--- a/mm/Kconfig\n+++ b/mm/Kconfig\n@@ -1,3 +1,6 @@\n+config NOBODY_ASKED\n+\tbool "Of this"\n+\n'
    source = subprocess.run(
        ["git", "-C", STABLE, "show", f"{BASE}:mm/Kconfig"], capture_output=True, text=True, check=True
    ).stdout
    (patches / "ask.patch").write_text(text + "".join(f" {line}\n" for line in source.splitlines()[:3]))
    words = ("--series", "ask", "--patches", patches, "--packager", PACKAGER, "--kernel", STABLE, "--onto", BASE)
    done = backport(tmp_path, "spec", "edit", folder / "kernel.spec", *words)
    assert done.returncode == 2
    assert "CONFIG_NOBODY_ASKED, which nobody gives a value: the build would stop and ask" in " ".join(done.stderr.split())

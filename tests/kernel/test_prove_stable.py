"""/proc/PID/comm on a late 2.6.32.y, compiled and booted: a kernel that was released in 2012, by today's compiler.

BACKPORT_STABLE names a history with the tag v2.6.32.59; BACKPORT_PROVE_CACHE may name a folder that is kept.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.kernel.test_prove_ksm import cache, needs_qemu, prove  # noqa: F401 (a fixture)

STABLE = os.environ.get("BACKPORT_STABLE", "")
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not STABLE, reason="BACKPORT_STABLE is not set: a history with v2.6.32.59"),
    pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="gcc or make is not installed"),
]


def test_its_objects_compile_without_a_new_diagnostic(kernel: Path, cache: Path, tmp_path: Path) -> None:  # noqa: F811
    words = ("build", "proc-comm", "--kernel", STABLE)
    document = prove(*words, kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    assert [(p["outcome"], p["subject"]) for p in document["proofs"]] == [("passed", "2 objects in 2 states")]
    assert document["findings"] == []


@needs_qemu
def test_it_boots_and_threads_name_each_other(kernel: Path, cache: Path, tmp_path: Path) -> None:  # noqa: F811
    words = ("boot", "proc-comm", "--control", "--kernel", STABLE)
    document = prove(*words, kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    assert [(p["kind"], p["outcome"]) for p in document["proofs"]] == [("boot", "passed"), ("control", "absent")] * 2
    console = (tmp_path / "build" / document["proofs"][0]["console"]).read_bytes()
    assert b"Linux version 2.6.32.59" in console


@needs_qemu
def test_of_its_mutants_all_but_the_explained_one_are_caught(kernel: Path, cache: Path, tmp_path: Path) -> None:  # noqa: F811
    words = ("boot", "proc-comm", "-p", "2", "--mutants", "4", "--kernel", STABLE)
    document = prove(*words, kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    missed = [p for p in document["proofs"] if p["kind"] == "mutant" and not p["as_expected"]]
    assert all(p["why"].startswith("accepted: ") for p in missed)
    assert len(missed) <= 1

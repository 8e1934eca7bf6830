"""The first customer: the KSM series of 2.6.32 onto v2.6.31, patch by patch, against git itself."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backport.ingest.catalog import data_folder
from backport.ingest.definition import load

pytestmark = pytest.mark.kernel

KVM = "3da0dd433dc399a8c0124d0614d82a09b6a49bce"
MAPPING_LEVELS = "852e3c19ac64b7c3912e8efe42d3ce090ebc0161"
MERGED = {  # the target's file differs from upstream's in at least one place; git merges it cleanly
    "828502d30073", "f8af4da3b4c1", "21333b2b66b8", "9a840895147b", "9ba692948008", "1c2fb7a4c2ca", "7701c9c0f54f",
    "8314c4f24a0a", "a913e182ab94", "35451beecbd7", "c73602ad31cd", "a1bbb5ec3904",
}  # fmt: skip


def backport(*arguments: str | Path, cwd: Path, status: int) -> bytes:
    variables = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(["backport", *map(str, arguments)], cwd=cwd, capture_output=True, env=variables)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def run(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ksm")
    backport("run", "ksm", "--kernel", kernel, "--no-srpm", "--quiet", cwd=folder, status=1)
    return folder / "build" / "ksm"


@pytest.fixture(scope="module")
def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_bytes())
    return found


def git(folder: Path, *arguments: str, check: bool = True, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, input=stdin)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_thirty_land_and_the_kvm_patch_needs_a_person(report: dict[str, Any]) -> None:
    verdicts = {p["upstream"][:12]: p["verdict"] for p in report["patches"] if p["verdict"] != "dropped"}
    expected = {c.commit[:12]: "exact" for c in load(data_folder("patches") / "ksm" / "series.toml").commits}
    expected |= dict.fromkeys(MERGED, "merged") | {KVM[:12]: "conflict"}
    assert verdicts == expected


def test_the_conflict_names_function_and_cause(report: dict[str, Any]) -> None:
    (patch,) = [p for p in report["patches"] if p["upstream"] == KVM]
    (conflict,) = patch["conflicts"]
    assert conflict["path"] == "arch/x86/kvm/mmu.c"
    assert conflict["function"] == "kvm_handle_hva"
    assert [cause["commit"] for cause in conflict["causes"]] == [MAPPING_LEVELS]


def test_the_guard_flags_the_two_absent_names_and_nothing_else(report: dict[str, Any]) -> None:
    errors = {(f["symbol"], f["patch"]) for f in report["findings"] if f["level"] == "error"}
    assert errors == {("__set_spte", KVM), ("SPTE_HOST_WRITEABLE", KVM)}
    introduced = {f["symbol"]: f["introduced_by"]["commit"][:12] for f in report["findings"] if f["level"] == "error"}
    assert introduced == {"__set_spte": "d555c333aa54", "SPTE_HOST_WRITEABLE": "1403283acca3"}


def test_each_tree_is_that_of_git_cherry_pick(report: dict[str, Any], worktree: Path) -> None:
    git(worktree, "checkout", "-q", "v2.6.31")
    for patch in report["patches"]:
        if patch["verdict"] == "dropped":
            continue
        git(worktree, "cherry-pick", "--keep-redundant-commits", patch["upstream"], check=False)
        if patch["verdict"] == "conflict":
            assert git(worktree, "diff", "--name-only", "--diff-filter=U") == "arch/x86/kvm/mmu.c"
            git(worktree, "cherry-pick", "--abort")
        else:
            assert git(worktree, "rev-parse", "HEAD^{tree}") == patch["tree"], patch["subject"]


def test_git_am_of_the_series_gives_the_same_tree(run: Path, report: dict[str, Any], worktree: Path) -> None:
    git(worktree, "checkout", "-q", "v2.6.31")
    names = (run / "patches" / "series").read_text().split()
    git(worktree, "am", "-q", *(str(run / "patches" / name) for name in names))
    assert git(worktree, "rev-parse", "HEAD^{tree}") == report["tip_tree"]


def test_the_bundle_brings_the_same_commits(run: Path, report: dict[str, Any], worktree: Path) -> None:
    git(worktree, "fetch", "-q", str(run / "ksm.bundle"), "backport/ksm:refs/heads/from-bundle")
    assert git(worktree, "rev-parse", "from-bundle") == report["tip"]
    assert git(worktree, "rev-list", "--count", "v2.6.31..from-bundle") == "30"


def test_a_second_run_gives_the_same_bytes(run: Path, kernel: Path, tmp_path: Path) -> None:
    backport("run", "ksm", "--kernel", kernel, "--no-srpm", "--quiet", "--out", tmp_path / "again", cwd=tmp_path, status=1)
    done = subprocess.run(["diff", "-r", str(run), str(tmp_path / "again")], capture_output=True)
    assert done.stdout == b""


def test_with_its_suggestion_accepted_the_kvm_patch_lands_too(kernel: Path, tmp_path: Path) -> None:
    backport("run", "ksm", "--kernel", kernel, "--no-srpm", "--quiet", "--accept-suggestions", cwd=tmp_path, status=0)
    backport("verify", "build/ksm", "--kernel", kernel, cwd=tmp_path, status=0)
    told = json.loads((tmp_path / "build" / "ksm" / "report.json").read_bytes())
    (patch,) = [p for p in told["patches"] if p["upstream"] == KVM]
    assert patch["verdict"] == "suggested"
    assert "cleared" in patch["reason"]
    assert [finding["symbol"] for finding in told["findings"] if finding["level"] == "error"] == []

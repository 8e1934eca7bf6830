"""The one patch of KSM that needs a person on v2.6.31, decided by hand; then on another target, verified, and compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.kernel.test_ksm import KVM, backport

pytestmark = pytest.mark.kernel

FILE = "arch/x86/kvm/mmu.c"


def adapt(text: str) -> str:
    """As Fedora 12 did it in substance: 2.6.31's own loop with the new argument, its names, and no bit that it does not have."""
    text = re.sub(
        r"<{7} .*?\n(.*?)\|{7} .*?>{7} [^\n]*\n",
        lambda m: re.sub(r"(handler\(kvm,[^;]*)\);", r"\1, data);", m[1]),
        text,
        flags=re.S,
    )
    text = re.sub(r"^.*SPTE_HOST_WRITEABLE.*\n", "", text, flags=re.M)
    return text.replace("__set_spte", "set_shadow_pte")


@pytest.fixture(scope="module")
def place(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """KSM with its KVM patch decided."""
    folder = tmp_path_factory.mktemp("resolve")
    said = backport("resolve", "ksm", "--kernel", kernel, cwd=folder, status=1).decode()
    assert f"conflict {KVM[:12]}" in said
    tree = folder / "build/ksm.resolve"
    assert (tree / "include/linux/mmu_notifier.h").is_file()
    assert sum(len(files) for path, _, files in os.walk(tree) if ".git" not in path) < 700
    (tree / FILE).write_text(adapt((tree / FILE).read_text()))
    said = backport("resolve", "continue", cwd=folder, status=0).decode()
    assert "nothing is left to decide" in said
    return folder


def outcome(folder: Path) -> dict[str, object]:
    report = json.loads((folder / "report.json").read_bytes())
    (patch,) = [patch for patch in report["patches"] if patch["upstream"] == KVM]
    found: dict[str, object] = patch
    return found


def test_01_run_uses_the_decision(place: Path, kernel: Path) -> None:
    backport("run", "ksm", "--kernel", kernel, "--no-srpm", "--quiet", cwd=place, status=0)
    assert outcome(place / "build/ksm")["verdict"] == "recorded"
    backport("verify", "build/ksm", "--kernel", kernel, cwd=place, status=0)


def test_02_diff_shows_that_patch_and_no_other(place: Path, kernel: Path) -> None:
    found = json.loads(backport("diff", "ksm", "--kernel", kernel, "--json", cwd=place, status=1))
    assert [patch["upstream"] for patch in found if not patch["same"]] == [KVM]


def test_03_the_decision_serves_on_another_target(place: Path, kernel: Path) -> None:
    arguments = ["--kernel", kernel, "--onto", "v2.6.31-rc9", "--out", "other"]
    backport("run", "ksm", *arguments, "--no-srpm", "--quiet", cwd=place, status=0)
    assert outcome(place / "other")["verdict"] == "recorded"


def test_04_what_differs_is_what_range_diff_says(kernel: Path, place: Path, tmp_path: Path) -> None:
    """Patch by patch: git's range-diff has a line of a patch that only one side has if and only if we say they differ."""
    from tests.test_diff import differs_for_git

    backport("run", "ksm", "--kernel", kernel, "--no-srpm", "--quiet", "--out", "compared", cwd=place, status=0)
    found = {
        p["upstream"]: p for p in json.loads(backport("diff", "compared", "--kernel", kernel, "--json", cwd=place, status=1))
    }
    subprocess.run(["git", "clone", "-q", "-s", "--bare", str(kernel), str(tmp_path / "c.git")], check=True)
    git = ["git", "-C", str(tmp_path / "c.git")]
    subprocess.run([*git, "fetch", "-q", str(place / "compared/ksm.bundle"), "backport/ksm:new"], check=True)
    for patch in found.values():
        if patch["commit"]:
            ranges = [f"{oid}^..{oid}" for oid in (patch["upstream"], patch["commit"])]
            said = subprocess.run(
                [*git, "range-diff", "--no-color", "--creation-factor=999", *ranges], capture_output=True, check=True
            )
            assert differs_for_git(said.stdout.decode("utf-8", "replace")) is not patch["same"], patch["subject"]

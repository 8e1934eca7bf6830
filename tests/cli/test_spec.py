"""`backport spec`, as a packager types it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.package.examples import needs_rpm
from tests.package.specs import TWO, contents, folder

SIGNER = ["--packager", "Kim Poe <kim@example.org>"]


def backport(*arguments: str | Path, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "NO_COLOR": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(["backport", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    """The output folder of a run of a series `mine`."""
    place = tmp_path / "build" / "mine" / "patches"
    place.mkdir(parents=True)
    for patch in TWO:
        (place / patch.name).write_bytes(patch.data)
    (place / "series").write_text("".join(f"{patch.name}\n" for patch in reversed(TWO)))
    (place.parent / "report.json").write_text(json.dumps({"kernel_version": "2.6.31.3"}))
    return place


def test_the_difference_is_printed_and_nothing_written(patches: Path, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    before = contents(tmp_path)
    said = backport(
        "spec", "edit", spec, "--series", "mine", "--patches", patches, "--config", "KSM=y", *SIGNER, cwd=tmp_path
    ).stdout
    assert contents(tmp_path) == before
    assert "+++ b/kernel.spec\n" in said
    assert "+Patch14465: linux-2.6-ksm-kvm.patch\n+Patch14466: linux-2.6-ksm.patch\n" in said, "in the order of the series file"
    assert "+- KVM too\n+- Add KSM\n" in said, "the subjects, where no definition has titles"
    assert "+CONFIG_KSM=y\n" in said
    assert not [line for line in said.splitlines() if line.startswith("-") and not line.startswith("---")]


@needs_rpm
def test_edit_check_and_remove(patches: Path, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    before = contents(spec.parent)
    command = ["spec", "edit", spec, "--series", "mine", "--patches", patches, "--config", "KSM=y", "--in-place", *SIGNER]
    said = backport(*command, "--trust-spec", cwd=tmp_path).stdout
    assert "6 patches, 2 of them ours, in order; the others as before" in said
    assert "nothing to do" in backport(*command, cwd=tmp_path).stdout
    assert "✓ 4 blocks of mine" in backport("spec", "check", spec, cwd=tmp_path).stdout
    assert "✓ 3 older changelog entries, all still there" in backport("spec", "check", spec, "--trust-spec", cwd=tmp_path).stdout
    (spec.parent / TWO[0].name).unlink()
    assert "linux-2.6-ksm.patch is not beside the spec" in backport("spec", "check", spec, cwd=tmp_path, status=1).stdout
    shutil.copy(patches / TWO[0].name, spec.parent)
    backport("spec", "remove", spec, "--series", "mine", "--in-place", cwd=tmp_path)
    assert contents(spec.parent) == before


@needs_rpm
def test_new_writes_a_spec_that_rpm_reads(patches: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    command = ["spec", "new", "--series", "mine", "--patches", patches, "--config", "KSM=y", *SIGNER]
    backport(*command, cwd=tmp_path / "new")
    done = subprocess.run(
        ["rpmspec", "-q", "--srpm", "kernel.spec"], cwd=tmp_path / "new", capture_output=True, text=True, check=True
    )
    assert done.stdout == "kernel-2.6.31.3-1.mine.src\n"
    assert "exists" in backport(*command, cwd=tmp_path / "new", status=2).stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--patches", "nowhere"], "patch files"),
        (["--config", "KSM"], "is no SYMBOL=VALUE"),
        (["--date", "yesterday"], "is no day"),
        (["--packager", "me"], "is not a name and an address"),
        (["--evr", "1"], "lacks a release"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], complaint: str, patches: Path, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    before = contents(spec.parent)
    command = ["spec", "edit", spec, "--series", "mine", "--patches", patches, "--in-place", *arguments]
    assert complaint in backport(*command, cwd=tmp_path, status=2).stderr
    assert contents(spec.parent) == before


def test_an_unknown_series_without_patches_is_said(tmp_path: Path) -> None:
    assert (
        "there is no series"
        in backport("spec", "edit", folder("f12", tmp_path), "--series", "mine", cwd=tmp_path, status=2).stderr
    )

"""`backport run sample`, as a packager types it: the installed command, the real git, patch, rpmbuild."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backport import sample
from backport.ingest.catalog import data_folder

EXPECTED = {
    "d89eb624c045": "exact",
    "1f3afafe3767": "exact",
    "27c6aed4ba86": "merged",
    "14b519e58d0f": "exact",
    "e704c0b5493f": "exact",
    "d9f29a76b3b2": "already-present",
    "89a04a805427": "merged",
    "5ca51e20462e": "suspect",
    "f569f04e1ebe": "conflict",
    "e11f45c65942": "not-applicable",
    "074b24b3cc67": "exact",
    "8ea6f02e52e1": "dropped",
}
needs_rpm = pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is not installed (apt-get install rpm)")


def backport(*arguments: str | Path, cwd: Path, status: int, **environment: str) -> subprocess.CompletedProcess[bytes]:
    variables = {key: value for key, value in os.environ.items() if key not in ("BACKPORT_KERNEL", "BACKPORT_PATCHES")}
    variables |= {"XDG_CACHE_HOME": str(cwd / "cache"), "XDG_CONFIG_HOME": str(cwd / "config")}
    variables |= {"NO_COLOR": "1", "GIT_CONFIG_GLOBAL": "/dev/null"} | environment
    done = subprocess.run(["backport", *map(str, arguments)], cwd=cwd, capture_output=True, env=variables)
    assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    (folder / "said").write_bytes(backport("run", "sample", cwd=folder, status=1).stdout)
    return folder


@pytest.fixture(scope="module")
def report(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "build/sample/report.json").read_bytes())
    return found


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A checkout of the sample's target."""
    bare = sample.build(data_folder("patches") / "sample", tmp_path / "mini.git")
    subprocess.run(["git", "clone", "-q", "-b", "target", str(bare), str(tmp_path / "mini")], check=True)
    for key in ("user.name", "user.email"):
        subprocess.run(["git", "-C", str(tmp_path / "mini"), "config", key, "tester@localhost"], check=True)
    return tmp_path / "mini"


def test_each_patch_has_its_verdict(report: dict[str, Any]) -> None:
    assert {p["upstream"][:12]: p["verdict"] for p in report["patches"]} == EXPECTED


def test_the_manifest_says_the_same_as_the_report(report: dict[str, Any], place: Path) -> None:
    said = json.loads((place / "build/sample/series.json").read_bytes())
    dropped = {d["upstream"][:12]: "dropped" for d in said["dropped"]}
    assert {p["upstream"][:12]: p["verdict"] for p in said["patches"]} | dropped == EXPECTED
    assert said["onto"] == {"commit": report["onto_commit"], "tree": report["onto_tree"]}
    sums = {a["path"].removeprefix("patches/"): a["sha256"] for a in report["artifacts"] if a["kind"] == "patch"}
    assert {f["name"]: f["sha256"] for f in said["files"]} == sums
    assert all(p["file"] in sums for p in said["patches"] if "commit" in p)


def test_the_conflict_names_its_prerequisite(report: dict[str, Any]) -> None:
    (patch,) = [p for p in report["patches"] if p["verdict"] == "conflict"]
    assert [c["commit"][:12] for c in patch["causes"]] == ["cc195021e8fd"]


def test_the_lying_merge_is_caught_by_name(report: dict[str, Any]) -> None:
    errors = [(f["symbol"], f["patch"][:12]) for f in report["findings"] if f["level"] == "error"]
    assert errors == [("trylock_page", "5ca51e20462e")]


def test_the_not_applicable_one_names_who_brought_the_file(report: dict[str, Any]) -> None:
    (patch,) = [p for p in report["patches"] if p["verdict"] == "not-applicable"]
    assert [c["commit"][:12] for c in patch["causes"]] == ["00960cb77080"]


def test_what_a_person_reads_names_every_patch_and_the_next_command(place: Path) -> None:
    said = (place / "said").read_text()
    assert all(commit in said for commit in EXPECTED)
    assert "rpmbuild --rebuild build/sample/" in said or shutil.which("rpmbuild") is None
    assert "\x1b" not in said


def test_log_shows_it_again_without_a_run(place: Path, report: dict[str, Any]) -> None:
    before = (place / "build/sample/report.json").stat().st_mtime_ns
    said = backport("log", cwd=place, status=1).stdout.decode()
    assert all(commit in said for commit in EXPECTED)
    assert json.loads(backport("log", "sample", "--json", cwd=place, status=1).stdout) == report
    assert (place / "build/sample/report.json").stat().st_mtime_ns == before


def test_git_am_takes_the_patches(place: Path, mini: Path, report: dict[str, Any]) -> None:
    names = (place / "build/sample/patches/series").read_text().split()
    subprocess.run(["git", "-C", str(mini), "am", "-q", *(str(place / "build/sample/patches" / n) for n in names)], check=True)
    tree = subprocess.run(["git", "-C", str(mini), "rev-parse", "HEAD^{tree}"], check=True, capture_output=True, text=True)
    assert tree.stdout.strip() == report["tip_tree"]


def test_patch_takes_the_quilt_series_without_fuzz(place: Path, mini: Path, report: dict[str, Any]) -> None:
    for name in (place / "build/sample/patches/series").read_text().split():
        with (place / "build/sample/patches" / name).open("rb") as stream:
            subprocess.run(["patch", "-p1", "-s", "--fuzz=0"], cwd=mini, stdin=stream, check=True)
    subprocess.run(["git", "-C", str(mini), "add", "-A"], check=True)
    tree = subprocess.run(["git", "-C", str(mini), "write-tree"], check=True, capture_output=True, text=True)
    assert tree.stdout.strip() == report["tip_tree"]


def test_the_bundle_brings_the_commits(place: Path, mini: Path, report: dict[str, Any]) -> None:
    bundle = str(place / "build/sample/sample.bundle")
    subprocess.run(["git", "-C", str(mini), "fetch", "-q", bundle, "backport/sample:new"], check=True)
    tip = subprocess.run(["git", "-C", str(mini), "rev-parse", "new"], check=True, capture_output=True, text=True)
    assert tip.stdout.strip() == report["tip"]


def test_a_second_run_gives_the_same_bytes(place: Path) -> None:
    backport("run", "sample", "--out", "again", "--quiet", cwd=place, status=1)
    assert subprocess.run(["diff", "-r", "build/sample", "again"], cwd=place, capture_output=True).stdout == b""


def test_json_prints_the_report_and_nothing_else(place: Path) -> None:
    done = backport("run", "sample", "--out", "json", "--json", "--no-srpm", cwd=place, status=1)
    assert done.stdout == (place / "json/report.json").read_bytes()
    assert done.stderr == b""


@needs_rpm
def test_rpm_reads_the_spec_without_a_word(place: Path) -> None:
    done = subprocess.run(["rpmspec", "-P", "kernel.spec"], cwd=place / "build/sample", capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@needs_rpm
def test_the_srpm_builds_a_package_that_installs(place: Path, tmp_path: Path) -> None:
    (srpm,) = (place / "build/sample").glob("*.src.rpm")
    macros = ["--define", f"_topdir {tmp_path}/top", "--nodeps"]
    done = subprocess.run(["rpmbuild", "--rebuild", *macros, str(srpm)], capture_output=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    packages = [str(path) for path in (tmp_path / "top/RPMS").rglob("*.rpm")]
    install = ["rpm", "--root", str(tmp_path / "root"), "--nodeps", "--noscripts", "-i", *packages]
    done = subprocess.run(install, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert list((tmp_path / "root/boot").glob("vmlinuz-2.6.31.1-*sample*"))


@needs_rpm
def test_the_built_kernel_has_the_feature(place: Path, tmp_path: Path) -> None:
    (srpm,) = (place / "build/sample").glob("*.src.rpm")
    macros = ["--define", f"_topdir {tmp_path}/top", "--nodeps"]
    subprocess.run(["rpmbuild", "--rebuild", *macros, "--noclean", str(srpm)], capture_output=True, cwd=tmp_path, check=True)
    (package,) = (tmp_path / "top/RPMS").rglob("kernel-2*.rpm")
    listing = subprocess.run(["rpm", "-qpl", str(package)], capture_output=True, text=True, check=True).stdout
    (name,) = [line for line in listing.split() if line.startswith("/boot/vmlinuz-")]
    unpacked = f"rpm2cpio '{package}' | cpio -idm --quiet"
    subprocess.run(["sh", "-c", unpacked], cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / name.lstrip("/"))], capture_output=True, text=True)
    assert "RESULT: ok, 9 self tests" in done.stdout


def test_without_rpm_the_rest_still_succeeds(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("git", "python3", "env", "backport"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    done = backport("run", "sample", cwd=tmp_path, status=1, PATH=str(tools))
    assert b"apt-get install rpm" in done.stdout
    assert (tmp_path / "build/sample/kernel.spec").is_file()
    assert not list((tmp_path / "build/sample").glob("*.src.rpm"))

"""`backport resolve`, as a packager types it, on the sample: one patch that merges and lies, one in conflict."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.test_sample_run import backport

LYING, CONFLICT = "5ca51e20462e", "f569f04e1ebe"
TREE = Path("build/sample.resolve")
KEPT = Path("patches/sample/resolutions")


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(place / TREE), *arguments], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


def resolve(place: Path, *arguments: str, status: int = 1) -> str:
    return backport("resolve", *arguments, cwd=place, status=status).stdout.decode()


def adapt_lock(place: Path) -> None:
    """The target spells trylock_page otherwise."""
    edit(place, "mm/vmscan.c", "trylock_page", "test_set_page_locked")


def take_ours(place: Path) -> None:
    """The conflict in meminfo.c: keep the target's lines, and put the new number in by hand further down."""
    path = place / TREE / "kernel/meminfo.c"
    text = re.sub(r"<{7} .*?\n(.*?)\|{7} .*?>{7} [^\n]*\n", r"\1", path.read_text(), flags=re.S)
    text = text.replace('"MemFree:  %8lu B\\n",', '"MemFree:  %8lu B\\n"\n\t\t\t"MemMerged:%8lu B\\n",')
    path.write_text(text.replace("BYTES(nr_free_pages()));", "BYTES(nr_free_pages()),\n\t\t\tBYTES(page_merge_saved()));"))


def edit(place: Path, path: str, old: str, new: str) -> None:
    file = place / TREE / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def verdicts(place: Path, status: int, *arguments: str) -> dict[str, str]:
    backport("run", "sample", "--no-srpm", "--quiet", *arguments, cwd=place, status=status)
    report = json.loads((place / "build/sample/report.json").read_bytes())
    return {patch["upstream"][:12]: patch["verdict"] for patch in report["patches"]}


def test_01_it_stops_at_the_first_patch_that_needs_a_person(tmp_path: Path) -> None:
    said = resolve(tmp_path, "sample")
    assert f"suspect {LYING}" in said
    assert "the target spells it test_set_page_locked" in said
    assert "trylock_page" in (tmp_path / TREE / "mm/vmscan.c").read_text()
    assert (tmp_path / TREE / "include/linux/mm.h").is_file()  # what the file includes is beside it
    assert not (tmp_path / TREE / "Makefile").exists()
    assert git(tmp_path, "status", "--porcelain") == "M  mm/vmscan.c\n"


def test_02_a_lying_merge_is_not_taken_as_it_stands(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    said = resolve(tmp_path, "continue")
    assert "Not taken:" in said
    assert "the guard does not agree: it needs trylock_page" in said.partition("Not taken:")[2]
    assert "--accept" in said
    assert not (tmp_path / KEPT).exists()


def test_03_adapted_it_is_recorded_and_the_next_one_comes(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    adapt_lock(tmp_path)
    said = resolve(tmp_path, "continue")
    (kept,) = (tmp_path / KEPT).iterdir()
    text = kept.read_text()
    assert kept.name.startswith(f"{LYING}-vmscan.c-")
    assert "<<<<<<< the lines\n \tif (!trylock_page(page))\n>>>>>>> become\n \tif (!test_set_page_locked(page))\n" in text
    assert f"conflict {CONFLICT}" in said
    assert "cc195021e8fd meminfo: one table instead of one format" in said
    assert git(tmp_path, "status", "--porcelain") == "UU kernel/meminfo.c\n"


def test_04_markers_say_what_each_side_is_and_git_shows_the_conflict(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    resolve(tmp_path, "skip")
    text = (tmp_path / TREE / "kernel/meminfo.c").read_text()
    assert "\n<<<<<<< target v2.6.31.1\n" in text
    assert f"\n||||||| upstream before {CONFLICT}\n" in text
    assert f"\n>>>>>>> {CONFLICT} page merging: show in meminfo what it saves\n" in text
    assert "++<<<<<<< target v2.6.31.1" in git(tmp_path, "diff")
    assert git(tmp_path, "show", ":2:kernel/meminfo.c") == git(tmp_path, "show", "HEAD:kernel/meminfo.c")


def test_05_with_a_marker_left_it_names_file_and_line(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    resolve(tmp_path, "--skip")
    edit(tmp_path, "kernel/meminfo.c", "<<<<<<< target v2.6.31.1\n", "")
    said = resolve(tmp_path, "--continue")
    text = (tmp_path / TREE / "kernel/meminfo.c").read_text().split("\n")
    lines = [number for number, line in enumerate(text, 1) if re.match(r"[|=>]{7}", line)]
    assert re.findall(r"kernel/meminfo.c:(\d+): a conflict marker is left", said) == list(map(str, lines))
    assert "--accept" not in said, "that would not help"
    assert not (tmp_path / KEPT).exists()


def test_06_all_decided_the_folder_goes_and_run_uses_it(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    adapt_lock(tmp_path)
    resolve(tmp_path, "continue")
    take_ours(tmp_path)
    merged = (tmp_path / TREE / "kernel/meminfo.c").read_bytes()
    said = resolve(tmp_path, "continue", status=0)
    assert "nothing is left to decide" in said
    assert not (tmp_path / TREE).exists()
    found = verdicts(tmp_path, 0)
    assert (found[LYING], found[CONFLICT]) == ("recorded", "recorded")
    report = json.loads((tmp_path / "build/sample/report.json").read_bytes())
    (file,) = [f for p in report["patches"] if p["upstream"].startswith(CONFLICT) for f in p["files"]]
    assert file["rule"] == "recorded"
    assert (
        file["result"]["oid"]
        == subprocess.run(["git", "hash-object", "--stdin"], input=merged, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    assert any("decided on v2.6.31.1 by" in hunk["why"] for hunk in file["evidence"])


def test_07_recorded_on_one_target_it_serves_on_another(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    adapt_lock(tmp_path)
    resolve(tmp_path, "continue")
    take_ours(tmp_path)
    resolve(tmp_path, "continue", status=0)
    found = verdicts(tmp_path, 0, "--onto", "v2.6.31")
    assert (found[LYING], found[CONFLICT]) == ("recorded", "recorded")


def test_08_taken_for_a_reason_it_is_an_accepted_finding(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    said = resolve(tmp_path, "continue", "--accept", 'the "lock" is in our tree')
    assert f"conflict {CONFLICT}" in said
    assert 'reason = "the \\"lock\\" is in our tree"' in (tmp_path / "patches/sample/accepted.toml").read_text()
    assert verdicts(tmp_path, 1)[LYING] == "merged"


def test_09_skip_leaves_it_out_of_this_session_only(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    resolve(tmp_path, "skip")
    said = resolve(tmp_path, "skip", status=0)
    assert "2 patches skipped" in said
    assert verdicts(tmp_path, 1)[LYING] == "suspect"


def test_10_a_second_session_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    done = backport("resolve", "sample", cwd=tmp_path, status=3)
    assert b"a session is open in this folder" in done.stderr
    with (tmp_path / TREE / ".git/backport/lock").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = backport("resolve", "continue", cwd=tmp_path, status=3)
    assert b"another backport is at work" in done.stderr


def test_11_status_and_continue_work_from_inside_and_change_nothing(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    edit(tmp_path, "mm/vmscan.c", "trylock_page", "half_done")
    (tmp_path / TREE / "mm/notes.txt").write_text("think")
    said = backport("resolve", "status", cwd=tmp_path / TREE / "mm", status=1).stdout.decode()
    assert f"suspect {LYING}" in said
    assert "not known to git, so not part of the patch: mm/notes.txt" in said
    assert "half_done" in (tmp_path / TREE / "mm/vmscan.c").read_text()


def test_12_abort_keeps_what_was_recorded_and_files_that_git_does_not_know(tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    adapt_lock(tmp_path)
    resolve(tmp_path, "continue")
    (tmp_path / TREE / "notes.txt").write_text("think")
    said = resolve(tmp_path, "abort", status=0)
    assert "kept: notes.txt" in said
    assert [path.name for path in (tmp_path / TREE).iterdir()] == ["notes.txt"]
    assert len(list((tmp_path / KEPT).iterdir())) == 1
    done = backport("resolve", "continue", cwd=tmp_path, status=2)
    assert b"nobody is resolving anything here" in done.stderr


@pytest.mark.parametrize("delay", [0.4, 0.8, 1.0, 1.3])
def test_13_killed_anywhere_it_goes_on_and_loses_nothing(delay: float, tmp_path: Path) -> None:
    resolve(tmp_path, "sample")
    adapt_lock(tmp_path)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "BACKPORT_KERNEL": ""}
    process = subprocess.Popen(["backport", "resolve", "continue"], cwd=tmp_path, env=environment, stdout=-1, stderr=-1)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for _ in range(2):  # once to go on, where it was killed between two patches; then again with the same answer
        said = resolve(tmp_path, "continue")
    assert f"conflict {CONFLICT}" in said
    assert len(list((tmp_path / KEPT).glob("*.resolution"))) == 1
    assert git(tmp_path, "status", "--porcelain") == "UU kernel/meminfo.c\n"


def test_14_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / TREE).mkdir(parents=True)
    (tmp_path / TREE / "thesis").write_text("years of work")
    done = backport("resolve", "sample", cwd=tmp_path, status=2)
    assert b"the folder holds something that is not ours" in done.stderr
    assert (tmp_path / TREE / "thesis").read_text() == "years of work"


def test_15_an_error_leaves_no_folder_behind(tmp_path: Path) -> None:
    backport("resolve", "sample", "--onto", "v9.9", cwd=tmp_path, status=2)
    assert not (tmp_path / TREE).exists()


def test_16_wrong_usage(tmp_path: Path) -> None:
    for arguments, said in ((["resolve"], b"say which SERIES"), (["resolve", "skip"], b"nobody is resolving anything here")):
        assert said in backport(*arguments, cwd=tmp_path, status=2).stderr


@pytest.mark.parametrize("trick", ["link", "folder"])
def test_17_a_link_in_the_folder_leads_nowhere_out_of_it(trick: str, tmp_path: Path) -> None:
    """Somebody (a script, an editor) put a link where the next patch's file goes."""
    resolve(tmp_path, "sample")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "meminfo.c").write_text("mine")
    kernel = tmp_path / TREE / "kernel"
    if trick == "folder":
        shutil.rmtree(kernel, ignore_errors=True)
        kernel.symlink_to(outside)
    else:
        kernel.mkdir(exist_ok=True)
        (kernel / "meminfo.c").unlink(missing_ok=True)
        (kernel / "meminfo.c").symlink_to(outside / "meminfo.c")
    backport("resolve", "skip", cwd=tmp_path, status=1)
    assert (outside / "meminfo.c").read_text() == "mine"
    assert list(outside.iterdir()) == [outside / "meminfo.c"]
    assert not kernel.is_symlink()
    assert "<<<<<<<" in (kernel / "meminfo.c").read_text()

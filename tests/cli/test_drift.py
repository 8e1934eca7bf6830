"""`backport drift`, `symbol` and `index` on the sample, and findings that somebody accepts."""

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

LIE = "5ca51e20462e"
HONEST = "d89eb624c045"


def backport(*arguments: str | Path, cwd: Path, status: int) -> str:
    variables = {key: value for key, value in os.environ.items() if not key.startswith("BACKPORT_")}
    variables |= {"XDG_CACHE_HOME": str(cwd / "cache"), "XDG_CONFIG_HOME": str(cwd / "config")}
    done = subprocess.run(["backport", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, env=variables)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    return sample.build(data_folder("patches") / "sample", tmp_path / "mini.git")


def errors(text: str) -> list[str]:
    found: dict[str, Any] = json.loads(text)
    return [f["symbol"] for f in found["findings"] if f["level"] == "error" and not f["accepted"]]


def test_a_series_by_name(tmp_path: Path) -> None:
    assert errors(backport("drift", "sample", "--json", cwd=tmp_path, status=1)) == ["trylock_page"]


def test_commits_and_ranges(mini: Path, tmp_path: Path) -> None:
    onto = ["--kernel", mini, "--onto", "v2.6.31.1", "--json"]
    alone = errors(backport("drift", LIE, *onto, cwd=tmp_path, status=1))
    assert alone == ["trylock_page", "page_merged"], "without the series before it, its names are missing too"
    assert errors(backport("drift", f"{HONEST}~1..{HONEST}", *onto, cwd=tmp_path, status=0)) == []


def test_a_patch_file(mini: Path, tmp_path: Path) -> None:
    mail = subprocess.run(["git", "-C", str(mini), "format-patch", "--stdout", "-1", LIE], check=True, capture_output=True)
    (tmp_path / "lie.patch").write_bytes(mail.stdout)
    onto = ["--kernel", mini, "--onto", "v2.6.31.1", "--json"]
    assert errors(backport("drift", "lie.patch", *onto, cwd=tmp_path, status=1)) == ["trylock_page", "page_merged"]


def test_a_box_of_mails_with_its_cover_letter_and_a_plain_diff(mini: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(mini)]
    mails = subprocess.run(
        [*git, "format-patch", "--stdout", "--cover-letter", f"{HONEST}~1..{HONEST}"], check=True, capture_output=True
    )
    (tmp_path / "series.mbox").write_bytes(mails.stdout)
    onto = ["--kernel", mini, "--onto", "v2.6.31.1", "--json"]
    assert errors(backport("drift", "series.mbox", *onto, cwd=tmp_path, status=0)) == []
    diff = subprocess.run([*git, "diff", f"{LIE}~1", LIE], check=True, capture_output=True).stdout
    (tmp_path / "lie.diff").write_bytes(diff)
    assert errors(backport("drift", "lie.diff", *onto, cwd=tmp_path, status=1)) == ["trylock_page", "page_merged"]


@pytest.mark.parametrize("text", [b"dear list,\n", b"", b"\0" * 4000, b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"])
def test_a_patch_file_that_is_none(text: bytes, mini: Path, tmp_path: Path) -> None:
    (tmp_path / "no.patch").write_bytes(text)
    backport("drift", "no.patch", "--kernel", mini, "--onto", "v2.6.31.1", cwd=tmp_path, status=2)


def test_an_accepted_finding_lets_the_patch_land_and_stays_visible(tmp_path: Path) -> None:
    shutil.copytree(data_folder("patches") / "sample", tmp_path / "patches" / "sample")
    accept = '[[accept]]\nkind = "absent-symbol"\nsymbol = "trylock_page"\nreason = "ca4b6a4c36ae follows"\n'
    (tmp_path / "patches" / "sample" / "accepted.toml").write_text(accept)
    found = json.loads(backport("run", "sample", "--no-srpm", "--json", cwd=tmp_path, status=1))
    verdicts = {p["upstream"][:12]: p["verdict"] for p in found["patches"]}
    assert verdicts[LIE] == "merged"
    assert [f["accepted"] for f in found["findings"]] == ["ca4b6a4c36ae follows"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[accept]]\nkind = 'x'\nsymbol = 'y'\n", "accepted.toml:1: accept.reason"),
        ("[[accept]]\nkind = 'x'\nsymbol = 'y'\nreason = 'z'\nwhy = 'w'\n", "accepted.toml:5: accept.why"),
        ("[[accepts]]\n", "accepted.toml:1: accepts"),
    ],
)
def test_a_wrong_acceptance_names_file_line_and_key(text: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(data_folder("patches") / "sample", tmp_path / "patches" / "sample")
    (tmp_path / "patches" / "sample" / "accepted.toml").write_text(text)
    done = subprocess.run(["backport", "series", "show", "sample"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert said in "".join(done.stderr.split("\n"))


def test_sarif_and_annotations(tmp_path: Path) -> None:
    found = json.loads(backport("drift", "sample", "--format", "sarif", cwd=tmp_path, status=1))
    assert [result["ruleId"] for result in found["runs"][0]["results"]] == ["absent-symbol"]
    assert backport("drift", "sample", "--format", "github", cwd=tmp_path, status=1).startswith("::error file=mm/vmscan.c,line=")


def test_a_symbol_in_two_versions(mini: Path, tmp_path: Path) -> None:
    said = backport("symbol", "trylock_page", "--at", "v2.6.31.1", "--at", "v2.6.32", "--kernel", mini, cwd=tmp_path, status=1)
    assert "v2.6.31.1 does not declare it" in said
    assert "ca4b6a4c36ae" in said
    same = backport("symbol", "PAGE_SIZE", "--at", "v2.6.31.1", "--at", "v2.6.32", "--kernel", mini, cwd=tmp_path, status=0)
    assert "the same in all of them" in same


def test_index_reads_a_tree_once(mini: Path, tmp_path: Path) -> None:
    assert "files in the index" in backport("index", "v2.6.31", "v2.6.32", "--kernel", mini, cwd=tmp_path, status=0)
    assert (tmp_path / "cache/backport/index.sqlite").stat().st_size > 0

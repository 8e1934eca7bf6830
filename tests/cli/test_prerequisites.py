"""`backport prerequisites`, `fixes` and `run --with-prerequisites` as somebody types them, on a kernel of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backport.cli import main
from tests.gitrepo import Repo

MAKEFILE = b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n"
FILE = b"mm/a.c"


def text(call: bytes, more: bytes = b"") -> bytes:
    filler = b"".join(b"\nint filler_%d(int x)\n{\n\treturn x;\n}\n" % i for i in range(3))
    return b"int helper(int x)\n{\n\treturn x;\n}\n" + filler + b"\nint f(int x)\n{\n\t" + call + b"\n}\n" + more


@pytest.fixture
def kernel(repo: Repo) -> dict[str, str]:
    """A base, a commit that rewrites a line, a patch of that line, and its fix."""
    base = repo.commit({FILE: text(b"return helper(x);"), b"Makefile": MAKEFILE}, b"Linux 2.6.31\n")
    first = repo.on(base, {FILE: text(b"return helper(x) * x / 3;")}, b"mm: compute another way altogether\n")
    patch = repo.on(first, {FILE: text(b"return helper(x) * x / 4;")}, b"mm: divide by four in f\n")
    fixed = text(b"if (!x)\n\t\treturn 0;\n\treturn helper(x) * x / 4;")
    fix = repo.on(patch, {FILE: fixed}, b"mm: fix f for zero\n\nFixes: %s\n" % patch[:12].encode())
    repo.branch("master", fix)
    return {"base": base, "first": first, "patch": patch, "fix": fix}


def run(*arguments: str) -> int:
    """The exit status of the installed command."""
    import sys

    argv, sys.argv = sys.argv, ["backport", *arguments]
    try:
        with pytest.raises(SystemExit) as stopped:
            main()
    finally:
        sys.argv = argv
    return int(stopped.value.code or 0)


def test_prerequisites_as_json(repo: Repo, kernel: dict[str, str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    status = run("prerequisites", kernel["patch"], "--onto", kernel["base"], "--kernel", str(repo.path), "--json")
    (found,) = json.loads(capsysbinary.readouterr().out)["patches"]
    assert status == 0
    assert found["candidates"][0]["commit"] == kernel["first"]
    complete = [plan for plan in found["plans"] if plan["complete"]]
    assert [[pick["commit"] for pick in plan["picks"]] for plan in complete] == [[kernel["first"]]]


def test_prerequisites_as_a_tree(repo: Repo, kernel: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prerequisites", kernel["patch"], "--onto", kernel["base"], "--kernel", str(repo.path)) == 0
    told = capsys.readouterr().out
    assert "pick 1 commit first: 1 of 1 conflict gone, +1 -1 lines, no further prerequisites" in told
    assert "adapt 1 line" in told


def test_what_lands_needs_nothing(repo: Repo, kernel: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prerequisites", kernel["first"], "--onto", kernel["base"], "--kernel", str(repo.path)) == 0
    assert "nothing: every patch lands" in capsys.readouterr().out


def test_a_base_that_nobody_knows(repo: Repo, kernel: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--onto", kernel["base"], "--kernel", str(repo.path)]
    assert run("prerequisites", kernel["patch"], "--base", "v9.9", *arguments) == 2
    assert "v9.9" in capsys.readouterr().err


def test_run_puts_them_in_front_and_says_so(
    repo: Repo, kernel: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "patches" / "mine"
    folder.mkdir(parents=True)
    rows = f'[[commit]]\nid = "{kernel["patch"]}"\nsubject = "mm: divide by four in f"\n'
    upstream = f'[upstream]\nrepository = "url"\nrange = "{kernel["base"]}..{kernel["fix"]}"\n'
    upstream += f'[target]\nonto = "{kernel["base"]}"\n'
    (folder / "series.toml").write_text(f'name = "mine"\ntitle = "Mine"\n{upstream}{rows}')
    common = ["--patches", str(tmp_path / "patches"), "--kernel", str(repo.path), "--no-srpm", "--out", str(tmp_path / "out")]
    assert run("run", "mine", *common) == 1
    assert run("run", "mine", "--with-prerequisites", *common) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert [patch["upstream"] for patch in report["patches"]] == [kernel["first"], kernel["patch"]]
    assert [patch["reason"] for patch in report["patches"]] == [f"prerequisite of {kernel['patch'][:12]}", ""]
    assert report["tip_tree"] == repo.text("rev-parse", f"{kernel['patch']}^{{tree}}")
    assert "Landed with a remark" in capsys.readouterr().out


def test_fixes(repo: Repo, kernel: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fixes", kernel["patch"], "--until", "master", "--kernel", str(repo.path)]
    assert run(*arguments) == 1
    assert "says that it fixes" in capsys.readouterr().out
    assert run(*arguments, "--onto", kernel["patch"], "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["commits"]
    assert (found["commit"], found["rank"], found["target"]) == (kernel["fix"], "mandatory", "exact")
    assert run(*arguments, "--onto", kernel["fix"]) == 0
    assert "the target has it" in capsys.readouterr().out


def test_fixes_of_the_first_commit_of_a_history(repo: Repo, kernel: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """It was "no clone has the revision X^", as if somebody had typed that."""
    root = repo.git("rev-list", "--max-parents=0", "master").decode().strip()
    assert run("fixes", root, "--until", "master", "--kernel", str(repo.path)) in (0, 1)
    assert "Follow-ups until master" in capsys.readouterr().out

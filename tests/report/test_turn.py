"""A person's turn on the console: what to type next, as it is typed from here."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from backport.model.series import Entry
from backport.model.turn import Place, Turn
from backport.model.verdict import Conflict, FileOutcome, PatchOutcome, Suggestion, Verdict
from backport.report.turn import render

MADE = Entry(0o100644, "b" * 40)


def said(folder: Path, *suggestions: Suggestion, left: str = "content") -> list[str]:
    conflict = Conflict(b"mm/a b.c", "content", "f", 3, b"x\n", b"y\n", b"z\n")
    outcome = PatchOutcome("1" * 40, "mm: x", Verdict.CONFLICT, conflicts=(conflict,), suggestions=suggestions)
    places = (Place(b"mm/a b.c", 3, left), Place(b"mm/done.c", 0, ""))
    written = io.StringIO()
    Console(width=200, color_system=None, file=written).print(render(Turn("s", "v1", str(folder), 1, 1, outcome, places=places)))
    return written.getvalue().splitlines()


def suggestion(*doubts: str, result: Entry | None = MADE, diff: bytes = b"") -> Suggestion:
    file = FileOutcome(b"mm/a b.c", b"mm/a b.c", "anchor", None, MADE, None, result)
    return Suggestion(("anchor",), "c" * 40, (file,), diff=diff, doubts=doubts)


def commands(lines: list[str]) -> list[str]:
    return [line.removeprefix("  $ ").partition("  ")[0] for line in lines if line.startswith("  $ ")]


@pytest.mark.parametrize(
    ("where", "told"),
    [("build/s.resolve", ""), (".", ""), ("mine", " --in mine"), ("my place", " --in 'my place'"), ("build/t.resolve", None)],
)
def test_the_commands_say_which_folder_where_they_would_not_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, told: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    told = " --in build/t.resolve" if told is None else told
    assert commands(said(tmp_path / where)) == [f"backport resolve {word}{told}" for word in ("continue", "skip", "abort")]


def test_a_suggestion_that_the_guard_does_not_doubt_can_be_taken_with_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = said(tmp_path / "r", suggestion("it needs x"), suggestion())
    assert commands(lines)[0] == f"git -C r checkout {'c' * 12} -- 'mm/a b.c'"
    assert any(line.endswith("take suggestion 2 where it is to be decided") for line in lines)
    for doubtful in (suggestion("it needs x"), suggestion(result=None)):
        assert "checkout" not in commands(said(tmp_path / "r", doubtful))[0]
    assert "checkout" not in commands(said(tmp_path / "r", suggestion(), left=""))[0]


def test_the_rest_of_a_long_diff_is_where_it_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = said(tmp_path / "r", suggestion(diff=b"+line\n" * 60))
    assert any(line.endswith(f"… 36 more lines with git -C r diff HEAD {'c' * 12}") for line in lines)

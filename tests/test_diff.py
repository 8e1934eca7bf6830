"""Upstream against backport in substance, held against `git range-diff`, which also compares context."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.diff import compare
from backport.examine import Workshop
from backport.model.comparison import Comparison
from backport.replay.policy import Policy
from backport.replay.situation import Answers
from backport.report.diff import dump, render
from tests.gitrepo import Content, Repo, numbered, replayed
from tests.resolve.person import decided


def differs_for_git(said: str) -> bool:
    """Whether a range-diff shows a line of a patch that only one side has: an outer sign before an inner one."""
    return re.search(r"^ {4}[-+][-+](?!\+\+ |-- )", said, re.M) is not None


def compared(
    repo: Repo,
    scratch: Path,
    target: Mapping[bytes, Content | None],
    patch: Mapping[bytes, Content | None],
    made: Mapping[bytes, bytes | None] | None = None,
) -> tuple[Comparison, bool]:
    """A patch on a target, decided by a person where they say how; and what git says of the two commits."""
    base = repo.commit({b"f": numbered(30), b"bin": b"\0\1"}, b"base\n")
    onto = repo.on(base, target, b"target\n")
    commit = repo.on(base, patch, b"patch\n")
    policy = Policy(ladder=lambda _: Answers())
    if made is not None:
        with replayed(repo, [commit], onto, scratch / "a", base, policy=policy) as session:
            policy = Policy(ladder=lambda _: Answers(), recordings=decided(session, onto, made))
    with replayed(repo, [commit], onto, scratch / "b", base, policy=policy) as session:
        assert len(session.landed) == 1
        shop = Workshop(session.store, session.trees, session.history)
        (found,) = compare(session.outcomes, session.history.commit(onto).tree, shop)
        ranges = [f"{commit}^..{commit}", f"{session.landed[0]}^..{session.landed[0]}"]
        said = session.git("range-diff", "--no-color", "--creation-factor=999", *ranges).decode()
    return found, differs_for_git(said)


PATCH = {b"f": numbered(30, l15=b"new")}


@pytest.mark.parametrize(
    "target",
    [
        {b"g": b"other\n"},
        {b"f": b"more\n" * 9 + numbered(30)},
        {b"f": numbered(30, l12=b"near", l18=b"near")},
        {b"f": numbered(30).replace(b"line 15\n", b"line 15\n", 1), b"h": b"x\n"},
    ],
)
def test_lines_that_moved_or_stand_among_others_are_the_same(target: Mapping[bytes, Content], repo: Repo, tmp_path: Path) -> None:
    found, git = compared(repo, tmp_path, target, PATCH)
    assert (found.same, git) == (True, False)


def test_another_line_is_a_difference_with_its_place(repo: Repo, tmp_path: Path) -> None:
    made = {b"f": numbered(30, l15=b"adapted")}
    found, git = compared(repo, tmp_path, {b"f": numbered(30, l15=b"mine")}, PATCH, made)
    assert (found.same, git) == (False, True)
    (part,) = found.parts
    assert (part.path, part.line) == (b"f", 15)
    assert [(line.side, line.sign, line.text) for line in part.lines] == [
        ("before", "-", b"line 15"),
        ("before", "+", b"new"),
        ("after", "-", b"mine"),
        ("after", "+", b"adapted"),
    ]


def test_a_file_that_was_left_out_is_a_difference(repo: Repo, tmp_path: Path) -> None:
    patch = PATCH | {b"bin": b"\0\2"}
    found, _ = compared(repo, tmp_path, {b"bin": b"\0\3"}, patch, {b"bin": b"\0\4"})
    assert [part.path for part in found.parts] == [b"bin"]
    found, _ = compared(repo, tmp_path / "other", {b"bin": b"\0\3"}, patch, {b"bin": b"\0\2"})
    assert found.same


def test_it_is_shown_and_dumped(repo: Repo, tmp_path: Path) -> None:
    from rich.console import Console

    found, _ = compared(repo, tmp_path, {b"f": numbered(30, l15=b"mine")}, PATCH, {b"f": numbered(30, l15=b"\x1b[2Jadapted")})
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    console.print(render([found]))
    said = console.export_text()
    assert "1 ! recorded" in said
    assert "  < +new\n" in said
    assert "\x1b" not in said
    assert b'"same": false' in dump([found])

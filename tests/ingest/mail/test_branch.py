"""Commits of a repository as a source of mails."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.ingest.mail.lives import all_revisions
from backport.ingest.mail.source import open_mails
from backport.model.errors import InputError
from backport.model.progress import Silent
from tests.gitrepo import Repo, numbered, run


def three(repo: Repo) -> list[str]:
    """A base that is a tag, and three commits on a branch above it."""
    commits = [repo.commit({b"mm/a.c": numbered(20)}, b"base\n")]
    for number in (1, 2, 3):
        text = b"mm: change %d\n\nwhy\n\n---\nFrom 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n" % number
        commits.append(repo.on(commits[-1], {b"mm/a.c": numbered(20, **{f"l{5 * number}": b"x"})}, text))
    repo.git("tag", "v1", commits[0])
    repo.branch("topic", commits[3])
    return commits


@pytest.mark.parametrize("span", ["v1..topic", "topic", "v1.."])
def test_a_range_and_a_branch_are_one_series_in_order_on_their_base(repo: Repo, tmp_path: Path, span: str) -> None:
    commits = three(repo)
    repo.branch("copy-of-topic", commits[3])
    run(["git", "symbolic-ref", "HEAD", "refs/heads/topic"], repo.path)
    with open_mails(f"{repo.path}#{span}", tmp_path, Silent()) as mails:
        (series,) = all_revisions(mails.archive)
        assert [post.title for post in series.posts] == ["mm: change 1", "mm: change 2", "mm: change 3"]
        assert series.whole
        assert series.posts[0].base_commit == commits[0]
        raws = [found.raw for found in mails.read([post.where for post in series.posts])]
    work = tmp_path / "work"
    run(["git", "clone", "-q", "--branch", "v1", str(repo.path), str(work)], tmp_path)
    for number, raw in enumerate(raws):
        (tmp_path / f"{number}").write_bytes(raw)
        run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "am", "-q", str(tmp_path / f"{number}")], work)
    assert run(["git", "rev-parse", "HEAD^{tree}"], work).stdout == repo.git("rev-parse", "topic^{tree}")


def test_a_range_of_the_repository_here(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three(repo)
    monkeypatch.chdir(repo.path)
    with open_mails("topic~2..topic", tmp_path, Silent()) as mails:
        assert mails.archive.count() == 2


def test_what_is_no_series_is_refused(repo: Repo, tmp_path: Path) -> None:
    commits = three(repo)
    repo.branch("other", repo.on(commits[0], {b"mm/b.c": b"x\n"}, b"other\n"))
    merged = repo.commit({b"mm/a.c": b"m\n"}, b"merge\n", parents=[commits[3], repo.git("rev-parse", "other").decode().strip()])
    repo.branch("merged", merged)
    repo.git("tag", "done", repo.on(merged, {b"mm/a.c": b"n\n"}, b"done\n"))
    for span, why in {
        "v1..nothing": "no revision 'nothing'",
        "topic..v1": "no commit in it",
        "topic": "no commit in it",
        "v1..merged": "is a merge",
        f"{commits[0]}^..topic": "no revision",
    }.items():
        with pytest.raises(InputError, match=why), open_mails(f"{repo.path}#{span}", tmp_path, Silent()):
            pass
    with pytest.raises(InputError, match="this is a repository"), open_mails(str(repo.path), tmp_path, Silent()):
        pass

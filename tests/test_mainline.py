"""What became of posted patches: taken as they were, edited, renamed, left out; and in which release."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.store import Store
from backport.ingest.mail.posts import read
from backport.ingest.mail.rows import row_of
from backport.mainline import Posted, fate, with_dropped
from backport.model.mail import Became, Fate
from tests.gitrepo import AUTHOR, START, Repo, numbered
from tests.ingest.mail.letters import archived

ALL = {b"mm/a.c": numbered(40), b"mm/b.c": numbered(40), b"mm/c.c": numbered(40), b"mm/d.c": numbered(40)}
LONG = {f"l{n}": b"added %d" % n for n in range(20, 30)}


def posted(repo: Repo, base: str, steps: list[tuple[bytes, bytes, bytes]]) -> list[Posted]:
    """Patches (path, content, title) as mails."""
    at, commits = base, []
    for path, content, title in steps:
        at = repo.on(at, {path: content}, title + b"\n\nwhy\n")
        commits.append(at)
    mails = [repo.git("format-patch", "--stdout", "-1", commit) for commit in commits]
    with archived([b"Message-ID: <m%d>\n" % n + mail.partition(b"\n")[2] for n, mail in enumerate(mails)]) as archive:
        assert row_of(read(mails[0], "x")).values
        return [Posted(post, mail) for post, mail in zip(archive.posts(), mails, strict=True)]


def told(repo: Repo, scratch: Path, patches: list[Posted], tip: str) -> Fate:
    clones = [open_clone(repo.path)]
    with Store(scratch / "store", [clones[0].objects]) as store:
        return fate(patches, START, clones, tip, store)


@pytest.fixture
def merged(repo: Repo, tmp_path: Path) -> Fate:
    base = repo.commit(ALL, b"base\n")
    patches = posted(
        repo,
        base,
        [
            (b"mm/a.c", numbered(40, l5=b"as posted"), b"mm: taken as it was"),
            (b"mm/b.c", numbered(40, **LONG), b"mm: taken and edited"),
            (b"mm/c.c", numbered(40, **LONG), b"mm: taken under another name"),
            (b"mm/d.c", numbered(40, l5=b"dropped"), b"mm: never taken at all"),
        ],
    )
    at = repo.on(base, {b"mm/a.c": numbered(40, l39=b"in between")}, b"in between\n")
    at = repo.on(at, {b"mm/a.c": numbered(40, l5=b"as posted", l39=b"in between")}, b"mm: taken as it was\n\nother words\n")
    (repo.path / "refs" / "tags" / "v2.6.32-rc1").write_text(repo.on(at, {b"x": b"x"}, b"rc1\n") + "\n")
    at = (repo.path / "refs" / "tags" / "v2.6.32-rc1").read_text().strip()
    repo.files[at] = dict(repo.files[at])
    at = repo.on(at, {b"mm/b.c": numbered(40, **LONG | {"l29": b"edited"})}, b"mm: taken and edited\n", author=AUTHOR)
    at = repo.on(
        at, {b"mm/c.c": numbered(40, **LONG | {"l29": b"also edited"})}, b"mm: quite another title\n", author=b"X <x@y.z>"
    )
    repo.branch("master", at)
    return told(repo, tmp_path, patches, "master")


def test_each_patch_is_found_by_the_first_rule_that_can(merged: Fate) -> None:
    assert [(each.subject, each.rule) for each in merged.became] == [
        ("mm: taken as it was", "patch-id"),
        ("mm: taken and edited", "title and author"),
        ("mm: quite another title", "changed lines"),
    ]
    assert merged.lost == ("m3",)
    assert merged.state == "partly applied"


def test_the_distance_is_told(merged: Fate) -> None:
    as_it_was, edited, renamed = (each.distance for each in merged.became)
    assert as_it_was == 0
    assert 0 < edited < 20
    assert 0 < renamed < 20


def test_the_release_is_the_first_tag_that_has_it(merged: Fate) -> None:
    assert [each.release for each in merged.became] == ["v2.6.32-rc1", "", ""]


def test_nothing_found_is_posted(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit(ALL, b"base\n")
    patches = posted(repo, base, [(b"mm/a.c", numbered(40, l5=b"x"), b"mm: one change of a line")])
    repo.branch("master", repo.on(base, {b"mm/a.c": numbered(40, l30=b"other")}, b"mm: something else here\n"))
    found = told(repo, tmp_path, patches, "master")
    assert (found.state, found.became, found.lost) == ("posted", (), ("m0",))


@pytest.mark.parametrize(
    ("names", "last"),
    [(["v2.6.32-rc1", "v2.6.32-rc10", "v2.6.32-rc9"], "v2.6.32-rc10"), (["v2.6.32", "v2.6.32-rc8"], "v2.6.32"), (["", ""], "")],
)
def test_releases_compare_as_people_count(names: list[str], last: str) -> None:
    assert Fate(tuple(Became("", "", "", "", 0, name) for name in names), (), "").release == last


def test_what_was_dropped_on_the_way_and_what_was_taken_meanwhile(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit(ALL, b"base\n")
    patches = posted(
        repo,
        base,
        [
            (b"mm/a.c", numbered(40, l5=b"kept"), b"mm: goes on in the next"),
            (b"mm/b.c", numbered(40, **LONG), b"mm: was taken meanwhile"),
            (b"mm/c.c", numbered(40, l5=b"given up"), b"mm: was given up"),
        ],
    )
    at = repo.on(base, {b"mm/b.c": numbered(40, **LONG)}, b"mm: was taken meanwhile\n")
    repo.branch("master", at)
    clones = [open_clone(repo.path)]
    with Store(tmp_path / "store", [clones[0].objects]) as store:
        now, before = (fate(some, START, clones, "master", store) for some in (patches[:1], patches[1:]))
    outcome = with_dropped(now, before, START)
    assert [(each.subject, each.date) for each in outcome.became] == [("mm: was taken meanwhile", repo.clock + 60)]
    assert (outcome.lost, outcome.dropped) == (("m0",), ("m2",))
    assert outcome.state == "posted"


@pytest.mark.parametrize(("days", "state"), [(300, "posted"), (400, "dropped")])
def test_a_series_of_which_nothing_was_taken_for_a_year_is_dropped(days: int, state: str) -> None:
    until = START + days * 86400
    outcome = with_dropped(Fate((), ("m",), "posted", until=until), Fate((), (), "posted"), START)
    assert outcome.state == state
    taken = Became("m", "1" * 40, "mm: x", "patch-id", 0, "")
    assert with_dropped(Fate((taken,), (), "applied", until=until), Fate((), (), "posted"), START).state == "applied"

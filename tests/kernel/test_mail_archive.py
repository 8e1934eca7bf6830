"""A real list: nothing foreign or twice inside a series, and revisions linked as a person would. Needs BACKPORT_MAIL_ARCHIVE.

That is a public-inbox epoch of the linux-erofs list (15,218 mails, 2018-2026): https://lore.kernel.org/linux-erofs/0
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backport.ingest.mail.grouping import group
from backport.ingest.mail.lives import all_links, all_revisions, life
from backport.ingest.mail.runs import run_of
from backport.ingest.mail.source import Mails, open_mails
from backport.model.mail import Link, Revision
from backport.model.progress import Silent

ARCHIVE = os.environ.get("BACKPORT_MAIL_ARCHIVE", "")
CHECKED = Path(__file__).with_name("mail_links.tsv")
pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not ARCHIVE, reason="BACKPORT_MAIL_ARCHIVE names no public-inbox epoch")]


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with open_mails(ARCHIVE, tmp_path_factory.mktemp("cache"), Silent()) as found:
        yield found


@pytest.fixture(scope="module")
def revisions(mails: Mails) -> list[Revision]:
    return all_revisions(mails.archive)


@pytest.fixture(scope="module")
def links(revisions: list[Revision]) -> dict[str, Link]:
    return {link.later: link for link in all_links(revisions)}


def test_no_mail_is_refused_and_none_lost(mails: Mails) -> None:
    assert mails.archive.refused() == []
    assert mails.archive.count() == mails.new >= 15_000


def test_no_series_has_a_foreign_or_a_duplicate_patch_silently_inside(revisions: list[Revision]) -> None:
    for series in revisions:
        numbers = [post.label.number for post in series.posts]
        assert len(set(numbers)) == len(numbers), series.identity
        names = {post.name.split(" via ")[0].casefold() for post in series.members}
        one_run = len({run_of(post.message_id) for post in series.members}) == 1 and run_of(series.identity)
        assert len(names) == 1 or one_run or len({post.address for post in series.members}) == 1, series.identity
        assert len({str(post.label.version) for post in series.members}) == 1, series.identity


def test_every_patch_is_in_one_series(mails: Mails, revisions: list[Revision]) -> None:
    inside = [post.number for series in revisions for post in series.posts]
    assert len(inside) == len(set(inside))
    assert len(inside) > 6_000
    assert sum(len(group(mails.archive.posts([thread]))) for thread in mails.archive.titled("")[:50]) >= 50


def test_later_revisions_are_linked(revisions: list[Revision], links: dict[str, Link]) -> None:
    later = [series for series in revisions if series.version.major >= 2]
    linked = sum(series.identity in links for series in later)
    assert len(later) > 1_000
    assert linked / len(later) >= 0.95, f"{linked} of {len(later)}"


def test_the_links_that_a_person_checked(links: dict[str, Link]) -> None:
    rows = [line.split("\t") for line in CHECKED.read_text().splitlines() if not line.startswith("#")]
    assert len(rows) == 100
    right = sum(said == "right" and later in links and links[later].earlier == earlier for later, earlier, _, said in rows)
    assert right >= 98, f"{right} of 100"


def test_one_series_asked_for_gives_what_the_whole_list_gives(mails: Mails, links: dict[str, Link]) -> None:
    for later in sorted(links)[::60]:
        found = life(mails.archive, later)
        assert found.link_of(later) == links[later]

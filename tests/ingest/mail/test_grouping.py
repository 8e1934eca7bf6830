"""Which mails are one series: every way seen on a real list in which that goes wrong."""

from __future__ import annotations

import pytest

from backport.ingest.mail.subject import parse
from tests.ingest.mail.letters import BEA, DAY, START, grouped, in_one_thread, kinds, letter, shape

LABELS = {
    "[PATCH] a: b": ("v1", None, None, (), "a: b"),
    "[PATCH v3 2/7] a: b": ("v3", 2, 7, (), "a: b"),
    "[RFC PATCH 0/3] a": ("v1", 0, 3, ("RFC",), "a"),
    "[PATCHv3 1/2] a": ("v3", 1, 2, (), "a"),
    "[rfcv2 1/2] a": ("v2", 1, 2, ("RFC",), "a"),
    "[PATCH v1.1 2/7] a": ("v1.1", 2, 7, (), "a"),
    "[PATCH v3.2] a": ("v3.2", None, None, (), "a"),
    "[PATCH v2-changed 1/1] a": ("v2-changed", 1, 1, (), "a"),
    "[PATCH 6/5] a": ("v1", 6, 5, (), "a"),
    "[PATCH RESEND v2 3/4] a": ("v2", 3, 4, ("RESEND",), "a"),
    "[linux-mm] [PATCH net-next,v2 02/11] a": ("v2", 2, 11, ("NET-NEXT",), "a"),
    "[PATCH][V2] a: b": ("v2", None, None, (), "a: b"),
    "[PATCH] [media] a: b": ("v1", None, None, (), "[media] a: b"),
    "[PATCH 1/n] a": ("v1", 1, None, (), "a"),
    "[PATCH -mm v4 1/2] a [again]": ("v4", 1, 2, ("MM",), "a [again]"),
}


@pytest.mark.parametrize("subject", LABELS)
def test_labels(subject: str) -> None:
    label = parse(subject)
    assert (str(label.version), label.number, label.total, label.tags, label.title) == LABELS[subject]
    assert label.patch
    assert not label.reply


@pytest.mark.parametrize(
    "subject", ["Re: [PATCH 1/2] a", "[list] Re: [PATCH 1/2] a", "AW: Re[2]: [PATCH 1/2] a", "Fwd: [PATCH 1/2] a"]
)
def test_replies(subject: str) -> None:
    assert parse(subject).reply


@pytest.mark.parametrize("subject", ["hello", "", "[" * 5000, "[bug] it breaks", "\0\x1b[31m", "[PATCH" + " " * 9000])
def test_what_is_no_label_is_a_title(subject: str) -> None:
    assert not parse(subject).patch


def test_a_series_under_its_cover() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/2] s", "c", change=None),
        letter("[PATCH 1/2] one", "p1", "c"),
        letter("[PATCH 2/2] two", "p2", "c", change="mm/b.c x"),
        letter("Re: [PATCH 1/2] one", "r", ["c", "p1"], who=BEA, change=None),
    )
    assert shape(series) == "v1 0+1,2/2"
    assert series.rule == "reply to the cover"
    assert kinds(series) == []


def test_the_message_ids_of_one_run_hold_a_series_together_without_a_thread() -> None:
    (series,) = grouped(
        *(letter(f"[PATCH {n}/3] p{n}", f"20090909221359.123-{n}-ann@x", change=f"mm/{n}.c x") for n in (1, 2, 3))
    )
    assert shape(series) == "v1 1,2,3/3"
    assert series.rule == "message-id run"


def test_a_second_series_in_one_thread() -> None:
    """Same author, same thread, same label: two covers, two series."""
    found = in_one_thread(
        letter("[PATCH 0/2] kernel side", "c"),
        letter("[PATCH 1/2] k1", "k1", "c"),
        letter("[PATCH 2/2] k2", "k2", "c"),
        letter("[PATCH 0/2] tools side", "d", "c", when=START + 60),
        letter("[PATCH 1/2] t1", "t1", ["c", "d"], when=START + 61),
        letter("[PATCH 2/2] t2", "t2", ["c", "d"], when=START + 62),
    )
    assert [[post.title for post in series.posts] for series in found] == [["k1", "k2"], ["t1", "t2"]]
    assert all(kinds(series) == [] for series in found)


def test_a_reroll_without_a_label_is_not_mixed_in() -> None:
    found = in_one_thread(
        letter("[PATCH 0/2] s", "c", change=None),
        letter("[PATCH 1/2] one", "p1", "c"),
        letter("[PATCH 2/2] two", "p2", "c"),
        letter("[PATCH 2/2] two", "p2b", ["c", "p2"], when=START + DAY, change="mm/a.c better"),
    )
    assert [shape(series) for series in found] == ["v1 0+1,2/2", "v1 2/2"]
    assert [post.message_id for post in found[0].posts] == ["p1", "p2"]
    assert "duplicate" in kinds(found[0])
    assert "unlabelled" in kinds(found[1])


def test_a_resend_of_the_same_mail_is_told_and_counted_once() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/1] s", "c", change=None), letter("[PATCH 1/1] one", "p", "c"), letter("[PATCH 1/1] one", "q", "c")
    )
    assert [post.message_id for post in series.posts] == ["p"]
    assert kinds(series) == ["duplicate"]
    assert "same change" in series.notes[0].what


def test_a_labelled_resend() -> None:
    first, again = grouped(letter("[PATCH v2] one", "p"), letter("[PATCH RESEND v2] one", "q", when=START + 9 * DAY))
    assert kinds(first) == []
    assert kinds(again) == ["resend"]


@pytest.mark.parametrize("version", ["v1.1", "v3.2", "v2-changed"])
def test_odd_versions_are_revisions_of_their_own(version: str) -> None:
    first, other = in_one_thread(
        letter("[PATCH v1 1/1] one", "p"), letter(f"[PATCH {version} 1/1] one", "q", "p", when=START + 9)
    )
    assert str(other.version) == version
    assert first.version < other.version


def test_a_partial_reroll_as_a_reply() -> None:
    full, part = in_one_thread(
        letter("[PATCH 0/3] s", "c", change=None),
        *(letter(f"[PATCH {n}/3] p{n}", f"p{n}", "c", change=f"mm/{n}.c x") for n in (1, 2, 3)),
        letter("[PATCH v2 2/3] p2", "q2", ["c", "p2"], when=START + DAY, change="mm/2.c y"),
    )
    assert shape(full) == "v1 0+1,2,3/3"
    assert kinds(part) == ["partial"]
    assert part.notes[0].post == "c"
    assert part.whole


def test_a_foreign_patch_is_left_out_and_told() -> None:
    found = in_one_thread(
        letter("[PATCH 0/2] s", "c", change=None),
        letter("[PATCH 1/2] one", "p1", "c"),
        letter("[PATCH 2/2] hers", "x", "c", who=BEA),
        letter("[PATCH 2/2] two", "p2", "c"),
    )
    mine = next(series for series in found if series.cover)
    assert [post.title for post in mine.posts] == ["one", "two"]
    assert kinds(mine) == ["foreign"]
    assert any(kinds(series)[-1] == "foreign" or "foreign" in kinds(series) for series in found if series is not mine)


def test_a_list_that_writes_itself_into_from_is_not_foreign() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/1] s", "c", change=None),
        letter("[PATCH 1/1] one", "p", "c", who='"Ann Author via List" <list@example.net>'),
    )
    assert kinds(series) == []


def test_a_patch_by_another_in_a_reply_is_no_part_of_the_series() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/1] s", "c", change=None),
        letter("[PATCH 1/1] one", "p", "c"),
        letter("Re: [PATCH 1/1] one", "r", ["c", "p"], who=BEA, text="try this\n"),
    )
    assert len(series.posts) == 1


def test_the_numbers_disagree_on_the_total() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/3] s", "c", change=None), letter("[PATCH 1/2] one", "p1", "c"), letter("[PATCH 2/2] two", "p2", "c")
    )
    assert "mixed-total" in kinds(series)
    assert "missing" in kinds(series)


def test_one_more_than_there_are() -> None:
    (series,) = in_one_thread(
        letter("[PATCH 0/1] s", "c", change=None), letter("[PATCH 1/1] one", "p1", "c"), letter("[PATCH 2/1] more", "p2", "c")
    )
    assert kinds(series) == ["beyond"]
    assert len(series.posts) == 2


def test_a_missing_patch_keeps_the_series_from_being_used() -> None:
    (series,) = in_one_thread(letter("[PATCH 0/2] s", "c", change=None), letter("[PATCH 2/2] two", "p2", "c"))
    assert kinds(series) == ["missing"]
    assert "1/2" in series.notes[0].what
    assert not series.whole


def test_a_missing_cover() -> None:
    (series,) = in_one_thread(letter("[PATCH 1/2] one", "p1"), letter("[PATCH 2/2] two", "p2", "p1"))
    assert shape(series) == "v1 1,2/2"
    assert kinds(series) == ["no-cover"]


def test_a_naked_cover() -> None:
    (series,) = grouped(letter("[PATCH 0/2] s", "c", change=None))
    assert series.posts == ()
    assert kinds(series) == ["missing"]


def test_two_mails_with_one_message_id() -> None:
    (series,) = in_one_thread(letter("[PATCH 1/1] one", "p"), letter("[PATCH 1/1] one", "p", change="mm/a.c other"))
    assert len(series.posts) == 1
    assert kinds(series) == ["duplicate"]
    assert "one Message-ID" in series.notes[0].what


def test_no_message_id_at_all() -> None:
    found = grouped(letter("[PATCH] one"), letter("[PATCH] two", change="mm/b.c x"))
    assert sum(len(series.posts) for series in found) == 2


def test_reference_loops_end() -> None:
    found = in_one_thread(
        letter("[PATCH 1/2] one", "p1", "p2"),
        letter("[PATCH 2/2] two", "p2", "p1"),
        letter("Re: x", "r", "r"),
        letter("Re: y", "p3", ["r", "p1"]),
    )
    assert sum(len(series.posts) for series in found) == 2


def test_a_pull_request_is_no_patch() -> None:
    assert grouped(letter("[GIT PULL] things for 2.6.32", "g", change=None), letter("[GIT PULL 1/2] more", "h")) == []


def test_a_patch_whose_diff_was_lost_keeps_its_number() -> None:
    (series,) = in_one_thread(letter("[PATCH 1/2] one", "p1", change=None), letter("[PATCH 2/2] two", "p2", "p1"))
    assert [post.label.number for post in series.posts] == [1, 2]
    assert "empty" in kinds(series)


def test_the_latest_by_date_is_not_the_highest_revision() -> None:
    found = grouped(letter("[PATCH v2] one", "b", when=START), letter("[PATCH] one", "a", when=START + DAY))
    assert max(found, key=lambda series: series.version).identity == "b"


def test_dates_of_1970_and_2106_are_no_dates() -> None:
    one, two = grouped(letter("[PATCH] one", "a", when=5), letter("[PATCH] two", "b", when=4_291_747_199))
    assert (one.date, two.date) == (0, 0)

"""How revisions are linked, by which rule, and what people gave to which."""

from __future__ import annotations

import pytest

from backport.ingest.mail.lives import completed, latest, life
from backport.model.errors import InputError
from backport.model.mail import Lineage
from tests.ingest.mail.letters import BEA, DAY, START, archived, letter

LATER = START + 7 * DAY


def told(*mails: bytes, of: str) -> Lineage:
    """The life of a series."""
    with archived(mails) as archive:
        return life(archive, of)


FIRST = letter("[PATCH] mm: add the thing to it", "a")
RULES = {
    "change-id": (
        letter("[PATCH] mm: one", "a", text="change-id: 20090909-thing-1234\n"),
        letter("[PATCH v2] mm: quite another title", "b", who=BEA, when=LATER, text="change-id: 20090909-thing-1234\n"),
    ),
    "named in the text": (
        FIRST,
        letter("[PATCH v2] mm: put it there", "b", when=LATER, text="v1: https://lore.kernel.org/linux-mm/a@x/\n").replace(
            b"a@x", b"a"
        ),
    ),
    "same thread": (FIRST, letter("[PATCH v2] mm: add the thing to it", "b", "a", when=LATER, change="mm/a.c other")),
    "author and series title": (FIRST, letter("[PATCH v2] mm: add the thing to it", "b", when=LATER, change="mm/a.c other")),
    "author and a patch title": (
        letter("[PATCH 1/1] mm: add the thing to it", "a"),
        letter("[PATCH v2 0/1] the thing", "b", when=LATER, change=None),
        letter("[PATCH v2 1/1] mm: add the thing to it", "b1", "b", when=LATER, change="mm/z.c other"),
    ),
    "the same change": (FIRST, letter("[PATCH v2] mm: something else entirely", "b", when=LATER + 99 * DAY)),
    "a patch title": (FIRST, letter("[PATCH v2] mm: add the thing to it", "b", who=BEA, when=LATER, change="mm/z.c other")),
    "words of the title": (FIRST, letter("[PATCH v2] mm: add a thing to it", "b", who=BEA, when=LATER, change="mm/z.c other")),
    "author and a file": (FIRST, letter("[PATCH v2] mm: quite another title", "b", when=LATER, change="mm/a.c other")),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_that_linked_two_revisions_is_told(rule: str) -> None:
    mails = [
        mail.replace(b"/a/", b"/a@x/").replace(b"<a>", b"<a@x>") if rule == "named in the text" else mail for mail in RULES[rule]
    ]
    found = told(*mails, of="b")
    (link,) = found.links
    assert link.rule == rule
    assert (link.earlier.partition("@")[0], link.later) == ("a", "b")


def test_another_series_of_the_same_author_is_not_linked() -> None:
    found = told(FIRST, letter("[PATCH v2] net: unrelated work on a driver", "b", when=LATER, change="net/z.c other"), of="b")
    assert found.links == ()
    assert [each.identity for each in found.revisions] == ["b"]


def test_a_life_is_found_from_any_of_its_mails_and_goes_both_ways() -> None:
    mails = [
        letter(f"[PATCH v{n}] mm: add the thing to it", f"m{n}", when=START + n * DAY, change=f"mm/a.c {n}") for n in (1, 2, 3)
    ]
    for name in ("m1", "m2", "m3", "thing to it"):
        assert [str(each.version) for each in told(*mails, of=name).revisions] == ["v1", "v2", "v3"]


def test_the_archive_answers_the_same_mail_by_mail() -> None:
    mails = [
        letter(f"[PATCH v{n}] mm: add the thing to it", f"m{n}", when=START + n * DAY, change=f"mm/a.c {n}") for n in (1, 2, 3)
    ]
    assert told(*mails, of="m1").links == told(*reversed(mails), of="m1").links


def test_trailers_are_given_to_a_patch_or_to_the_series_and_mismatches_are_told() -> None:
    found = told(
        letter("[PATCH 0/2] s", "c", change=None),
        letter("[PATCH 1/2] one", "p1", "c"),
        letter("[PATCH 2/2] two", "p2", "c", change="mm/b.c x"),
        letter(
            "Re: [PATCH 1/2] one",
            "r1",
            ["c", "p1"],
            who=BEA,
            text="> Reviewed-by: Quoted <q@example.com>\nAcked-by: Bea Other <bea@example.org>\n",
            change=None,
        ),
        letter(
            "Re: [PATCH 1/2] one", "r2", ["c", "p1", "r1"], who=BEA, text="Tested-by: Bea O. <bea@work.example>\n", change=None
        ),
        letter("Re: [PATCH 0/2] s", "r3", "c", who=BEA, text="Reviewed-by: Bea Other <bea@example.org>\n", change=None),
        letter(
            "Re: [PATCH 2/2] two",
            "r4",
            ["c", "p2"],
            who=BEA,
            text="For the whole series:\nReviewed-by: Bea Other <bea@example.org>\n",
            change=None,
        ),
        of="c",
    )
    given = [(each.patch, each.trailer.key, bool(each.mismatch)) for each in found.given_to("c")]
    assert given == [("p1", "Acked-by", False), ("p1", "Tested-by", True), ("", "Reviewed-by", False)]
    assert "bea@work.example" in found.given_to("c")[1].mismatch


def test_trailers_carry_over_to_the_same_change_and_to_no_other() -> None:
    found = told(
        letter("[PATCH 1/2] one", "a1"),
        letter("[PATCH 2/2] two", "a2", "a1", change="mm/b.c x"),
        letter("Re: [PATCH 1/2] one", "r1", "a1", who=BEA, text="Acked-by: Bea Other <bea@example.org>\n", change=None),
        letter("Re: [PATCH 2/2] two", "r2", ["a1", "a2"], who=BEA, text="Acked-by: Bea Other <bea@example.org>\n", change=None),
        letter("[PATCH v2 1/2] one", "b1", when=LATER),
        letter("[PATCH v2 2/2] two", "b2", "b1", when=LATER, change="mm/b.c changed"),
        of="b1",
    )
    assert [(each.patch, each.carried) for each in found.given_to("b1")] == [("b1", "a1")]


def test_a_partial_reroll_is_filled_up_from_what_it_mends() -> None:
    found = told(
        letter("[PATCH 0/3] s", "c", change=None),
        *(letter(f"[PATCH {n}/3] p{n} of the thing", f"p{n}", "c", change=f"mm/{n}.c x") for n in (1, 2, 3)),
        letter("[PATCH v2 2/3] p2 of the thing", "q2", ["c", "p2"], when=LATER, change="mm/2.c y"),
        of="c",
    )
    revision = latest(found)
    posts, sources = completed(revision, found)
    assert [post.message_id for post in posts] == ["p1", "q2", "p3"]
    assert sources == ("c", "", "c")


def test_a_series_that_is_not_whole_is_not_taken_unless_named() -> None:
    found = told(letter("[PATCH 0/2] s", "c", change=None), letter("[PATCH 2/2] two", "p2", "c"), of="c")
    with pytest.raises(InputError, match="1 of 2 are not there"):
        latest(found)
    assert latest(found, "v1").identity == "c"


def series(version: str, *titles: str, when: int = START, number: int = 0) -> list[bytes]:
    """A posting of patches with these titles, each on a file of its own."""
    total = number or len(titles)
    return [
        letter(
            f"[PATCH {version}{place}/{total}] {title}",
            f"{when}-7-{place}-git-send-email-ann@example.com",
            when=when,
            change=f"mm/{file}.c {when}",
        )
        for place, (title, file) in enumerate((title.split(":") for title in titles), number or 1)
    ]


def test_a_patch_that_no_later_revision_has_is_dropped_once() -> None:
    first = series("", "the first one:a", "the second one:b", "a third thing:c")
    second = series("v2 ", "the first one:a", "the second one reworked:b", when=START + DAY)
    third = series("v3 ", "the first one:a", when=START + 2 * DAY)
    with archived([*first, *second, *third]) as archive:
        found = life(archive, "the first one")
    assert [str(each.version) for each in found.revisions] == ["v1", "v2", "v3"]
    one, two, three = (each.identity for each in found.revisions)
    assert [(each.title, each.last, each.since) for each in found.dropped] == [
        ("a third thing", one, two),
        ("the second one reworked", two, three),
    ]

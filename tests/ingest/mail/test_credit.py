"""Trailers of replies in the commits of a posted series; where they go is compared with git's own."""

from __future__ import annotations

import subprocess

import pytest

from backport.ingest.mail.credit import chosen, with_trailers
from backport.ingest.mail.lives import life
from tests.ingest.mail.letters import ANN, BEA, archived, letter

CY = "Cy Third <cy@example.net>"


def gathered(*replies: bytes, sloppy: bool = False, text: str = "text\n") -> tuple[list[tuple[str, ...]], list[str]]:
    """The lines for two patches, and what was left out, of a series with a cover and some replies."""
    mails = [
        letter("[PATCH 0/2] both", "0@x", change=None),
        letter("[PATCH 1/2] one", "1@x", "0@x", text=text),
        letter("[PATCH 2/2] two", "2@x", "0@x", change="mm/b.c new"),
    ]
    with archived([*mails, *replies]) as archive:
        found = life(archive, "0@x")
        revision = found.revisions[-1]
        lines, notes = chosen(found, revision, revision.posts, sloppy=sloppy)
        return lines, [note.what for note in notes]


def reply(to: str, identity: str, *trailers: str, who: str = BEA, subject: str = "Re: [PATCH 1/2] one", text: str = "") -> bytes:
    """A reply that gives trailers."""
    return letter(subject, identity, to, who=who, text=text + "\n".join(trailers) + "\n", change=None)


def test_in_the_order_of_the_mails_and_each_once() -> None:
    acked, reviewed, tested = f"Acked-by: {CY}", f"Reviewed-by: {BEA}", f"Tested-by: {BEA}"
    lines, notes = gathered(
        reply("1@x", "r1@x", acked, who=CY), reply("1@x", "r2@x", reviewed, tested), reply("1@x", "r3@x", reviewed.upper())
    )
    assert lines == [(acked, reviewed, tested), ()]
    assert notes == []


def test_what_the_whole_series_was_given_goes_into_every_patch_below_its_own() -> None:
    acked, reviewed = f"Acked-by: {CY}", f"Reviewed-by: {BEA}"
    lines, _ = gathered(
        reply("0@x", "r1@x", acked, who=CY, subject="Re: [PATCH 0/2] both"), reply("2@x", "r2@x", reviewed, subject="Re: two")
    )
    assert lines == [(acked,), (reviewed, acked)]


def test_what_the_patch_says_already_is_not_said_twice() -> None:
    lines, _ = gathered(
        reply("1@x", "r1@x", "Reviewed-by: Bea <bea@example.org>"), text=f"text\n\nReviewed-by: {BEA}\nSigned-off-by: {ANN}\n"
    )
    assert lines == [(), ()]


def test_a_trailer_of_somebody_else_is_left_out_and_told() -> None:
    given = reply("1@x", "r1@x", f"Reviewed-by: {CY}")
    lines, notes = gathered(given)
    assert lines == [(), ()]
    (note,) = notes
    assert "Cy Third" in note
    assert "is not the sender's bea@example.org" in note
    lines, notes = gathered(given, sloppy=True)
    assert (lines[0], notes) == ((f"Reviewed-by: {CY}",), [])


@pytest.mark.parametrize("value", ["Bea Other <bea@work.example.net>", "B. O. <bea@example.org>"])
def test_the_same_name_or_the_same_address_is_enough(value: str) -> None:
    lines, notes = gathered(reply("1@x", "r1@x", f"Reviewed-by: {value}"))
    assert (lines[0], notes) == ((f"Reviewed-by: {value}",), [])


def test_a_refusal_is_no_credit() -> None:
    lines, notes = gathered(reply("1@x", "r1@x", f"Nacked-by: {BEA}"), sloppy=True)
    assert lines == [(), ()]
    assert notes == [f"Nacked-by: {BEA} is left out: it refuses the patch"]


def test_quoted_trailers_and_anothers_sign_off_are_no_gifts() -> None:
    lines, notes = gathered(reply("1@x", "r1@x", f"> Reviewed-by: {CY}", f"Signed-off-by: {BEA}"))
    assert (lines, notes) == ([(), ()], [])


MESSAGES = {
    "trailers": b"mm: a\n\nwhy\n\nSigned-off-by: A <a@b>\n",
    "none": b"mm: a\n\nwhy\n",
    "only a subject": b"mm: a\n",
    "a subject like a trailer": b"mm: a\n",
    "a folded trailer": b'mm: a\n\nwhy\n\nFixes: 123456789012 ("a long\n title")\nSigned-off-by: A <a@b>\n',
    "a note between": b"mm: a\n\nwhy\n\nSigned-off-by: A <a@b>\n[akpm: fixed]\nSigned-off-by: B <b@b>\n",
    "a picked one": b"mm: a\n\nwhy\n\nSigned-off-by: A <a@b>\n(cherry picked from commit %040d)\n" % 7,
    "blank lines at the end": b"mm: a\n\nwhy\n\nSigned-off-by: A <a@b>\n\n\n",
    "a last paragraph with a colon": b"mm: a\n\nNote: this is\nno trailer at all\n",
}


@pytest.mark.parametrize("odd", MESSAGES)
def test_they_stand_where_git_puts_them(odd: str) -> None:
    command = ["git", "interpret-trailers", "--if-exists", "add", "--trailer", f"Acked-by: {BEA}"]
    expected = subprocess.run(command, input=MESSAGES[odd], capture_output=True, check=True).stdout
    assert with_trailers(MESSAGES[odd], [f"Acked-by: {BEA}".encode()]) == expected.rstrip(b"\n") + b"\n"

"""One hunk upstream, two places in the target: upstream had made one function of two copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.replay.policy import Policy
from backport.replay.rules.copies import copies
from tests.gitrepo import Repo, replayed
from tests.replay.rules.ask import ask, text

PATH = "drivers/net/card.c"
BODY = (
    b"\tspin_lock(&card->lock);\n\tcard->ring[card->head] = skb;\n\tcard->head = card->head + 1;\n"
    b"\twritel(card->head, card->doorbell);\n\tspin_unlock(&card->lock);\n"
)
FIXED = BODY.replace(b"card->head + 1;", b"(card->head + 1) % RING;")
START, RESUME = b"static void start_xmit(struct card *card)\n", b"static void resume(struct card *card)\n"
BETWEEN = b"".join(b"int card_reg_%d(struct card *card)\n{\n\treturn readl(card->base + %d);\n}\n\n" % (i, i) for i in range(3))


def function(head: bytes, body: bytes) -> bytes:
    return head + b"{\n\tstruct sk_buff *skb = next(card);\n\n" + body + b"}\n\n"


def split(one: bytes, two: bytes) -> bytes:
    """The target: the code in two functions."""
    return b"#define RING 64\n\n" + function(START, one) + BETWEEN + function(RESUME, two)


def joined(body: bytes) -> bytes:
    """Upstream: a function of its own, called in both."""
    helper = b"static void push(struct card *card, struct sk_buff *skb)\n{\n" + body + b"}\n\n"
    return (
        b"#define RING 64\n\n"
        + helper
        + function(START, b"\tpush(card, skb);\n")
        + BETWEEN
        + function(RESUME, b"\tpush(card, skb);\n")
    )


def test_every_copy_gets_the_change() -> None:
    found = ask(copies, joined(BODY), split(BODY, BODY), joined(FIXED))
    assert text(found) == split(FIXED, FIXED)
    assert found is not None
    assert not found.sure
    assert [(place.function, place.line) for place in found.evidence] == [("start_xmit", 9), ("resume", 35)]
    assert found.evidence[0].why == "the target has this in 2 functions, where upstream has it once, in push"


def test_each_copy_as_deep_as_it_is() -> None:
    deep = b"\tif (skb) {\n" + BODY.replace(b"\t", b"\t\t") + b"\t}\n"
    found = ask(copies, joined(BODY), split(BODY, deep), joined(FIXED))
    assert text(found) == split(FIXED, b"\tif (skb) {\n" + FIXED.replace(b"\t", b"\t\t") + b"\t}\n")


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (joined(BODY), split(BODY, b"\tstop(card);\n"), joined(FIXED)),
        (split(BODY, BODY), split(BODY, BODY) + BETWEEN, split(FIXED, BODY)),
        (joined(b"\tcard->head++;\n"), split(b"\tcard->head++;\n", b"\tcard->head++;\n"), joined(b"\tcard->tail++;\n")),
        (joined(BODY), split(BODY + BODY, b""), joined(FIXED)),
    ],
    ids=["only one", "upstream has two as well", "an idiom", "twice in one function"],
)
def test_what_is_no_copy(base: bytes, ours: bytes, theirs: bytes) -> None:
    assert ask(copies, base, ours, theirs) is None


def test_a_table_has_entries_and_no_copies() -> None:
    entry = b'\t{ "a",\n\t  FLAG_ONE | FLAG_TWO,\n\t  FLAG_THREE | FLAG_FOUR,\n\t  NULL, NULL, NULL },\n'
    base, ours = (b"static struct quirk quirks[] = {\n" + entry * n + b"};\n" for n in (1, 2))
    assert ask(copies, base, ours, base.replace(b"FLAG_TWO", b"FLAG_TEN")) is None


def test_a_suggestion_and_never_more(repo: Repo, tmp_path: Path) -> None:
    before = repo.commit({PATH.encode(): split(BODY, BODY)}, b"release\n")
    upstream = repo.on(before, {PATH.encode(): joined(BODY)}, b"card: one function for both\n")
    patch = repo.on(upstream, {PATH.encode(): joined(FIXED)}, b"card: wrap around\n")
    with replayed(repo, [patch], before, tmp_path / "store", before, policy=Policy()) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict in ("conflict", "suspect")
        (told,) = [suggestion for suggestion in outcome.suggestions if suggestion.rules == ("copies",)]
        assert session.git("cat-file", "blob", f"{told.tree}:{PATH}") == split(FIXED, FIXED)


def test_a_merge_into_one_of_two_copies_is_refused_and_both_are_suggested(repo: Repo, tmp_path: Path) -> None:
    """The target's own second copy is further down: the merge is clean, and lands in the first alone."""
    before = repo.commit({PATH.encode(): split(BODY, b"\tpush(card);\n")}, b"release\n")
    target = repo.on(before, {PATH.encode(): split(BODY, BODY)}, b"target\n")
    patch = repo.on(before, {PATH.encode(): split(FIXED, b"\tpush(card);\n")}, b"card: wrap around\n")
    with replayed(repo, [patch], target, tmp_path / "store", before, policy=Policy()) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "suspect"
        assert [suggestion.rules for suggestion in outcome.suggestions] == [("copies",), ("3-way",)]
        assert session.git("cat-file", "blob", f"{outcome.suggestions[0].tree}:{PATH}") == split(FIXED, FIXED)

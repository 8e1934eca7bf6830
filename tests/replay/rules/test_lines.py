"""Lines laid over one another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backport.replay.rules.lines import Hunk, hunks, matched, slides

texts = st.lists(st.sampled_from([b"a", b"b", b"c", b"}", b""]), max_size=25)


@given(texts, texts)
def test_hunks_make_the_one_of_the_other(old: list[bytes], new: list[bytes]) -> None:
    made, at = [], 0
    for hunk in hunks(old, new):
        made += old[at : hunk.a] + new[hunk.c : hunk.d]
        at = hunk.b
    assert made + old[at:] == new


@given(texts, texts)
def test_slides_are_the_same_change(old: list[bytes], new: list[bytes]) -> None:
    for hunk in hunks(old, new):
        outside = [h for h in hunks(old, new) if h != hunk]
        for slid in slides(old, new, hunk):
            if all(h.b < slid.a or slid.b < h.a for h in outside):
                first = old[: hunk.a] + new[hunk.c : hunk.d] + old[hunk.b :]
                assert old[: slid.a] + new[slid.c : slid.d] + old[slid.b :] == first


def test_a_line_that_is_there_once_is_matched_over_one_that_repeats() -> None:
    old = [b"}", b"", b"only", b"}", b""]
    new = [b"}", b"", b"more", b"}", b"", b"only", b"}", b""]
    there = {run.a + i: run.b + i for run in matched(old, new) for i in range(run.size)}
    assert there[2] == 5


def test_an_insertion_next_to_equal_lines_has_several_edges() -> None:
    old, new = [b"a", b"x", b"b"], [b"a", b"x", b"y", b"x", b"b"]
    assert set(slides(old, new, Hunk(2, 2, 2, 4))) == {Hunk(2, 2, 2, 4), Hunk(1, 1, 1, 3)}

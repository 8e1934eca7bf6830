"""Where lines stand in a text, against looking at every line of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backport.git.merge import rows
from backport.replay.guard.place import places, squeezed

LINES = st.sampled_from([b"", b"\t", b"a = b;", b"\ta  =\tb;", b"a = bb;", b"if (a)", b"  if (a)\r", b"xa = b;"])


@given(st.lists(LINES, max_size=12), st.lists(LINES, min_size=1, max_size=3), st.booleans())
def test_places_are_all_that_comparing_every_line_finds(lines: list[bytes], wanted: list[bytes], ended: bool) -> None:
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    block = [squeezed(line) for line in wanted]
    keys = [squeezed(row) for row in rows(text)]
    if any(block):
        assert places(text, block) == [at for at in range(len(keys)) if keys[at : at + len(block)] == block]


def test_the_same_line_a_thousand_times_is_found_a_thousand_times() -> None:
    assert places(b"\tsame(x);\n" * 1000, [b"same(x);"]) == list(range(1000))

"""Lines that end in LF alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backport.csource.tokens import Lines
from backport.git.merge import rows

TEXTS = st.binary(max_size=40).map(lambda raw: raw.translate(bytes(b"\n\r\fab\v\x85\0"[byte % 8] for byte in range(256))))


@given(TEXTS)
def test_lines_are_cut_at_lf_alone_and_begin_where_the_last_one_ended(text: bytes) -> None:
    plain = text.split(b"\n")
    assert rows(text) == [row + b"\n" for row in plain[:-1]] + ([plain[-1]] if plain[-1] else [])
    lines = Lines(text)
    assert [text[lines.start(n) : lines.end(n)].rstrip(b"\n") for n in range(1, len(plain) + 1)] == plain

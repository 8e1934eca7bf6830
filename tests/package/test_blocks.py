"""Blocks of ours in any file: found again, and taken out without a trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backport.model.errors import InputError
from backport.package import blocks

EOL = st.sampled_from([b"\n", b"\r\n"])
LINE = st.one_of(
    st.sampled_from(
        [b"", b"Patch1: a.patch", b"%if 1", b"# begin backport", b"# end backport", b"# begin backport x", b"  ", b"#"]
    ),
    st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"")),
)


@given(st.lists(LINE, max_size=8), st.lists(LINE, max_size=5), st.integers(0, 8), st.booleans(), EOL, st.booleans())
def test_what_was_put_in_comes_out_without_a_trace(
    text: list[bytes], ours: list[bytes], place: int, blank: bool, eol: bytes, ended: bool
) -> None:
    lines = [line + eol for line in text]
    before, after = b"".join(lines[:place]), b"".join(lines[place:])
    after = after if ended else after.removesuffix(eol)
    data = before + blocks.make("ksm", ours, eol, blank=blank) + after
    (block,) = blocks.find(data, "spec")
    assert (block.series, block.lines, block.intact) == ("ksm", tuple(ours), True)
    assert blocks.without(data, "ksm", "spec") == before + after
    assert blocks.without(data, "other", "spec") == data


@given(st.lists(LINE, min_size=1, max_size=5), st.data())
def test_a_line_that_a_person_changed_is_noticed(ours: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(ours) - 1))
    other = data.draw(LINE.filter(lambda line: line != ours[place]))
    block = blocks.make("ksm", ours).split(b"\n")
    block[1 + place] = other
    with pytest.raises(InputError, match="changed by hand"):
        blocks.without(b"\n".join(block), "ksm", "spec")


@pytest.mark.parametrize(
    "data",
    [
        b"# begin backport ksm 01234567\nx\n",
        b"# begin backport ksm 01234567\nx\n# end backport other\n",
        blocks.make("a", [b"x"]).replace(b"x\n", b"x\n" + blocks.make("b", [b"y"])),
    ],
)
def test_blocks_that_do_not_end_or_are_nested_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="begin here and do not end"):
        blocks.find(data, "spec")


@pytest.mark.parametrize("series", ["", "a b", "a\nb", "%x", "-a", "x" * 65])
def test_a_series_must_have_a_plain_name(series: str) -> None:
    with pytest.raises(InputError):
        blocks.make(series, [b"x"])

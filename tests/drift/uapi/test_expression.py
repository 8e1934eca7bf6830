"""Integer expressions: what they come to, and that nothing hostile gets further than UnknownError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backport.drift.uapi.expression import Names, UnknownError, evaluate

VALUES = {
    b"12": 12, b"0x80000000": 1 << 31, b"017": 15, b"(1 << 4) | 3": 19, b"~0U": 0xFFFFFFFF, b"-1": -1, b"~0": -1, b"'k'": 107,
    b"'\\n'": 10, b"1 ? 2 : 3": 2, b"0 ? UNKNOWN : 3": 3, b"0 && UNKNOWN": 0, b"UNKNOWN || 1": 1, b"(u32)5 + 1": 6, b"-7 / 2": -3,
    b"-7 % 2": -1, b"1ULL << 40": 1 << 40, b"2 + 3 * 4": 14, b"(2 + 3) * 4": 20, b"!3": 0, b"5 > 3 == 1": 1,
    b"(X + 1) && 0": 0,
    b"1 + X && 0": 0,
    b"X + 1 || 3 < 4": 1, b"1 << 2 + 1": 8, b"10 - 4 - 3": 3, b"6 / 2 * 3": 9, b"1 | 2 ^ 2 & 3": 1,
}  # fmt: skip
UNKNOWN = [
    b"", b"X", b"1 +", b"(1", b"1 / 0", b"1 % 0", b"1 << 4096", b"1 << -1", b'"text"',
    b"sizeof(struct x)", b"1.5", b"{ 1 }", b"((((",
    b"9" * 5000, b"089", b"f(1)",
    b"(" * 3000 + b"1" + b")" * 3000, b"(" * 100 + b"1" + b")" * 100, b"-" * 5000 + b"1", b"1 ? 2", b"1 2",
    b"X && 1", b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_values(text: bytes) -> None:
    assert evaluate(text, Names()).value == VALUES[text]


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_known_is_said_to_be_so(text: bytes) -> None:
    with pytest.raises(UnknownError):
        evaluate(text, Names())


@given(
    st.lists(
        st.sampled_from([b"1", b"0x7fffffff", b"(", b")", b"<<", b"*", b"-", b"~", b"?", b":", b"&&", b"A", b",", b"/", b"'a'"])
    )
)
def test_never_anything_but_unknown(parts: list[bytes]) -> None:
    try:
        found = evaluate(b" ".join(parts), Names())
    except UnknownError:
        return
    assert abs(found.value) <= 1 << 80

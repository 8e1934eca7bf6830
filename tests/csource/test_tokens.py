"""Words with true offsets, whatever the bytes around them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backport.csource.tokens import KEYWORDS, Lines, blank, blank_comments, directives, mentioned, words

PIECES = [
    b"a",
    b"/*",
    b"*/",
    b"//",
    b'"',
    b"'",
    b"\\",
    b"\n",
    b"\r\n",
    b"\f",
    b"#",
    b"include",
    b"<",
    b">",
    b" ",
    b"\xe9",
    b"0x1f",
    b"{",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
def test_blanking_keeps_every_offset_and_line(text: bytes) -> None:
    for plain in (blank(text), blank_comments(text)):
        assert len(plain) == len(text)
        assert [i for i, b in enumerate(plain) if b == 10] == [i for i, b in enumerate(text) if b == 10]
    lines = Lines(text)
    for word, offset in words(blank(text)):
        assert text[offset : offset + len(word)] == word
        assert text[:offset].count(b"\n") + 1 == lines.line(offset)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b'a("b c"); /* d\ne */ f // g\\\nh\ni', [b"a", b"f", b"i"]),
        (b'#include <linux/mm.h>\n#include "own.h"\nx', [b"include", b"include", b"x"]),
        (b"y = 0x1fUL + 1e-3f + z;", [b"y", b"z"]),
        (b"#error don't\nw = 'v' + '\\n' + L'\\x41';", [b"error", b"don", b"t", b"w", b"L"]),
        (b'u = "unterminated\nt', [b"u", b"t"]),
        (b"s /* to the end", [b"s"]),
        (b"\xe9t\xe9 r\r\nq\f p", [b"t", b"r", b"q", b"p"]),
        (b'"a\\\nb" o', [b"o"]),
    ],
)
def test_comments_literals_and_include_paths_hold_no_words(text: bytes, names: list[bytes]) -> None:
    assert [word for word, _ in words(blank(text)) if word not in KEYWORDS] == names


@pytest.mark.parametrize("piece", [b"/*", b'"', b"'", b"(", b"a", b"\\", b"#", b"/* */", b"// \\\n", b"'''", b"/", b"{"])
def test_time_is_linear_in_a_megabyte_line(piece: bytes) -> None:
    begun = time.monotonic()
    blank(piece * (2_000_000 // len(piece)))
    assert time.monotonic() - begun < 5


def test_keywords_are_not_mentioned() -> None:
    assert mentioned(b"int foo(struct bar *x) { return sizeof(x); }") == {b"foo", b"bar", b"x"}


def test_a_directive_goes_on_over_continuation_lines() -> None:
    found = directives(blank(b"#define A(x) \\\n\tb(x) \\\r\n\tc\n # if defined(D) // no\nint e;\n"))
    assert [(d.word, d.rest.count(b"\n")) for d in found] == [(b"define", 2), (b"if", 0)]
    assert found[1].rest.strip() == b"defined(D)"

"""Characters that a reader does not see, in every place where a patch can bring one."""

from __future__ import annotations

import unicodedata

import pytest

from backport.ingest.mail.diff import read_diff
from backport.ingest.mail.hidden import find_hidden
from tests.ingest.mail.letters import diff

CLASSES = {
    "zero width space": 0x200B,
    "zero width non-joiner": 0x200C,
    "zero width joiner": 0x200D,
    "left-to-right mark": 0x200E,
    "right-to-left mark": 0x200F,
    "left-to-right embedding": 0x202A,
    "pop directional formatting": 0x202C,
    "left-to-right override": 0x202D,
    "right-to-left override": 0x202E,
    "word joiner": 0x2060,
    "invisible separator": 0x2063,
    "left-to-right isolate": 0x2066,
    "right-to-left isolate": 0x2067,
    "first strong isolate": 0x2068,
    "pop directional isolate": 0x2069,
    "nominal digit shapes": 0x206F,
    "arabic letter mark": 0x061C,
    "mongolian vowel separator": 0x180E,
    "hangul filler": 0x3164,
    "halfwidth hangul filler": 0xFFA0,
    "combining grapheme joiner": 0x034F,
    "soft hyphen": 0x00AD,
    "byte order mark": 0xFEFF,
    "variation selector": 0xFE0F,
    "tag letter": 0xE0061,
    "variation selector supplement": 0xE0100,
}
PLACES = {
    "code": ("mm/a.c", "if (a{} == b)"),
    "a comment": ("mm/a.c", "/* begin {} admins only */ if (x)"),
    "a string": ("mm/a.c", 'pr_info("user{}");'),
    "documentation": ("Documentation/vm/ksm.rst", "Say{} so."),
    "the first column": ("mm/a.c", "{}int x;"),
    "a file name": ("mm/a{}.c", "new"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CLASSES)
def test_each_is_found_in_each_place(name: str, place: str) -> None:
    char = chr(CLASSES[name])
    path, line = (part.format(char) for part in PLACES[place])
    found = find_hidden(read_diff(diff(path, line).encode()))
    assert found is not None
    assert found.code == f"U+{CLASSES[name]:04X}"
    assert found.path == (place == "a file name")


def test_every_character_that_unicode_calls_bidirectional_control_or_of_no_width() -> None:
    """Asked of Python's own tables: format characters (Cf) but those that show themselves, as the Arabic number signs do."""
    shown = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0xFFF9, 0xFFFC)}
    drawn = {*range(0x13430, 0x13460), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)}  # hieroglyphs, shorthand, music
    missed = [
        f"U+{code:04X}"
        for code in range(0x110000)
        if unicodedata.category(chr(code)) == "Cf" and code not in shown | drawn
        if find_hidden(read_diff(diff(line=f"a{chr(code)}b").encode())) is None
    ]
    assert missed == []


@pytest.mark.parametrize("line", ["ordinary", "na\u00efve \u20ac \u4e2d\u6587 \u05d0\u05d1", "\t\ta", "\ufffd"])
def test_what_shows_itself_is_no_secret(line: str) -> None:
    assert find_hidden(read_diff(diff(line=line).encode())) is None


@pytest.mark.parametrize("raw", [b"caf\xe9 \xe2\x80", b"\xf3\xa0", b"\xff\xfe"])
def test_bytes_that_are_no_text(raw: bytes) -> None:
    assert find_hidden(read_diff(diff(line="x").encode().replace(b"+x", b"+" + raw))) is None


def test_what_is_taken_away_or_stood_there_before_is_not_the_patchs() -> None:
    raw = diff(line="new").encode().replace(b"-old", "-ol\u202ed".encode())
    assert find_hidden(read_diff(raw)) is None

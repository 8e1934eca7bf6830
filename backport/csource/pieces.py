"""Cuts a C file where its outermost level is empty-handed, so that what two versions share is read and kept once.

A file that changes from one version to the next changes in a few functions: of the 172 MB of the blobs that v2.6.32 has and
v2.6.31 has not, 75 MB are in pieces that are new. The cuts follow from the text alone, never from an older version.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_LEAST = 1000  # bytes of a piece: half of the functions are shorter, and a piece costs a row of its own
_WHITE = b" \t\n\r\f\v"


class Piece(NamedTuple):
    """Bytes start..end of a file, the number of lines before them, and a digest of them."""

    start: int
    end: int
    before: int
    digest: bytes


def cut(text: bytes) -> list[Piece]:
    """The pieces of a file, in order and without gaps; one that is empty has none.

    A cut is made at an empty line where braces and comments are closed, as far as counting shows: a brace in a literal or two
    branches of an #if that open one each may deceive it. Whether a piece can stand for itself is for `outline` to say
    (`closed`): what is cut wrongly is then read whole.
    """
    found: list[Piece] = []
    start = before = 0
    at = text.find(b"\n\n", _LEAST)
    while at >= 0:
        end = at + 1
        if _between(text, at) and _settled(text, start, end):
            found.append(Piece(start, end, before, _digest(text[start:end])))
            before += text.count(b"\n", start, end)
            start, end = end, end + _LEAST
        at = text.find(b"\n\n", end)
    if start < len(text):
        found.append(Piece(start, len(text), before, _digest(text[start:])))
    return found


def _between(text: bytes, at: int) -> bool:
    """Whether the empty line behind the newline at `at` may be between two constructs: what follows begins in column one."""
    following = text[at + 2 : at + 9]
    return following[:1] not in _WHITE and (text[at - 1 : at] in (b"}", b";") or following == b"#define")


def _settled(text: bytes, start: int, end: int) -> bool:
    if text.count(b"{", start, end) != text.count(b"}", start, end):
        return False
    opened = text.rfind(b"/*", start, end)
    return opened < 0 or text.rfind(b"*/", start, end) > opened + 1


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()

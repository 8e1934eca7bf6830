"""Cuts a C file where its outermost level is empty-handed, so that what two versions share is read and kept once.

A file that changes from one version to the next changes in a few functions: of the 172 MB of the blobs that v2.6.32 has and
v2.6.31 has not, 75 MB are in pieces that are new. The cuts follow from the text alone, never from an older version.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

_LEAST = 1000  # bytes of a piece: half of the functions are shorter, and a piece costs a row of its own
# An empty line that may be between two constructs: what follows it begins in column one.
_BETWEEN = re.compile(rb"\n\n(?=[^ \t\n\r\f\v])(?:(?<=[};]\n\n)|(?=#define))")


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
    at = _LEAST
    while match := _BETWEEN.search(text, at):
        at = end = match.start() + 1
        if _settled(text, start, end):
            found.append(Piece(start, end, before, _digest(text[start:end])))
            before += text.count(b"\n", start, end)
            start, at = end, end + _LEAST
    if start < len(text):
        found.append(Piece(start, len(text), before, _digest(text[start:])))
    return found


def _settled(text: bytes, start: int, end: int) -> bool:
    if text.count(b"{", start, end) != text.count(b"}", start, end):
        return False
    opened = text.rfind(b"/*", start, end)
    return opened < 0 or text.rfind(b"*/", start, end) > opened + 1


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()

"""Text from outside, made fit to look at: a subject, a path or a line of code must not steer a terminal or a reader.

Every character that does not show itself (control characters, escape sequences, bidirectional overrides, zero-width
characters, lone surrogates) is written as a backslash escape. A backslash of the text stays as it is: what comes out
is for reading and cannot be turned back; the lossless form is in report.json.
"""

from __future__ import annotations

# Printable by their Unicode category, and yet nothing is to be seen.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
TAB = 8
LONGEST = 2000


def line(text: str | bytes) -> str:
    r"""One line that shows every character it has; a byte that is not UTF-8 shows as `\xff`, a newline as `\n`."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def excerpt(text: bytes, limit: int) -> tuple[list[str], int]:
    """The first `limit` lines of a file region, tabs expanded, and how many lines were left out.

    Only the lines that are kept are looked at, and of each only its beginning: a region may be a whole generated file.
    """
    if not text:
        return [], 0
    body = text[:-1] if text.endswith(b"\n") else text
    kept = body.split(b"\n", limit)[:limit]
    return [line(_expand(_clip(raw))) for raw in kept], body.count(b"\n") + 1 - len(kept)


def _clip(raw: bytes) -> str:
    shown = raw[:LONGEST].decode("utf-8", "backslashreplace")
    return shown if len(raw) <= LONGEST else shown + "…"


def _expand(text: str) -> str:
    return text.expandtabs(TAB) if "\t" in text else text


def _visible(char: str) -> str:
    if char.isprintable() and char not in INVISIBLE:
        return char
    if char.isspace() and char not in "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "
    return char.encode("unicode_escape").decode("ascii")

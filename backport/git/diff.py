"""Reads git's own textual diffs, counting lines as the hunk headers say, so that no content can pass for structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PAIR = re.compile(rb"[0-9a-f]{40} [0-9a-f]{40}")
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_NAMED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}


def added(out: bytes) -> Iterator[tuple[bytes, dict[bytes, list[tuple[int, bytes]]]]]:
    """Each pair of `diff-tree --stdin -p -U0` ("<tree> <tree>") with the lines it adds: by new path, with their number."""
    rows = iter(out.split(b"\n"))
    pair, path = b"", b""
    files: dict[bytes, list[tuple[int, bytes]]] = {}
    for row in rows:
        if _PAIR.fullmatch(row):
            if pair:
                yield pair, files
            pair, files = row, {}
        elif row.startswith(b"+++ "):
            path = unquote(row[4:].removesuffix(b"\t"))[2:]
        elif hunk := _HUNK.match(row):
            removed, first, count = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
            lines = files.setdefault(path, [])
            for _ in range(removed):
                next(rows)
            lines.extend((first + i, row[1:]) for i, row in zip(range(count), _content(rows), strict=False))
    if pair:
        yield pair, files


def _content(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Hunk lines; git's note about a missing newline at the end of the old file stands between them and is no line."""
    return (row for row in rows if not row.startswith(b"\\"))


def unquote(name: bytes) -> bytes:
    """A path as git prints it: C-quoted in `"..."` where it holds odd bytes (quote.c), else as it is."""
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPE.sub(lambda m: _NAMED.get(m[1]) or bytes([int(m[1], 8)]), name[1:-1])

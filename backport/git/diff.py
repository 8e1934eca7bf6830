"""Reads git's own textual diffs, counting lines as the hunk headers say, so that no content can pass for structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_PAIR = re.compile(rb"[0-9a-f]{40} [0-9a-f]{40}")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_NAMED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place where two files differ: the lines that went at `old_line` and those that came at `new_line` (both 1-based)."""

    path: bytes
    old_line: int
    removed: tuple[bytes, ...]
    new_line: int
    added: tuple[bytes, ...]


def hunks(out: bytes) -> Iterator[tuple[bytes, list[Hunk]]]:
    """Each pair of `diff-tree --stdin -p -U0` ("<tree> <tree>") with its hunks, by new path (the old where the file went)."""
    rows = iter(out.split(b"\n"))
    pair, path = b"", b""
    found: list[Hunk] = []
    for row in rows:
        if _PAIR.fullmatch(row):
            if pair:
                yield pair, found
            pair, found = row, []
        elif row.startswith((b"--- ", b"+++ ")):
            name = unquote(row[4:].removesuffix(b"\t"))
            path = name[2:] if name != b"/dev/null" else path
        elif hunk := _HUNK.match(row):
            lines = _content(rows)
            removed = tuple(_take(lines, int(hunk[2] or 1)))
            found.append(Hunk(path, int(hunk[1]), removed, int(hunk[3]), tuple(_take(lines, int(hunk[4] or 1)))))
    if pair:
        yield pair, found


def added(out: bytes) -> Iterator[tuple[bytes, dict[bytes, list[tuple[int, bytes]]]]]:
    """Each pair of `diff-tree --stdin -p -U0` with the lines it adds: by new path, with their number."""
    for pair, found in hunks(out):
        files: dict[bytes, list[tuple[int, bytes]]] = {}
        for hunk in found:
            files.setdefault(hunk.path, []).extend(enumerate(hunk.added, hunk.new_line))
        yield pair, files


def _content(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Hunk lines; git's note about a missing newline at the end of the old file stands between them and is no line."""
    return (row for row in rows if not row.startswith(b"\\"))


def _take(lines: Iterator[bytes], count: int) -> Iterator[bytes]:
    return (line[1:] for line in islice(lines, count))


def unquote(name: bytes) -> bytes:
    """A path as git prints it: C-quoted in `"..."` where it holds odd bytes (quote.c), else as it is."""
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPE.sub(lambda m: _NAMED.get(m[1]) or bytes([int(m[1], 8)]), name[1:-1])

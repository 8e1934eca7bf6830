"""Conflict markers: written so that each side says what it is, found again where somebody left one behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backport.git.merge import Piece, Region, rows
from backport.model.series import Patch

_LEAST = 7  # git's own size, which editors and `git diff --check` know


@dataclass(frozen=True, slots=True)
class Labels:
    """What the three sides are called behind their markers."""

    ours: bytes
    base: bytes
    theirs: bytes


def labels(onto: str, patch: Patch) -> Labels:
    """`target v2.6.31`, `upstream before 3da0dd433dc3`, `3da0dd433dc3 KVM: add support ...`."""
    names = (f"target {onto}", f"upstream before {patch.short}", f"{patch.short} {patch.subject}")
    return Labels(*(" ".join(name.split())[:100].encode() for name in names))


def size_for(texts: Sequence[bytes]) -> int:
    """A marker size that no line of the texts could be taken for: kernel documentation underlines its titles with `=======`."""
    size = _LEAST
    while any(_marker(row, size) for text in texts for row in rows(text)):
        size += 2
    return size


def marked(pieces: Sequence[Piece], names: Labels, size: int) -> bytes:
    """The merged text in diff3 style; markers end as the line before or behind them does, so that a CRLF file stays one."""
    end = b"\r\n" if any(b"\r\n" in (p if isinstance(p, bytes) else p.ours + p.theirs) for p in pieces) else b"\n"
    out: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, Region):
            out += [b"<" * size + b" " + names.ours + end, piece.ours, b"|" * size + b" " + names.base + end, piece.base]
            out += [b"=" * size + end, piece.theirs, b">" * size + b" " + names.theirs + end]
        else:
            out.append(piece)
    return b"".join(out)


def left_over(text: bytes, size: int) -> list[int]:
    """The lines (1-based) that are markers."""
    return [number for number, row in enumerate(rows(text), 1) if _marker(row, size)]


def _marker(row: bytes, size: int) -> bool:
    bare = row.rstrip(b"\r\n")
    run = bare[:size]
    return run in (b"<" * size, b"|" * size, b"=" * size, b">" * size) and bare[size : size + 1] in (b"", b" ")

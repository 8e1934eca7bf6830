"""What the index keeps of a piece of a file, as plain tuples: quick to send from a helper process and to put into a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backport.csource.outline import Include, Outline, outline

KINDS = (
    "function", "prototype", "macro", "struct", "union", "enum", "typedef", "constant", "member", "variable", "extern", "made",
    "forward",
)  # fmt: skip
KIND = {kind: number for number, kind in enumerate(KINDS)}

Row = tuple[bytes, int, int, int, bytes]
"""Name, number of the kind, first line, how many lines follow, signature."""
Job = tuple[bytes, tuple[tuple[int, int], ...]]
"""A text, and where those of its pieces are that are asked about; none: it is read whole."""


class Rows(NamedTuple):
    """The #include lines, packed; the declarations. Lines are those of the piece."""

    includes: bytes
    declares: list[Row]


def rows_of(job: Job) -> list[Rows] | Rows:
    """Outline some pieces of a file; where one of them cannot stand for itself, or none is asked about, all of the file."""
    text, spans = job
    found: list[Rows] = []
    for start, end in spans:
        piece = outline.__wrapped__(text[start:end])  # a file of a tree is read once: nothing is gained by keeping it
        if not piece.closed:
            break
        found.append(_rows(piece))
    return found if spans and len(found) == len(spans) else _rows(outline.__wrapped__(text))


def rows_of_all(jobs: Sequence[Job]) -> list[list[Rows] | Rows]:
    """The same for a batch: what one task of a helper process does."""
    return [rows_of(job) for job in jobs]


def _rows(found: Outline) -> Rows:
    declares = [(d.name, KIND[d.kind], d.line, d.end - d.line, d.signature) for d in found.declarations]
    return Rows(pack_includes(found.includes), declares)


def pack_includes(found: Sequence[Include]) -> bytes:
    """One include a line: `<path`, `"path` or `?text`, and the line number behind a tab."""
    return b"\n".join(
        b"%c%s\t%d" % (0x3F if i.computed else 0x3C if i.system else 0x22, i.path.replace(b"\t", b" "), i.line) for i in found
    )


def unpack_includes(packed: bytes, before: int = 0) -> Iterator[Include]:
    """The includes again, of a piece that has some lines before it."""
    for entry in packed.split(b"\n") if packed else ():
        path, _, line = entry[1:].rpartition(b"\t")
        yield Include(path, entry[:1] == b"<", int(line) + before, entry[:1] == b"?")

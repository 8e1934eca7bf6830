"""What the index keeps of a blob, as plain tuples: quick to send from a helper process and to put into a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backport.csource.outline import Include, outline

KINDS = (
    "function", "prototype", "macro", "struct", "union", "enum", "typedef", "constant", "member", "variable", "extern", "made",
    "forward",
)  # fmt: skip
KIND = {kind: number for number, kind in enumerate(KINDS)}

Row = tuple[bytes, int, int, int, bytes]
"""Name, number of the kind, first line, how many lines follow, signature."""


class Rows(NamedTuple):
    """The #include lines, packed; whether the braces close; the declarations."""

    includes: bytes
    balanced: bool
    declares: list[Row]


def rows_of(text: bytes) -> Rows:
    """Outline a file."""
    found = outline.__wrapped__(text)  # a file of a tree is read once: nothing is gained by keeping it
    declares = [(d.name, KIND[d.kind], d.line, d.end - d.line, d.signature) for d in found.declarations]
    return Rows(pack_includes(found.includes), found.balanced, declares)


def rows_of_all(texts: Sequence[bytes]) -> list[Rows]:
    """The same for a batch: what one task of a helper process does."""
    return [rows_of(text) for text in texts]


def pack_includes(found: Sequence[Include]) -> bytes:
    """One include a line: `<path`, `"path` or `?text`, and the line number behind a tab."""
    return b"\n".join(
        b"%c%s\t%d" % (0x3F if i.computed else 0x3C if i.system else 0x22, i.path.replace(b"\t", b" "), i.line) for i in found
    )


def unpack_includes(packed: bytes) -> Iterator[Include]:
    """The includes again."""
    for entry in packed.split(b"\n") if packed else ():
        path, _, line = entry[1:].rpartition(b"\t")
        yield Include(path, entry[:1] == b"<", int(line), entry[:1] == b"?")

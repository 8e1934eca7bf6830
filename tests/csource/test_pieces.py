"""Files cut into pieces: what the pieces say is what the file says, and a piece that cannot stand for itself is noticed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from backport.csource.index import Index
from backport.csource.outline import outline
from backport.csource.pieces import cut
from backport.csource.reading import Reader
from backport.csource.rows import Rows, rows_of
from tests.csource.trees import empty_store

PAD = b"\t/* " + b"x" * 1100 + b" */\n"


def function(name: bytes) -> bytes:
    return b"int " + name + b"(int a)\n{\n" + PAD + b"\treturn a;\n}\n\n"


FILE = b"#include <linux/mm.h>\n\n" + function(b"one") + function(b"two") + b"#define THREE 3\n\n" + function(b"four")


def declared(text: bytes) -> list[tuple[bytes, int]] | None:
    """Names and lines by the pieces; None where the file was read whole."""
    pieces = cut(text)
    found = rows_of((text, tuple((piece.start, piece.end) for piece in pieces)))
    if isinstance(found, Rows):
        return None
    return [(row[0], piece.before + row[2]) for piece, rows in zip(pieces, found, strict=True) for row in rows.declares]


def test_the_pieces_say_what_the_file_says() -> None:
    assert len(cut(FILE)) == 3
    assert b"".join(FILE[piece.start : piece.end] for piece in cut(FILE)) == FILE
    assert declared(FILE) == [(d.name, d.line) for d in outline(FILE).declarations]


def test_a_change_leaves_the_other_pieces_as_they_were() -> None:
    changed = FILE.replace(b"two(int a)", b"two(int a, int b)")
    kept = {piece.digest for piece in cut(FILE)} & {piece.digest for piece in cut(changed)}
    assert len(kept) == 2


@pytest.mark.parametrize(
    "odd",
    [
        b"#ifdef A\nint f(void) {\n#else\nint f(int a) {\n#endif\n" + PAD + b"}\n\nint g(void) { return 0; }\n\n",
        b"/* a comment\n" + PAD.replace(b"/*", b"").replace(b"*/", b"") + b"}\n\nint no(void);\n*/\nint yes(void);\n\n",
        b'char *brace = "{";\n' + PAD + b"\nint later(void);\n\n",
        b"int f(void)\n{\n#ifdef A\n" + PAD + b"}\n\n#define X 1\n#else\n\tg();\n}\n#endif\nint h(void);\n\n",
        b"struct s {\n" + PAD + b"}\n\nname;\n\n",
    ],
    ids=[
        "branches that both open",
        "a comment over a cut",
        "a brace in a string",
        "a function that two branches close",
        "a late name",
    ],
)
def test_what_may_deceive_the_cut_is_read_whole_or_right(odd: bytes) -> None:
    text = FILE + odd + function(b"last")
    assert declared(text) in (None, [(d.name, d.line) for d in outline(text).declarations])


def test_a_piece_that_ends_inside_of_something_is_noticed() -> None:
    text = b"struct s {\n" + PAD + b"}\n\nname;\n\n" + function(b"last")
    assert len(cut(text)) > 1
    assert declared(text) is None


@pytest.mark.parametrize("text", [b"", b"\n\n", b"\n" * 5000, b"}\n\n" * 2000, b"\0\xff" * 900 + b"}\n\nint a;"])
def test_what_is_no_source_loses_no_byte(text: bytes) -> None:
    assert b"".join(text[piece.start : piece.end] for piece in cut(text)) == text
    declared(text)


def test_two_versions_share_their_rows(tmp_path: Path) -> None:
    later = FILE.replace(b"two(int a)", b"two(int a, int b)").replace(b"<linux/mm.h>\n", b"<linux/mm.h>\n/* one line more */\n")
    with empty_store(tmp_path) as store, Index(Reader(store, 1), tmp_path / "cache") as index:
        first, second = store.write("blob", FILE), store.write("blob", later)
        index.ensure([first])
        index.ensure([second])
        for oid, text in ((first, FILE), (second, later)):
            lines = {
                name: places[0][1].line for name, places in index.declared([b"one", b"two", b"four", b"THREE"], [oid]).items()
            }
            assert lines == {d.name: d.line for d in outline(text).declarations}
        assert {oid for oid, _ in index.everywhere(b"four")} == {first, second}
    with sqlite3.connect(tmp_path / "cache" / "index.sqlite") as db:
        names = [name for (name,) in db.execute("SELECT name FROM declares ORDER BY name")]
    db.close()
    assert names == [b"THREE", b"four", b"one", b"one", b"two", b"two"]

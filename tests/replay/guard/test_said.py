"""Findings about upstream's lines, beside the lines that landed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.store import Store
from backport.model.finding import Finding, Level
from backport.model.series import Entry
from backport.model.verdict import FileOutcome
from backport.replay.guard.said import still_said

OURS = b"int take(int a, int b, struct page *page);\n\nvoid f(int size)\n{\n\ttake(1, 2,\n\t     page);\n}\n"


@pytest.mark.parametrize(
    ("kind", "symbol", "ours", "result", "true"),
    [
        ("arity-changed", "take", OURS, OURS.replace(b"1, 2", b"1, 3"), False),
        ("arity-changed", "take", OURS, OURS.replace(b"1, 2,\n\t     page", b"1, 3"), True),
        ("arity-changed", "take", OURS + b"int g(void)\n{\n\ttake(1);\n}\n", OURS.replace(b"1, 2", b"1, 3"), True),
        ("arity-changed", "take", b"", OURS, True),
        ("absent-member", "size", OURS, OURS.replace(b"take(1", b"take(size"), False),
        ("absent-member", "size", OURS, OURS.replace(b"take(1", b"take(box->size"), True),
        ("absent-member", "size", OURS, OURS.replace(b"take(1", b"take(box. size"), True),
        ("absent-symbol", "size", OURS, OURS.replace(b"take(1", b"take(size"), True),
        ("absent-symbol", "sizes", OURS, OURS.replace(b"take(1", b"take(size"), False),
    ],
)
def test_what_is_true_of_the_lines_that_landed(
    tmp_path: Path, kind: str, symbol: str, ours: bytes, result: bytes, true: bool
) -> None:
    found = Finding(Level.ERROR, kind, symbol, "patch", b"f.c", 1)
    with Store(tmp_path / "store.git", []) as store:
        before, after = (Entry(0o100644, store.write("blob", text)) for text in (ours, result))
        file = FileOutcome(b"f.c", b"f.c", "words", before, before, before, after)
        assert still_said([found], [file], store) == ([found] if true else [])
        plain = FileOutcome(b"f.c", b"f.c", "3-way", before, before, before, after)
        assert still_said([found], [plain], store) == [found]

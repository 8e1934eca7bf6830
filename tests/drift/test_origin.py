"""Which commit brought a name: not the one that only speaks of it, and not the one that only moved it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.drift.undeclared import KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from tests.drift.repository import Kernel, walk

HEADER, SCAN = "include/linux/mm.h", "mm/scan.c"


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    (tmp_path / "kernel").mkdir()
    return Kernel(tmp_path / "kernel")


def cause(kernel: Kernel, patch: str, symbol: str) -> str:
    """The commit that the guard blames for a symbol which the release does not have."""
    with Store(kernel.folder.parent / "run.git", [kernel.objects]) as store:
        trees, history = Trees(store), History(store)
        with Workbench(trees, store, history) as bench:
            series = kernel.series(history, patch)
            report = walk(KernelGuard(series, history.commit(kernel.base).tree, bench), series)
    (found,) = (f for f in report.findings if f.symbol == symbol)
    return found.introduced_by.commit if found.introduced_by is not None else ""


def test_a_comment_that_speaks_of_the_name_did_not_bring_it(kernel: Kernel) -> None:
    kernel.edit("mm: promise", HEADER, b"#define PG_locked 0\n", b"#define PG_locked 0\n/* PG_later is to come */\n")
    brought = kernel.edit("mm: keep", HEADER, b"/* PG_later is to come */\n", b"/* PG_later is to come */\n#define PG_later 1\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += PG_later;\n")
    assert cause(kernel, patch, "PG_later") == brought


def test_a_header_that_was_renamed_did_not_bring_its_names(kernel: Kernel) -> None:
    kernel.commit(
        "mm: tables", {"mm/old.h": b"#define OLD 1\n", SCAN: b'#include "old.h"\n' + (kernel.folder / SCAN).read_bytes()}
    )
    brought = kernel.commit("mm: one more", {"mm/old.h": b"#define OLD 1\n#define SCAN_DEPTH 4\n"})
    text = (kernel.folder / SCAN).read_bytes().replace(b"old.h", b"new.h")
    kernel.commit("mm: rename", {"mm/old.h": None, "mm/new.h": b"#define OLD 1\n#define SCAN_DEPTH 4\n", SCAN: text})
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += SCAN_DEPTH;\n")
    assert cause(kernel, patch, "SCAN_DEPTH") == brought


def test_a_local_came_with_the_commit_that_gave_it_to_that_function(kernel: Kernel) -> None:
    other = b"static int other(void)\n{\n\tint fresh = 2;\n\treturn fresh;\n}\n"
    kernel.commit("mm: other", {SCAN: (kernel.folder / SCAN).read_bytes() + other})
    brought = kernel.edit("mm: another local", SCAN, b"\tint reclaimed = 0;\n", b"\tint reclaimed = 0;\n\tint fresh = 1;\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += fresh;\n")
    assert cause(kernel, patch, "fresh") == brought

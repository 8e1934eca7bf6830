"""Input that is no kernel, no C, or far too much of it: never a crash, and what was not checked is counted and listed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backport.drift import stage
from backport.drift.undeclared import DriftReport, KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.progress import Silent
from backport.replay.engine import replay
from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, kernel, said

__all__ = ["kernel"]

MM = "include/linux/mm.h"
Whole = Callable[..., DriftReport]


@pytest.fixture
def whole(kernel: Kernel, tmp_path: Path) -> Whole:
    """Replays commits under the guard and asks the stage about all of it, as `backport drift` does."""

    def run(*commits: str) -> DriftReport:
        with Store(tmp_path / "run.git", [kernel.objects]) as store:
            trees, history = Trees(store), History(store)
            onto, series = history.commit(kernel.base).tree, kernel.series(history, *commits)
            with Workbench(trees, store, history) as bench:
                guard = KernelGuard(series, onto, bench)
                done = replay(series, kernel.base, store, trees, history, Silent(), guard)
                found = stage.check(stage.Subject(series, onto, done.tree), done.findings, bench, Silent())
                return DriftReport(found.findings, (*guard.skipped(), *found.skipped))

    return run


def left(report: DriftReport) -> list[str]:
    return [entry.what for entry in report.skipped]


def test_a_table_of_ten_megabytes(kernel: Kernel, whole: Whole) -> None:
    table = b"static int table[] = {\n" + b"\tLATER, /* 0123456789 */\n" * 440_000 + b"};\n"
    assert len(table) > 10 << 20
    patch = kernel.commit("a table", {"drivers/table.c": table, SCAN: (kernel.folder / SCAN).read_bytes() + b"int more;\n"})
    report = whole(patch)
    assert {kind for kind, _, _ in said(report)} <= {"kabi-unread"}
    assert "1 file (drivers/table.c) of more than 4 MB" in left(report)


def test_a_header_of_ten_megabytes_is_seen_by_those_that_include_it(kernel: Kernel, whole: Whole) -> None:
    table = b"".join(b"#define REGISTER_NUMBER_%06d 0x%x\n" % (n, n) for n in range(140_000))
    assert len(table) > 4 << 20
    source = b"#include <linux/table.h>\n" + (kernel.folder / SCAN).read_bytes() + b"int more = REGISTER_NUMBER_000007;\n"
    report = whole(kernel.commit("a table", {"include/linux/table.h": table, SCAN: source}))
    assert {kind for kind, _, _ in said(report)} <= {"kabi-unread"}
    assert "1 file (include/linux/table.h) of more than 4 MB" in left(report)


def test_a_source_file_that_is_no_text(kernel: Kernel, whole: Whole) -> None:
    report = whole(kernel.commit("noise", {"drivers/noise.c": bytes(range(256)) * 400}))
    assert said(report) == []
    assert "1 file (drivers/noise.c) that a NUL says is no text" in left(report)


def test_headers_that_include_each_other_and_themselves(kernel: Kernel, whole: Whole) -> None:
    ring = {
        f"include/linux/ring{n}.h": b"#include <linux/ring%d.h>\n#include <linux/ring%d.h>\n" % ((n + 1) % 3, n) for n in range(3)
    }
    kernel.base = kernel.commit("ring", {**ring, "mm/ring.c": b"#include <linux/ring0.h>\nint f(void)\n{\n\treturn 0;\n}\n"})
    kernel.edit("later", "include/linux/ring2.h", b"#include <linux/ring0.h>\n", b"#include <linux/ring0.h>\nint later(void);\n")
    patch = kernel.edit("use", "mm/ring.c", b"return 0", b"return later()")
    assert said(whole(patch)) == [("absent-symbol", "later", 4)]


def test_a_hundred_thousand_uses_of_a_name_that_goes(kernel: Kernel, whole: Whole) -> None:
    uses = b"#include <linux/mm.h>\nint user(void)\n{\n" + b"\tput_page(0);\n" * 100_000 + b"}\n"
    kernel.base = kernel.commit("uses", {"fs/user.c": uses})
    kernel.commit("fs: converted", {"fs/user.c": b"int user(void)\n{\n}\n"})
    kernel.edit("mm: converted", SCAN, b"\tput_page(page);\n", b"")
    patch = kernel.edit("mm: gone", MM, b"void put_page(struct page *page);\n", b"")
    started = time.process_time()
    assert ("old-code-breaks", "put_page", 1) in said(whole(patch))
    assert time.process_time() - started < 20


def test_more_users_than_are_read_are_counted(kernel: Kernel, whole: Whole) -> None:
    use = b"#include <linux/mm.h>\nint user(void)\n{\n\tput_page(0);\n}\n"
    kernel.base = kernel.commit("uses", {f"fs/user{number:03}.c": use for number in range(80)})
    kernel.edit("mm: converted", SCAN, b"\tput_page(page);\n", b"")
    patch = kernel.edit("mm: gone", MM, b"void put_page(struct page *page);\n", b"")
    (entry,) = (each for each in whole(patch).skipped if each.what.endswith(" files"))
    assert entry.why == "they mention names that the series takes out of headers, and are too many to read"


def test_a_tree_that_is_no_kernel(kernel: Kernel, whole: Whole) -> None:
    files = dict.fromkeys((MM, "include/linux/list.h", "arch/sparc/include/asm/odd.h", SCAN, "Makefile"))
    kernel.base = kernel.commit("no kernel", {**files, "src/main.c": b"#include <stdio.h>\nint main(void)\n{\n\treturn 0;\n}\n"})
    patch = kernel.edit("use", "src/main.c", b"return 0", b"puts(HELLO);\n\treturn 0")
    assert [found for found in said(whole(patch)) if found[0] != "kconfig-absent"] == []


@pytest.mark.parametrize("header", [b"generated/autoconf.h", b"linux/version.h", b"asm/asm-offsets.h", b"linux/compile.h"])
def test_headers_that_the_build_generates(kernel: Kernel, whole: Whole, header: bytes) -> None:
    include = b"#include <" + header + b">\n"
    patch = kernel.edit("use", SCAN, b"#include <linux/mm.h>\n", b"#include <linux/mm.h>\n" + include)
    assert said(whole(patch)) == []


def test_assembler_in_files_and_in_c(kernel: Kernel, whole: Whole) -> None:
    kernel.base = kernel.commit("entry", {"arch/x86/entry.S": b"ENTRY(one)\n\tcall one\n"})
    asm = b'\tasm volatile("mov %0, %%cr3\\n\\t" ".long 1b - ." : : "r" (pfn) : "memory");\n\treclaimed++;\n'
    patch = kernel.edit("asm", SCAN, b"\treclaimed++;\n", asm)
    more = kernel.commit("call", {"arch/x86/entry.S": b"ENTRY(one)\n\tcall one\n\tcall later_one\n"})
    report = whole(patch, more)
    assert said(report) == []
    assert "1 file (arch/x86/entry.S) in assembler" in left(report)


@pytest.mark.parametrize(
    "text",
    [
        b"#endif\n#else\n#if 1\n",
        b"#if 1\n" * 3000,
        b"}" * 3000,
        b"((((" * 3000,
        b"/* never closed",
        b'"never closed',
        b"\0\xff" * 500,
    ],
    ids=["endif", "if", "braces", "brackets", "comment", "string", "bytes"],
)
def test_text_that_is_hardly_c(kernel: Kernel, whole: Whole, text: bytes) -> None:
    before = (kernel.folder / SCAN).read_bytes()
    patch = kernel.commit("odd", {SCAN: before + text, "mm/odd.c": text, "include/linux/odd.h": text})
    later = kernel.commit("odder", {SCAN: before + b"int before;\n" + text})
    assert [kind for kind, _, _ in said(whole(patch, later)) if kind.startswith("absent")] == []


def test_a_broken_kconfig_in_the_target_is_said(kernel: Kernel, whole: Whole) -> None:
    kernel.base = kernel.commit("broken", {"Kconfig": b'config ONE\n\tbool "One\n\tdepends on ((\nendif\n'})
    patch = kernel.commit("more", {"mm/Kconfig": b'config TWO\n\tbool "Two"\n'})
    report = whole(patch)
    assert [entry.stage for entry in report.skipped] == ["drift"]

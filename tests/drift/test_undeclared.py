"""The first guard, on a kernel of five files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backport.drift.undeclared import DriftReport, KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Level
from tests.drift.repository import Kernel, walk

SCAN = "mm/scan.c"
Check = Callable[..., DriftReport]


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    (tmp_path / "kernel").mkdir()
    return Kernel(tmp_path / "kernel")


@pytest.fixture
def guard(kernel: Kernel, tmp_path: Path) -> Check:
    """Checks commits of the kernel against its release."""

    def run(*commits: str, cache: Path | None = None) -> DriftReport:
        with Store(tmp_path / "run.git", [kernel.objects]) as store:
            trees, history = Trees(store), History(store)
            onto = history.commit(kernel.base).tree
            with Workbench(trees, store, history, cache) as bench:
                return walk(KernelGuard(kernel.series(history, *commits), onto, bench), kernel.series(history, *commits))

    return run


def said(report: DriftReport) -> list[tuple[str, str, int]]:
    return [(finding.kind, finding.symbol, finding.line) for finding in report.findings]


def test_a_renamed_function_is_named_with_its_cause_and_the_older_spelling(kernel: Kernel, guard: Check) -> None:
    rename = kernel.edit("mm: rename", "include/linux/mm.h", b"test_set_page_locked", b"trylock_page")
    patch = kernel.edit("mm: use it", SCAN, b"\treclaimed++;\n", b"\tif (trylock_page(page))\n\t\treclaimed++;\n")
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.symbol) == (Level.ERROR, "absent-symbol", "trylock_page")
    assert (finding.path, finding.line, finding.patch) == (b"mm/scan.c", 11, patch)
    assert finding.upstream == "include/linux/mm.h:3 (function)"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == rename
    assert finding.hint == "the target spells it test_set_page_locked"


def test_a_macro_a_constant_and_a_type_of_a_later_commit(kernel: Kernel, guard: Check) -> None:
    text = b"#define LATER(x) (x)\nenum { LATER_ONE };\nstruct later { int a; };\ntypedef int later_t;\nextern int later_v;\n"
    kernel.commit("mm: later", {"include/linux/mm.h": (kernel.folder / "include/linux/mm.h").read_bytes() + text})
    patch = kernel.edit(
        "mm: use", SCAN, b"\treclaimed++;\n",
        b"\tstruct later l;\n\tlater_t t = LATER(LATER_ONE) + later_v;\n\treclaimed++;\n",
    )  # fmt: skip
    assert sorted(f.symbol for f in guard(patch).findings) == ["LATER", "LATER_ONE", "later", "later_t", "later_v"]


def test_what_the_series_brings_is_declared_in_its_order(kernel: Kernel, guard: Check) -> None:
    brings = kernel.commit("mm: new header", {"include/linux/new.h": b"#include <linux/list.h>\nint brand_new(int a);\n"})
    includes = kernel.edit("mm: include", SCAN, b"#include <linux/mm.h>\n", b"#include <linux/mm.h>\n#include <linux/new.h>\n")
    uses = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += brand_new(list_empty(0));\n")
    assert said(guard(brings, includes, uses)) == []
    assert said(guard(includes, uses)) == [("absent-header", "linux/new.h", 2), ("absent-symbol", "brand_new", 12),
                                           ("not-included", "list_empty", 12)]  # fmt: skip
    assert said(guard(uses, brings, includes))[0] == ("absent-symbol", "brand_new", 12)


def test_members_own_locals_comments_and_strings_are_no_names(kernel: Kernel, guard: Check) -> None:
    kernel.commit(
        "later", {"include/linux/mm.h": (kernel.folder / "include/linux/mm.h").read_bytes() + b"int own, member, word;\n"}
    )
    patch = kernel.edit(
        "mm: use", SCAN, b"\treclaimed++;\n",
        b'\t/* word */\n\tint own = page->member;\n\tprint("word", own);\n\treclaimed++;\n',
    )  # fmt: skip
    assert said(guard(patch)) == []


def test_a_local_of_the_newer_function(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: another local", SCAN, b"\tint reclaimed = 0;\n", b"\tint reclaimed = 0;\n\tint fresh = 1;\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += fresh;\n")
    assert said(guard(patch)) == [("absent-local", "fresh", 12)]
    label = kernel.edit("mm: a label", SCAN, b"\treturn reclaimed;\n", b"out:\n\treturn reclaimed;\n")
    jump = kernel.edit("mm: jump", SCAN, b"\tif (!page)\n", b"\tif (!pfn)\n\t\tgoto out;\n\tif (!page)\n")
    assert said(guard(jump)) == [("absent-label", "out", 11)]
    assert said(guard(label, jump)) == []


@pytest.mark.parametrize("tag", [b"struct way;\n", b"struct left { int way; };\n"])
def test_a_member_is_not_the_local_of_its_name(kernel: Kernel, guard: Check, tag: bytes) -> None:
    """dcf6a79dda5c on 2.6.27.y: `wbc->nr_to_write` is no `nr_to_write`; 0e55a7cca4b6: nor is `nd->path` or `struct path`."""
    header = (kernel.folder / "include/linux/mm.h").read_bytes()
    kernel.commit("mm: a tag", {"include/linux/mm.h": header + tag})
    kernel.base = kernel.edit("mm: a member", SCAN, b"\treclaimed++;\n", b"\treclaimed += page->left;\n")
    kernel.edit("mm: a local", SCAN, b"\tint reclaimed = 0;\n", b"\tint reclaimed = 0;\n\tint left = page->left;\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed += page->left;\n", b"\treclaimed += left;\n")
    assert said(guard(patch)) == [("absent-local", "left", 12)]


def test_a_local_where_the_patch_conflicts_anyway_is_left_to_the_conflict(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: rewrite", SCAN, b"\treclaimed++;\n", b"\tint idx = 4;\n\treclaimed += idx;\n")
    patch = kernel.edit("mm: change", SCAN, b"\treclaimed += idx;\n", b"\treclaimed -= idx;\n")
    assert said(guard(patch)) == []


def test_a_function_that_is_defined_twice_has_the_locals_of_both(kernel: Kernel, guard: Check) -> None:
    twice = b"#ifdef A\nint walk(int n)\n{\n\tint depth = n;\n\treturn 1;\n}\n#else\nint walk(int n)\n{\n\treturn 0;\n}\n#endif\n"
    kernel.base = kernel.commit("mm: walk", {"mm/walk.c": twice})
    kernel.edit("mm: else", "mm/walk.c", b"return 0", b"return 2")
    patch = kernel.edit("mm: use", "mm/walk.c", b"\treturn 1;", b"\tdepth++;\n\treturn 1;")
    assert said(guard(patch)) == []


def test_a_header_that_the_file_does_not_include(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: include more", "include/linux/mm.h", b"struct page {", b"#include <linux/list.h>\nstruct page {")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += list_empty(0);\n")
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.symbol) == (Level.ERROR, "not-included", "list_empty")
    assert finding.hint == "include linux/list.h"


def test_a_name_of_another_architecture_is_a_warning_that_says_so(kernel: Kernel, guard: Check) -> None:
    text = (kernel.folder / "include/linux/mm.h").read_bytes()
    kernel.commit("mm: for all", {"include/linux/mm.h": text + b"#define SPARC_ONLY 1\n"})
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += SPARC_ONLY;\n")
    assert said(guard(patch)) == [("other-architecture", "SPARC_ONLY", 11)]


def test_words_that_no_declaration_explains_are_counted_not_guessed(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: a generator", "include/linux/mm.h", b"#define PG_locked 0\n", b"#define PG_locked 0\nPAGEFLAG(Odd, odd)\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += PageOdd(page);\n")
    report = guard(patch)
    assert said(report) == []
    assert [entry.what for entry in report.skipped] == ["1 name (PageOdd) on added lines"]


PASTED = (
    b"#define PG_locked 0\n#define TESTFLAG(uname, lname) \\\n"
    b"static inline int Page##uname(struct page *p) { return PG_##lname; }\n#define PG_odd 1\nTESTFLAG(Odd, odd)\n"
)


def test_a_name_that_a_macro_of_upstream_makes(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: a generator", "include/linux/mm.h", b"#define PG_locked 0\n", PASTED)
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += PageOdd(page);\n")
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.symbol) == ("error", "absent-symbol", "PageOdd")
    assert finding.upstream == "include/linux/mm.h:6 (declared by a macro)"


def test_a_name_that_a_macro_of_the_target_makes(kernel: Kernel, guard: Check) -> None:
    kernel.base = kernel.edit("mm: a generator", "include/linux/mm.h", b"#define PG_locked 0\n", PASTED)
    kernel.edit("mm: by hand", "include/linux/mm.h", b"TESTFLAG(Odd, odd)\n", b"int PageOdd(struct page *p);\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += PageOdd(page);\n")
    assert said(guard(patch)) == []


def test_a_name_that_a_macro_of_the_series_makes(kernel: Kernel, guard: Check) -> None:
    first = kernel.edit("mm: a generator", "include/linux/mm.h", b"#define PG_locked 0\n", PASTED)
    second = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += PageOdd(page);\n")
    whole = PASTED.partition(b"\n")[2].replace(b"Odd, odd", b"Own, odd") + b"int f(void)\n{\n\treturn PageOwn(0);\n}\n"
    third = kernel.commit("mm: its own", {"mm/own.c": b"#include <linux/mm.h>\n" + whole})
    fourth = kernel.edit("mm: once more", "mm/own.c", b"return PageOwn(0)", b"return PageOwn(0) + PageOdd(0)")
    assert said(guard(first, second, third, fourth)) == []


def test_a_part_of_another_file_leans_on_it(kernel: Kernel, guard: Check) -> None:
    whole = b'#include <linux/list.h>\n#include "sched_part.c"\n'
    kernel.base = kernel.commit("sched", {"kernel/sched.c": whole, "kernel/sched_part.c": b"int part(void)\n{\n\treturn 0;\n}\n"})
    kernel.edit("sched: include", "kernel/sched_part.c", b"int part", b"#include <linux/list.h>\nint part")
    patch = kernel.edit("sched: use", "kernel/sched_part.c", b"return 0", b"return list_empty(0)")
    assert said(guard(patch)) == []


def test_what_is_not_c_is_not_read(kernel: Kernel, guard: Check) -> None:
    patch = kernel.commit("build", {"Makefile": b"obj-y += trylock_page.o\n", "arch/x86/entry.S": b"call trylock_page\n",
                                    "mm/Kconfig": b"config X\n\tbool\n", "mm/odd.c": b"\xff\xfe\x00int \xe9;\n"})  # fmt: skip
    report = guard(patch)
    assert said(report) == []
    assert [entry.what for entry in report.skipped] == [
        "1 file (arch/x86/entry.S) in assembler",
        "1 file (mm/odd.c) that a NUL says is no text",
    ]


def test_a_file_that_the_target_lacks_is_counted(kernel: Kernel, guard: Check) -> None:
    kernel.commit("mm: a new file", {"mm/later.c": b"int later(void)\n{\n\treturn 1;\n}\n"})
    patch = kernel.edit("mm: fix it", "mm/later.c", b"return 1", b"return nothing_of_ours()")
    report = guard(patch)
    assert said(report) == []
    assert [entry.what for entry in report.skipped] == ["1 file (mm/later.c) that the target does not have"]


def test_a_warm_index_says_the_same(kernel: Kernel, guard: Check, tmp_path: Path) -> None:
    kernel.edit("mm: rename", "include/linux/mm.h", b"test_set_page_locked", b"trylock_page")
    patch = kernel.edit("mm: use it", SCAN, b"\treclaimed++;\n", b"\tif (trylock_page(page))\n\t\treclaimed++;\n")
    cold = guard(patch, cache=tmp_path / "cache")
    assert guard(patch, cache=tmp_path / "cache") == cold == guard(patch)


def test_an_empty_series(guard: Check) -> None:
    assert guard() == DriftReport((), ())


def test_a_patch_that_was_left_out_brings_nothing(kernel: Kernel, tmp_path: Path) -> None:
    brings = kernel.commit("mm: new header", {"include/linux/new.h": b"int brand_new(int a);\n"})
    uses = kernel.commit("mm: use", {"mm/user.c": b"#include <linux/new.h>\nint user(void)\n{\n\treturn brand_new(1);\n}\n"})
    with Store(tmp_path / "run.git", [kernel.objects]) as store:
        trees, history = Trees(store), History(store)
        first, second = kernel.series(history, brings, uses).patches
        series, onto = kernel.series(history, brings, uses), history.commit(kernel.base).tree
        for accepted in (False, True):
            with Workbench(trees, store, history) as bench:
                guard = KernelGuard(series, onto, bench)
                assert guard.findings(first) == []
                if accepted:
                    guard.accept(first)
                found = [] if accepted else ["linux/new.h", "brand_new"]
                assert [finding.symbol for finding in guard.findings(second)] == found


@pytest.mark.parametrize(
    "macro", [b"__percpu", b"__hot_path __attribute__((hot))", b"__printf(a, b) __attribute__((format(printf, a, b)))"]
)
def test_an_annotation_of_a_later_commit_is_told_to_be_one(kernel: Kernel, guard: Check, macro: bytes) -> None:
    head = (kernel.folder / "include/linux/mm.h").read_bytes()
    cause = kernel.commit("mm: annotate", {"include/linux/mm.h": head + b"# define " + macro + b"\t/* for sparse */\n"})
    name = macro.split()[0].split(b"(")[0]
    word = name + b"(1, 2)" if b"(a" in macro else name
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\tint " + word + b" *fresh = 0;\n\treclaimed++;\n")
    (finding,) = guard(patch).findings
    assert (finding.kind, finding.symbol, finding.level) == ("absent-annotation", name.decode(), Level.ERROR)
    assert finding.hint == "an annotation, no code: leave it out"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause


def test_a_macro_that_is_code_is_no_annotation(kernel: Kernel, guard: Check) -> None:
    head = (kernel.folder / "include/linux/mm.h").read_bytes()
    kernel.commit("mm: later", {"include/linux/mm.h": head + b"#define __later(x) do { (x)++; } while (0)\n"})
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\t__later(reclaimed);\n")
    assert said(guard(patch)) == [("absent-symbol", "__later", 11)]


def test_a_driver_of_another_architecture_is_not_asked_for_ours(kernel: Kernel, guard: Check) -> None:
    call = b"\treturn odd_call(0);\n}\n"
    more = {
        "arch/sparc/include/asm/odd.h": b"int odd_call(int a);\n",
        "drivers/ours.c": b"#include <linux/mm.h>\nint f(void)\n{\n}\n",
        "drivers/odd.c": b"#include <asm/odd.h>\nint f(void)\n{\n}\n",
    }  # fmt: skip
    kernel.base = kernel.commit("drivers", more)
    patch = kernel.commit("use", {path: text.replace(b"}\n", call) for path, text in more.items() if path.endswith(".c")})
    assert [(f.kind, f.symbol, f.path) for f in guard(patch).findings] == [("other-architecture", "odd_call", b"drivers/ours.c")]

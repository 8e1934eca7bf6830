"""Calls with another number of arguments than the target's declaration takes."""

from __future__ import annotations

import pytest

from backport.csource.outline import outline
from backport.drift.arity import parameters
from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, Check, guard, kernel, said

__all__ = ["guard", "kernel"]

MM = "include/linux/mm.h"
PUT = b"void put_page(struct page *page);\n"


def test_a_parameter_of_a_later_commit(kernel: Kernel, guard: Check) -> None:
    cause = kernel.commit(
        "mm: two", {MM: (kernel.folder / MM).read_bytes().replace(PUT, b"void put_page(struct page *page, int n);\n")}
    )
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\tput_page(page, (1, 2));\n")
    (finding,) = guard(patch).findings
    assert (finding.kind, finding.symbol, finding.line) == ("arity-changed", "put_page", 11)
    assert finding.target.endswith("takes another number of arguments than 2: void put_page(struct page *page)")
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause


def test_a_declaration_that_the_patch_itself_changes_on_a_further_line(kernel: Kernel, guard: Check) -> None:
    long = b"void put_page(struct page *page,\n\tint n);\n"
    kernel.base = kernel.edit("mm: long", MM, PUT, long)
    text = (kernel.folder / MM).read_bytes().replace(b"\tint n);\n", b"\tint n, int m);\n")
    use = (kernel.folder / SCAN).read_bytes().replace(b"\treclaimed++;\n", b"\tput_page(page, 1, 2);\n")
    patch = kernel.commit("mm: three", {MM: text, SCAN: use})
    assert said(guard(patch)) == []


def test_what_takes_any_number_or_is_unclear_is_left_alone(kernel: Kernel, guard: Check) -> None:
    more = b"int log_page(const char *f, ...);\n#define one(x) (x)\n#define other put_page\n"
    more += b"int any();\nextern int (*hook)(int);\n"
    kernel.base = kernel.commit("mm: more", {MM: (kernel.folder / MM).read_bytes() + more})
    uses = b'\tlog_page("");\n\tlog_page("", 1, 2);\n\tone();\n\tother(1, 2);\n\tany(1, 2);\n\thook(1);\n'
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", uses)
    assert said(guard(patch)) == []


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        (b"int f(void);", (0, 0)),
        (b"int f();", None),
        (b"int f(int a, void (*g)(int, int));", (2, 2)),
        (b"int f(const char *a, ...);", (1, 1000)),
        (b"#define f(a, b...) g(a)", (1, 1000)),
        (b"#define f() g()", (0, 0)),
        (b"#define f(a) g(a)", (0, 1)),
        (b"#define f (a, b)", None),
        (b"static inline int f(int a)\n{\n}\n", (1, 1)),
    ],
)
def test_what_a_head_takes(text: bytes, takes: tuple[int, int] | None) -> None:
    (found,) = [d for d in outline(text).declarations if d.name == b"f"]
    assert parameters(found) == takes

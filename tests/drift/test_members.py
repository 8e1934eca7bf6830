"""Struct members that the target does not have."""

from __future__ import annotations

import pytest

from backport.csource.accesses import Access, count_arguments, struct_variables
from backport.csource.tokens import blank
from backport.csource.uses import asked
from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, Check, guard, kernel, said

__all__ = ["guard", "kernel"]

MM = "include/linux/mm.h"
PLAIN = b"struct page { unsigned long flags; };"


def test_a_member_of_a_later_commit_is_named_with_its_cause(kernel: Kernel, guard: Check) -> None:
    cause = kernel.edit("mm: count", MM, PLAIN, b"struct page { unsigned long flags; int count; };")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += page->count;\n")
    (finding,) = guard(patch).findings
    assert (finding.kind, finding.symbol, finding.line) == ("absent-member", "count", 11)
    assert finding.target == "struct page has no such member"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause


def test_the_struct_of_the_variable_counts_where_it_is_known(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: next", MM, PLAIN, b"struct page { unsigned long flags; int next; };")
    kernel.edit("mm: lists", SCAN, b"#include <linux/mm.h>\n", b"#include <linux/mm.h>\n#include <linux/list.h>\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += page->next;\n")
    assert said(guard(patch)) == [("absent-member", "next", 12)]


@pytest.mark.parametrize("use", [b"get_page_at(1)->flags", b"page->flags", b"(*page).flags", b"1.5 + 0"])
def test_a_member_that_is_there_is_no_finding(kernel: Kernel, guard: Check, use: bytes) -> None:
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += " + use + b";\n")
    assert said(guard(patch)) == []


def test_what_the_series_itself_adds_is_there(kernel: Kernel, guard: Check) -> None:
    first = kernel.edit("mm: count", MM, PLAIN, b"struct page { unsigned long flags;\n\tint count;\n};")
    second = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += page->count;\n")
    assert said(guard(first, second)) == []


def test_a_member_that_no_reader_finds_upstream_is_not_guessed_at(kernel: Kernel, guard: Check) -> None:
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += page->made_by_macro;\n")
    assert said(guard(patch)) == []


def test_a_file_that_sees_no_struct_itself_is_left_alone(kernel: Kernel, guard: Check) -> None:
    kernel.base = kernel.commit("mm: part", {"mm/part.c": b"static int part(struct page *p)\n{\n\treturn 0;\n}\n"})
    kernel.edit("mm: see", "mm/part.c", b"static", b"#include <linux/mm.h>\nstatic")
    patch = kernel.edit("mm: use", "mm/part.c", b"return 0", b"return find(p)->flags")
    assert said(guard(patch)) == []


def test_a_member_that_a_macro_is_given(kernel: Kernel, guard: Check) -> None:
    text = b"#define offsetof(t, m) ((int)&((t *)0)->m)\n#define list_for_each_entry(p, h, m) for (; p; p = (p)->m.next)\n"
    kernel.base = kernel.commit("list", {"include/linux/mm.h": (kernel.folder / MM).read_bytes() + text})
    kernel.edit("mm: lru", MM, PLAIN, b"struct page { unsigned long flags; struct list_head { void *next; } lru; };")
    more = b"\tlist_for_each_entry(page, page, lru)\n\t\treclaimed += offsetof(struct page, lru);\n"
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", more)
    assert said(guard(patch)) == [("absent-member", "lru", 11)]
    here = kernel.edit("mm: other", SCAN, more, b"\treclaimed += offsetof(struct page, flags);\n")
    assert said(guard(here)) == []


def test_members_and_designators_are_told_apart() -> None:
    text = b"static struct op o = {\n\t.read = f,\n};\nint f(struct a *x)\n{\n\treturn x->m + x->s[i[0]].n + g()->k;\n}\n"
    assert asked(text, [2, 6]).members == (
        Access(b"read", 2, b"op", True),
        Access(b"m", 6, b"a", False, b"x", (), b"f"),
        Access(b"s", 6, b"a", False, b"x", (), b"f"),
        Access(b"n", 6, b"a", False, b"x", (b"s",), b"f"),
        Access(b"k", 6, b"", False, b"", (), b"f"),
    )


@pytest.mark.parametrize(
    ("text", "tag", "path"),
    [
        (b"static const struct op o __read_mostly = {\n.m = 1 };", b"op", ()),
        (b"struct op o[] = {\n\t{ .a = 1, .m = 2 },\n};", b"op", ()),
        (b"struct op o[2] = {\n\t[0] = { .m = 2 },\n};", b"op", ()),
        (b"struct op o = { .in = {\n.m = 2 } };", b"op", (b"in",)),
        (b"struct op o = { {\n.m = 2 } };", b"", ()),
        (b"int f(void)\n{\n\treturn g((struct op){ .m = 2 });\n}\n", b"op", ()),
        (b"op_t o = {\n.m = 1 };", b"", ()),
    ],
)
def test_what_a_designator_belongs_to(text: bytes, tag: bytes, path: tuple[bytes, ...]) -> None:
    line = text[: text.index(b".m")].count(b"\n") + 1
    found = [access for access in asked(text, [line]).members if access.name == b"m"]
    assert [(access.tag, access.path) for access in found] == [(tag, path)]


def test_a_designator_of_a_struct_that_lacks_it(kernel: Kernel, guard: Check) -> None:
    text = (kernel.folder / MM).read_bytes() + b"struct ops { int size; };\nstruct other { int later; };\n"
    kernel.base = kernel.commit("mm: ops", {MM: text, "mm/ops.c": b"#include <linux/mm.h>\nstruct ops o = {\n\t.size = 1,\n};\n"})
    kernel.edit("mm: later", MM, b"int size;", b"int size; int later;")
    patch = kernel.edit("mm: use", "mm/ops.c", b"\t.size = 1,\n", b"\t.size = 1,\n\t.later = 1,\n")
    assert said(guard(patch)) == [("absent-member", "later", 4)]


def test_a_chain_ends_at_the_struct_that_its_members_lead_to(kernel: Kernel, guard: Check) -> None:
    structs = b"struct apic { int a; };\nstruct o { int late; };\nstruct v { struct apic *in; };\n"
    text = (kernel.folder / MM).read_bytes() + structs
    function = b"#include <linux/mm.h>\nint f(struct v *v)\n{\n\treturn v->in->a;\n}\n"
    kernel.base = kernel.commit("mm: chain", {MM: text, "mm/chain.c": function})
    kernel.edit("mm: late", MM, b"{ int a; }", b"{ int a; int late; }")
    patch = kernel.edit("mm: use", "mm/chain.c", b"\treturn", b"\tv->in->late = 1;\n\treturn")
    (finding,) = guard(patch).findings
    assert (finding.kind, finding.symbol, finding.target) == ("absent-member", "late", "struct apic has no such member")


def test_the_target_s_own_function_says_what_a_variable_is(kernel: Kernel, guard: Check) -> None:
    text = (kernel.folder / MM).read_bytes() + b"struct old { int a; };\n"
    function = b"#include <linux/mm.h>\nint f(struct old *v)\n{\n\tint x = 0;\n\treturn v->a + x;\n}\n"
    kernel.base = kernel.commit("mm: old", {MM: text, "mm/f.c": function})
    kernel.edit("mm: rename", MM, b"struct old { int a; };", b"struct new { int a; int chip; };")
    kernel.edit("mm: rename, too", "mm/f.c", b"struct old *v", b"struct new *v")
    patch = kernel.edit("mm: use", "mm/f.c", b"\tint x = 0;\n", b"\tint x = 0;\n\tv->chip++;\n")
    assert said(guard(patch)) == [("absent-member", "chip", 5)]


def test_a_member_of_another_type_is_a_warning(kernel: Kernel, guard: Check) -> None:
    kernel.edit("mm: a pointer", MM, PLAIN, b"struct page { struct page *flags; };")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += !page->flags;\n")
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.upstream) == ("warning", "member-type-changed", "struct page *flags")
    assert finding.target == "unsigned long flags at include/linux/mm.h:1 (member)"


def test_the_variables_of_a_function_and_their_structs() -> None:
    text = b"int f(struct a *x, int n, struct b y)\n{\n\tstruct c *one = 0, *two[3];\n\tstruct d *x;\n}\n"
    assert struct_variables(text) == {b"y": b"b", b"one": b"c", b"two": b"c"}


@pytest.mark.parametrize(
    ("call", "count"),
    [(b"()", 0), (b"( )", 0), (b"(a)", 1), (b"(a, g(b, c), {1, 2})", 3), (b"(a, b", -1), (b"(a,\n#if X\nb\n)", -1)],
)
def test_arguments_are_counted(call: bytes, count: int) -> None:
    assert count_arguments(blank(b"f" + call), 1) == count

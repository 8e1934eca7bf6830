"""Functions and macros that the target declares otherwise."""

from __future__ import annotations

import pytest

from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, Check, guard, kernel

__all__ = ["guard", "kernel"]

MM = "include/linux/mm.h"


def changed(kernel: Kernel, guard: Check, before: bytes, after: bytes, use: bytes) -> list[tuple[str, str, str]]:
    """The findings where upstream turned `before` into `after` in a header and then added a line to a function."""
    text = (kernel.folder / MM).read_bytes() + b"struct old;\nstruct new;\n"
    kernel.base = kernel.commit("mm: before", {MM: text + before})
    kernel.commit("mm: after", {MM: text + after})
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\t" + use + b"\n")
    return [(finding.level, finding.kind, finding.symbol) for finding in guard(patch).findings]


@pytest.mark.parametrize(
    ("before", "after", "use", "level"),
    [
        (b"void f(struct old *o);\n", b"void f(struct page *p);\n", b"f(page);", "error"),  # gcc: incompatible pointer
        (b"void f(struct page *p);\n", b"void f(struct old *p);\n", b"f(page);", "warning"),  # fits the older function
        (b"void f(int n);\n", b"void f(struct page *p);\n", b"f(page);", "error"),
        (b"void f(struct old *o);\n", b"void f(struct page *p);\n", b"f(g());", "warning"),  # who knows what g gives
        (b"void f(struct old *o);\n", b"void f(const struct old *other);\n", b"f(0);", ""),
        (b"void f(void *o);\n", b"void f(struct page *p);\n", b"f(page);", ""),
        (b"void f(unsigned n);\n", b"void f(gfp_t n);\n", b"f(1);", ""),
    ],
)
def test_parameters(kernel: Kernel, guard: Check, before: bytes, after: bytes, use: bytes, level: str) -> None:
    found = changed(kernel, guard, before, after, use)
    assert found == ([(level, "parameter-type-changed", "f")] if level else [])


@pytest.mark.parametrize(
    ("before", "after", "use", "level"),
    [
        (b"void f(int a);\n", b"int f(int a);\n", b"reclaimed = f(1);", "error"),
        (b"void f(int a);\n", b"int f(int a);\n", b"f(1);", "warning"),
        (b"struct page *f(int a);\n", b"int f(int a);\n", b"return f(1);", "error"),
        (b"long f(int a);\n", b"int f(int a);\n", b"return f(1);", "warning"),
        (b"static inline int f(int a)\n{\n\treturn 0;\n}\n", b"extern int f(int b);\n", b"return f(1);", ""),
    ],
)
def test_what_is_given_back(kernel: Kernel, guard: Check, before: bytes, after: bytes, use: bytes, level: str) -> None:
    found = changed(kernel, guard, before, after, use)
    assert found == ([(level, "return-type-changed", "f")] if level else [])


@pytest.mark.parametrize(
    ("before", "after", "use", "found"),
    [
        (b"#define SAY(prefix, fmt, args...) p(prefix, fmt, args)\n", b"#define SAY(fmt, args...) p(fmt, args)\n",
         b'SAY("a", 1, 2);', ("error", "arity-changed")),
        (b"#define SAY(name, ...) SAYx(1, _##name, __VA_ARGS__)\n", b"#define SAY(...) SAYx(1, __VA_ARGS__)\n",
         b"SAY(a, 1, 2);", ("warning", "arity-changed")),
        (b"#define f(a) (a)\n", b"int f(int a);\n", b"f(reclaimed++);", ("warning", "macro-or-function")),
        (b"#define f(a) (a)\n", b"int f(int a);\n", b"f(1);", None),
        (b"#define PG_b 4 /* why */\n", b"#define PG_b 5\n", b"reclaimed = PG_b;", ("warning", "other-meaning")),
        (b"#define PG_b 4 /* why */\n", b"#define  PG_b 4\n", b"reclaimed = PG_b;", None),
        (b"#ifdef A\n#define f(a) 0\n#else\n#define f(a) 1\n#endif\n", b"#define f(b) (b)\n", b"f(1);", None),
    ],
)  # fmt: skip
def test_macros(kernel: Kernel, guard: Check, before: bytes, after: bytes, use: bytes, found: tuple[str, str] | None) -> None:
    told = changed(kernel, guard, before, after, use)
    assert [(level, kind) for level, kind, _ in told] == ([found] if found else [])


def test_the_commit_that_changed_it_is_named(kernel: Kernel, guard: Check) -> None:
    text = (kernel.folder / MM).read_bytes()
    kernel.base = kernel.commit("mm: before", {MM: text + b"void f(int n);\n"})
    cause = kernel.commit("mm: give back", {MM: text + b"int f(int n);\n"})
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed = f(1);\n")
    (finding,) = guard(patch).findings
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause
    assert (finding.upstream, finding.target) == ("int f(int n)", "void f(int n) at include/linux/mm.h:9 (prototype)")

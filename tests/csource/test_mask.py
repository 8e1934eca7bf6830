"""Masked text is as long as the original, line by line, and parses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backport.csource.mask import mask
from backport.csource.parse import parse

PIECES = [
    b"SYSCALL_DEFINE0(", b"SYSCALL_DEFINE3(", b"DEFINE_PER_CPU(", b"DECLARE_BITMAP(", b"for_each_x(", b"do_each_thread(",
    b"__init", b"__attribute__((", b"typeof(", b"EXPORT_SYMBOL(", b"a", b",", b")", b"\n", b";", b"struct s", b" ", b'"', b"\xff",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_the_length_and_the_lines_stay(text: bytes) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert [len(row) for row in masked.split(b"\n")] == [len(row) for row in text.split(b"\n")]


@pytest.mark.parametrize(
    "text",
    [
        b'static int __init setup(void) __attribute__((section(".x")));\n',
        b"static void f(void)\n\t__releases(lock)\n{\n\tg();\n}\n",
        b"void f(void)\n{\n\tlist_for_each_entry(p, &head, list)\n\t\tg(p);\n}\n",
        b"void f(void)\n{\n\tdo_each_thread(g, p) {\n\t\th(p);\n\t} while_each_thread(g, p);\n}\n",
        b"SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf, size_t, count)\n{\n\treturn 0;\n}\n",
        b"SYSCALL_DEFINE0(getpid)\n{\n\treturn 0;\n}\n",
        b"struct s {\n\tDECLARE_BITMAP(bits, 64);\n\tint a:3 __packed;\n} ____cacheline_aligned_in_smp;\n",
        b"static DEFINE_PER_CPU(struct rq, runqueues);\nstatic DEFINE_MUTEX(lock);\nEXPORT_SYMBOL(f);\nint x;\n",
        b"int f(void)\n{\n\ttypeof(x) y = container_of(x, struct s, member);\n\treturn y;\n}\n",
        b"int a;\nEXPORT_SYMBOL(a)\nint f(void)\n{\n\treturn 0;\n}\n",
    ],
)
def test_kernel_spellings_parse_without_an_error(text: bytes) -> None:
    assert parse(text).errors == ()


def test_a_macro_that_defines_a_loop_is_left_alone() -> None:
    text = b"#define list_for_each(pos, head) \\\n\tfor (pos = (head)->next; pos != (head); pos = pos->next)\n"
    assert [macro.name for macro in parse(text).macros] == [b"list_for_each"]

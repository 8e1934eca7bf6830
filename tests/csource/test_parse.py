"""The full reading: signatures, members, locals, and what could not be read."""

from __future__ import annotations

import pytest

from backport.csource.parse import function_at, parse, parse_function
from backport.csource.source import Param

FUNCTION = b"""static inline struct page *get(struct vm *vma, int (*cb)(int x), ...)
{
	int a, *b = vma->head;
	struct loc { int m; } l;
	DECLARE_WAITQUEUE(wait, current);

	list_for_each_entry(p, &head, list) {
		int inner;
		goto out;
	}
out:
	return b;
}
"""


def test_a_function_with_its_params_and_locals() -> None:
    (found,) = parse(FUNCTION).functions
    assert (found.name, found.returns, found.static, found.inline, found.variadic) == (b"get", b"struct page *", True, True, True)
    assert [param.name for param in found.params] == [b"vma", b"cb"]
    assert found.params[0] == Param(b"vma", b"struct vm *")
    assert (found.span.first, found.span.last) == (1, 13)
    assert {(local.name, local.kind) for local in found.locals} == {
        (b"vma", "parameter"), (b"cb", "parameter"), (b"a", "local"), (b"b", "local"), (b"l", "local"), (b"loc", "struct"),
        (b"wait", "local"), (b"inner", "local"), (b"out", "label"),
    }  # fmt: skip
    assert FUNCTION[found.span.start : found.span.end].startswith(b"static inline")


def test_members_with_their_path_and_bits() -> None:
    (found,) = [t for t in parse(b"struct s { int a:3; union { long b; struct { char c; } d; } u; };").types if t.name == b"s"]
    assert [(m.name, m.bits, m.path) for m in found.members] == [
        (b"a", 3, (b"a",)), (b"u", -1, (b"u",)), (b"b", -1, (b"u", b"b")), (b"d", -1, (b"u", b"d")),
        (b"c", -1, (b"u", b"d", b"c")),
    ]  # fmt: skip


def test_macros_constants_variables_and_system_calls() -> None:
    text = b"""#define A (1 << 3) /* why */
#define F(x, ...) do { g(x); \\
	h(); } while (0)
enum e { B, C = 4 };
static int s = 1, *t[2];
typedef unsigned long pte_t;
SYSCALL_DEFINE2(two, int, a, char __user *, b)
{
	return 0;
}
static DEFINE_SPINLOCK(lock);
"""
    found = parse(text)
    assert [(m.name, m.params, m.body) for m in found.macros] == [
        (b"A", None, b"(1 << 3)"), (b"F", (b"x", b"..."), b"do { g(x); h(); } while (0)"),
    ]  # fmt: skip
    assert [(c.name, c.enum, c.value) for c in found.constants] == [(b"B", b"e", b""), (b"C", b"e", b"4")]
    assert [(v.name, v.type) for v in found.variables if v.name != b"lock"] == [(b"s", b"int"), (b"t", b"int * [2]")]
    assert [(t.name, t.type) for t in found.typedefs] == [(b"pte_t", b"unsigned long")]
    assert [(f.name, f.made_by, f.returns) for f in found.functions] == [(b"sys_two", b"SYSCALL_DEFINE2", b"long")]
    assert (b"DEFINE_SPINLOCK", (b"lock",)) in {(m.macro, m.arguments) for m in found.made}


def test_what_could_not_be_parsed_is_known() -> None:
    text = b"int ok(void)\n{\n\treturn 0;\n}\nint bad(void)\n{\n\tASSERT(x, return -1;, @@);\n}\n"
    found = parse(text)
    assert found.errors
    assert all(error.first >= 5 for error in found.errors)
    assert [f.broken for f in found.functions if f.name == b"ok"] == [False]


def test_one_function_of_a_file_keeps_the_lines_of_the_file() -> None:
    text = b"\n\n" + FUNCTION
    (found,) = parse_function(text, 2, len(text), 3).functions
    assert found.span.first == 3
    assert {local.line for local in found.locals if local.name == b"inner"} == {10}


CONFLICT = b"""static int before(void)
{
	return 1;
}

int broken(int a)
{
<<<<<<< ours
	if (a) {
||||||| base
	if (b) {
=======
	while (c) {
>>>>>>> theirs
		x();
	}
out:
	y();
}

static void after(void)
{
	z();
"""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, b"before"),
        (3, b"before"),
        (5, b""),
        (9, b"broken"),
        (13, b"broken"),
        (18, b"broken"),
        (20, b""),
        (23, b"after"),
        (99, b""),
    ],
)
def test_the_function_of_a_line_in_text_with_conflicts(line: int, name: bytes) -> None:
    if line <= CONFLICT.count(b"\n"):
        assert function_at(CONFLICT, line) == name


def test_a_label_in_column_one_is_no_function() -> None:
    assert function_at(b"long\nmadvise_vma(struct vm *v)\n{\n\tif (v)\nout:\n\treturn 0;\n}\n", 6) == b"madvise_vma"

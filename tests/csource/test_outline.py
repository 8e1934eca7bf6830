"""The quick reader, on the odd spellings of real headers, and against the full parse."""

from __future__ import annotations

import time

import pytest

from backport.csource.outline import outline
from backport.csource.parse import parse

CASES = [
    ("a prototype with a function pointer", b"int reg(int (*cb)(struct x *, void *), void *);", {b"reg": "prototype"}),
    ("attributes around", b"extern void panic(const char *f, ...)\n\t__attribute__ ((NORET format (printf, 1, 2))) __cold;",
     {b"panic": "prototype"}),
    ("an endian type looks like an annotation", b"__be32 nfsd_create(struct rq *, int *truncp);", {b"nfsd_create": "prototype"}),
    ("a pointer to a function", b"extern void (*late_time_init)(void);", {b"late_time_init": "extern"}),
    ("a function type", b"typedef int (elevator_merge_fn) (struct request *);", {b"elevator_merge_fn": "typedef"}),
    ("a function that returns one", b"int (*pick(int a))(int)\n{\n}\n", {b"pick": "function"}),
    ("trailing capitals", b"NORET_TYPE void do_exit(long code) ATTRIB_NORET;", {b"do_exit": "prototype"}),
    ("nested and anonymous", b"struct s { int a:3, b; union { long c; struct { char d[2]; } e; }; void (*f)(int g); };",
     {b"s": "struct", b"a": "member", b"b": "member", b"c": "member", b"d": "member", b"e": "member", b"f": "member"}),
    ("an enum without a tag", b"enum { A, B = (1 << 2), C\n};", {b"A": "constant", b"B": "constant", b"C": "constant"}),
    ("a macro before a constant (kmap_types.h)", b"enum km_type {\nD(0)\tKM_A,\nD(1)\tKM_B\n};",
     {b"km_type": "enum", b"KM_A": "constant", b"KM_B": "constant"}),
    ("made by macros", b"static DEFINE_MUTEX(lock);\nDECLARE_PER_CPU(struct rq, queues);", {b"lock": "made", b"queues": "made"}),
    ("a system call", b"SYSCALL_DEFINE2(two, int, a, int, b)\n{\n}\n", {b"sys_two": "function"}),
    ("an initialiser", b"static const struct operations fops __read_mostly = {\n\t.open = o,\n};", {b"fops": "variable"}),
    ("several variables", b"extern int a, *b, c[N][2];", {b"a": "extern", b"b": "extern", b"c": "extern"}),
    ("a typedef of a struct", b"typedef struct t { int m; } t_t, *t_p;",
     {b"t": "struct", b"m": "member", b"t_t": "typedef", b"t_p": "typedef"}),
    ("macros", b"#define A 1\n # define B(x, \\\n y) (x)\n#undef C\n", {b"A": "macro", b"B": "macro"}),
    ("a bitmap in a struct", b"struct s { DECLARE_BITMAP(bits, 64); };", {b"s": "struct", b"bits": "member"}),
    ("no semicolon after EXPORT_SYMBOL", b"EXPORT_SYMBOL(old)\nint f(void)\n{\n}\n", {b"f": "function"}),
    ("comments inside", b"int /* no */ f(int a /* x; */, int b); // int g(void);", {b"f": "prototype"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_names_and_kinds(text: bytes, names: dict[bytes, str]) -> None:
    found = {d.name: d.kind for d in outline(text).declarations}
    assert {name: found.get(name) for name in names} == names
    assert not {name for name, kind in found.items() if kind != "made"} - set(names)


def test_every_branch_of_an_if_counts_and_braces_add_up() -> None:
    text = (
        b"#ifdef A\nint f(int a)\n{\n#else\nint f(void)\n{\n#endif\n"
        b"\tif (x) {\n#if B\n\t}\n#else\n\t}\n#endif\n}\nint g;\n#define H 1\n"
    )
    found = outline(text)
    assert {d.name for d in found.declarations} == {b"f", b"g", b"H"}
    assert found.closed


def test_lines_are_those_of_the_name_and_of_the_end() -> None:
    text = b"\n/* c */\nstatic long\nfirst(struct a *b,\n      int c)\n{\n\treturn 0;\n}\n\nstruct s {\n\tint m;\n};\n"
    assert {d.name: (d.line, d.end) for d in outline(text).declarations} == {b"first": (4, 8), b"s": (10, 12), b"m": (11, 11)}


def test_includes_in_comments_are_none() -> None:
    text = b'#include <a.h>\n/*\n#include <b.h>\n*/\n # include "c.h" /* d */\n#include GENERATED(x)\n'
    found = [(i.path, i.system, i.line, i.computed) for i in outline(text).includes]
    assert found == [(b"a.h", True, 1, False), (b"c.h", False, 5, False), (b"GENERATED(x)", False, 6, True)]


@pytest.mark.parametrize(
    "text", [b"}" * 9, b"{" * 9, b"int f(", b"\0\1\2\3\4", b"#else\n#endif\n#if\n", b"struct s { int a;", b"\xff\xfe;" * 9]
)
def test_what_is_no_c_does_no_harm(text: bytes) -> None:
    outline(text)
    parse(text)


@pytest.mark.parametrize(
    "piece", [b"(", b"int f(", b"a,", b"{", b"struct s {", b"f(a) ", b"/*", b"#define A \\\n", b"x *", b"__a "]
)
def test_time_stays_near_linear_on_a_large_table(piece: bytes) -> None:
    begun = time.monotonic()
    outline(piece * (300_000 // len(piece)))
    assert time.monotonic() - begun < 10


def test_it_agrees_with_the_full_parse() -> None:
    text = b"".join(
        case[1] + b"\n" for case in CASES if b"ATTRIB" not in case[1] and b"D(0)" not in case[1] and b"NORET" not in case[1]
    )
    full = parse(text)
    known = {d.name for d in outline(text).declarations}
    names = (
        {f.name for f in (*full.functions, *full.prototypes)} | {m.name for m in full.macros} | {c.name for c in full.constants}
    )
    names |= {v.name for v in full.variables} | {t.name for t in full.typedefs} | {m.name for t in full.types for m in t.members}
    assert names <= known

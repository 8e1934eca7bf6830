"""Exported headers: which they are, what of them programs see, what the constants and structs come to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from backport.drift.uapi import structs
from backport.drift.uapi.headers import Header, Scope
from backport.drift.uapi.layout import ILP32, LP64
from tests.drift.uapi.examples import surface, told
from tests.gitrepo import Repo


def test_only_listed_headers_count_and_of_them_only_what_is_not_the_kernels(repo: Repo, tmp_path: Path) -> None:
    files = {
        b"include/linux/shown.h": b"#define SHOWN 1\n",
        b"include/linux/mixed.h": b"#define OPEN 2\n#ifdef __KERNEL__\n#define HIDDEN 3\n#else\n#define ELSE 4\n#endif\n"
        b"#if defined(__KERNEL__) && defined(X)\n#define BOTH 5\n#endif\n#ifndef __KERNEL__\n#define NOT 6\n#endif\n",
        b"include/linux/own.h": b"#define OWN 7\n",
        b"include/other/shown.h": b"#define ELSEWHERE 8\n",
    }
    assert told(surface(repo, tmp_path, files)) == {"SHOWN": "1", "OPEN": "2", "ELSE": "4", "NOT": "6"}


def test_architectures_take_the_common_list(repo: Repo, tmp_path: Path) -> None:
    files = {
        b"include/asm-generic/Kbuild.asm": b"ifneq ($(wildcard x),)\nheader-y += mman.h\nendif\n",
        b"arch/odd/include/asm/Kbuild": b"include include/asm-generic/Kbuild.asm\nheader-y += more.h \\\n\tyet.h\n",
        b"arch/odd/include/asm/mman.h": b"#define MADV_ODD 65\n",
        b"arch/odd/include/asm/yet.h": b"#define YET 1\n",
        b"arch/bare/include/asm/mman.h": b"#define MADV_BARE 1\n",
    }
    found = surface(repo, tmp_path, files)
    assert [(i.kind.value, i.name, i.scope, i.value) for i in found.items] == [
        ("madvise", "MADV_ODD", "asm/mman.h on odd", "65"),
        ("constant", "YET", "asm/yet.h on odd", "1"),
    ]


def test_new_trees_export_uapi_folders(repo: Repo, tmp_path: Path) -> None:
    files = {
        b"include/uapi/linux/a.h": b"#define A 1\n",
        b"include/linux/a.h": b"#define B 2\n",
        b"arch/x/include/uapi/asm/c.h": b"#define C 3\n",
    }
    assert told(surface(repo, tmp_path, files, lists=False)) == {"A": "1", "C": "3"}


def test_a_tree_that_is_no_kernel_says_so(repo: Repo, tmp_path: Path) -> None:
    found = surface(repo, tmp_path, {b"README": b"hello\n", b"include/linux/a.h": b"#define A 1\n"}, lists=False)
    assert found.items == ()
    assert "says not which" in found.skipped[0].why


def test_values_of_constants(repo: Repo, tmp_path: Path) -> None:
    files = {
        b"include/linux/shown.h": b"#ifndef _LINUX_SHOWN_H\n#define _LINUX_SHOWN_H\n#include <linux/mixed.h>\n"
        b'#define NR(x) ((x) + BASE)\n#define ONE NR(1)\n#define LOOP LOOP2\n#define LOOP2 LOOP\n#define TEXT "words"\n'
        b"#define FUNCTION(x) x\n#define ASK _IOR('k', 3, struct point)\n#define WHICH 1 /* one\n way */\n"
        b"#ifdef CONFIG_X\n#define EITHER 1\n#else\n#define EITHER 2\n#endif\n"
        b"enum colour { RED, GREEN = 5, BLUE, /* RED2, */ LAST = BLUE };\n"
        b"enum { A,\n#ifdef CONFIG_Y\n B,\n#endif\n C };\n#endif\n",
        b"include/linux/mixed.h": b"#define BASE 0x40\nstruct point { int x, y; };\n",
    }
    found = told(surface(repo, tmp_path, files))
    assert found["ONE"] == "65"
    assert found["ASK"] == str(2 << 30 | 8 << 16 | ord("k") << 8 | 3)
    assert (found["LOOP"], found["LOOP2"], found["TEXT"], found["WHICH"]) == ("LOOP2", "LOOP", '"words"', "1")
    assert found["EITHER"] == "1 | 2"
    assert [found[name] for name in ("RED", "GREEN", "BLUE", "LAST")] == ["0", "5", "6", "6"]
    assert found["A"] == "0"
    assert "_LINUX_SHOWN_H" not in found
    assert "FUNCTION" not in found


def test_an_enumerator_behind_a_condition_has_no_number(repo: Repo, tmp_path: Path) -> None:
    found = told(
        surface(repo, tmp_path, {b"include/linux/shown.h": b"enum { A,\n#ifdef CONFIG_Y\n B,\n#endif\n C, D = 9, E };\n"})
    )
    assert not found["C"].isdigit()
    assert (found["D"], found["E"]) == ("9", "10")


HOSTILE = {
    "unbalanced": b"#if X\n#define A 1\n#else\n#endif\n#endif\n#endif\n#elif\n",
    "not text": bytes(range(256)) * 20,
    "latin-1": b"#define NAME 1 /* Andr\xe9 */\n#define \xe9 2\nstruct \xe9 { int x; };\n",
    "deep": b"struct a { " * 300 + b"}" * 300,
    "recursive": b"".join(b"#define A%d (A%d + A%d)\n" % (i, i + 1, i + 1) for i in range(60)),
    "doubling": b"".join(
        b"#define G%d(x) G%d(x) + G%d(x)\nstruct s%d { struct s%d a, b; };\n" % (i, i + 1, i + 1, i, i + 1) for i in range(40)
    )
    + b"#define G40(x) x\nstruct s40 { int x; };\n#define MANY G0(1)\n",
    "calls": b"#define F(x) F(x) F(x)\n#define A F(F(1))\n",
    "empty": b"",
    "brace": b"struct x { int a;\nenum { A, B\n#define B\n",
    "include": b'#include "shown.h"\n#include <linux/shown.h>\n#define X UNKNOWN\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_read_without_a_crash(name: str, repo: Repo, tmp_path: Path) -> None:
    surface(
        repo,
        tmp_path,
        {b"include/linux/shown.h": HOSTILE[name], b"include/linux/Kbuild": HOSTILE[name] + b"\nheader-y += shown.h\n"},
    )


STRUCTS = b"""
typedef unsigned int __u32; typedef unsigned long long __u64; typedef unsigned short __u16; typedef unsigned char __u8;
#define LEN 5
struct inner { __u8 a; __u32 b; };
struct plain { char c; long l; int i; };
struct wide { __u32 a; __u64 b; };
struct packed { __u8 a; __u64 b; } __attribute__((packed));
struct arrays { char name[LEN + 1]; __u16 x[2][3]; int rest[]; };
struct nested { __u8 a; union { __u32 x; __u64 y; } u; struct { char c; } s[3]; struct inner *p; };
struct anonymous { __u8 a; union { __u16 x; char y; }; };
struct bits { unsigned int a:3, b:5; unsigned int c:30; char d; };
struct pointers { void (*f)(int, char); const char *name; int (*table[4])(void); };
struct aligned { char c; int i __attribute__((aligned(16))); };
union any { struct plain p; double d; };
typedef struct { int a, *b; } untagged_t;
struct user { untagged_t t; struct inner list[2]; };
"""


def test_sizes_are_those_of_the_compiler(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    header = Header(b"include/linux/x.h", STRUCTS, b"x86")
    found = structs.read(header.seen)[0]
    assert len(found) == 13
    for option, model in (("-m64", LP64), ("-m32", ILP32)):
        lines = [STRUCTS.decode()]
        for struct in found:
            name = struct.name.decode() if struct.name == b"untagged_t" else f"{struct.kind} {struct.name.decode()}"
            size = Scope(header, None, model).lay_out(struct, model).size
            lines.append(f'_Static_assert(sizeof({name}) == {size}, "{name} is not {size}");')
        done = subprocess.run(
            [compiler, option, "-fsyntax-only", "-x", "c", "-"], input="\n".join(lines), capture_output=True, text=True
        )
        assert re.findall(r'static assertion failed: "([^"]*)"', done.stderr) == []
        assert "error" not in done.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"struct x { int a; missing_t b; };", "missing_t"),
        (b"struct x { int a; } SOME_PACKED;", "a macro behind it"),
        (b"#pragma pack(2)\nstruct x { int a; };", "#pragma pack"),
        (b"struct x { int a;\n#ifdef CONFIG_A\n int b;\n#endif\n};", "members under conditions"),
        (b"struct x { int a; __kernel_uid_t u; };", "__kernel_uid_t"),
    ],
)
def test_what_cannot_be_computed_is_said_to_be_so(text: bytes, why: str, repo: Repo, tmp_path: Path) -> None:
    found = told(surface(repo, tmp_path, {b"include/linux/shown.h": text}))
    assert found["struct x"].startswith(f"size not computed ({why})")

"""The kABI list on a made-up kernel: exports, signatures, layouts, whitelists, and files that are no C."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.csource.parse import parse
from backport.drift.exports import differing, exported
from backport.drift.kabi import check, parse_whitelist
from backport.drift.layout import compare, is_operations
from backport.model.finding import Finding, Level
from tests.drift.trees import applied
from tests.gitrepo import Repo

WATCH_H = b"""struct box;
struct watch_ops {
\tvoid (*start)(struct box *box, int how);
\tvoid (*stop)(struct box *box);
};
struct watch {
\tstruct watch_ops *ops;
\tint count;
};
struct plain {
\tlong a;
\tint b;
\tlong c;
};
typedef struct {
\tint x;
} odd_t;
extern int watch_add(struct watch *watch, int how);
void watch_remove(struct watch *watch);
int plain_use(struct plain *plain);
void hidden(struct plain *plain);
void odd_use(odd_t *odd);
extern int watch_count;
"""
WATCH_C = b"""#include <linux/watch.h>
int watch_count;
EXPORT_SYMBOL(watch_count);
/**
 * watch_add - adds
 */
int __must_check watch_add(struct watch *watch,
\t\t\t   int how)
{
\treturn 0;
}
EXPORT_SYMBOL_GPL(watch_add);

void watch_remove(struct watch *watch) { }
EXPORT_SYMBOL(watch_remove);
int plain_use(struct plain *plain) { return 0; }
EXPORT_SYMBOL(plain_use);
void odd_use(odd_t *odd) { }
EXPORT_SYMBOL(odd_use);
void hidden(struct plain *plain) { }
/* EXPORT_SYMBOL(hidden); */
"""
BASE = {b"include/linux/watch.h": WATCH_H, b"mm/watch.c": WATCH_C}


def run(repo: Repo, tmp_path: Path, changes: Mapping[bytes, bytes | None], *listed: str) -> list[Finding]:
    with applied(repo, BASE, changes, tmp_path / "store") as case:
        whitelist = frozenset(listed) if listed else None
        return list(check(case.series, case.onto, case.result, case.trees, case.store, whitelist))


def header(old: bytes, new: bytes) -> dict[bytes, bytes | None]:
    assert WATCH_H.count(old) == 1
    return {b"include/linux/watch.h": WATCH_H.replace(old, new)}


def source(old: bytes, new: bytes) -> dict[bytes, bytes | None]:
    assert WATCH_C.count(old) == 1
    return {b"mm/watch.c": WATCH_C.replace(old, new)}


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(str(found.level), found.kind, found.symbol) for found in findings]


# --- symbols --------------------------------------------------------------------------------------------------------------


def test_an_export_that_goes(repo: Repo, tmp_path: Path) -> None:
    assert told(run(repo, tmp_path, source(b"EXPORT_SYMBOL(watch_remove);\n", b""))) == [
        ("warning", "kabi-removed", "watch_remove")
    ]


def test_a_whole_file_that_goes(repo: Repo, tmp_path: Path) -> None:
    found = run(repo, tmp_path, {b"mm/watch.c": None}, "plain_use")
    assert {(f.kind, f.symbol) for f in found if f.level is Level.ERROR} == {("kabi-removed", "plain_use")}
    assert len(found) == 5


def test_an_export_that_moves_to_another_file_is_none(repo: Repo, tmp_path: Path) -> None:
    piece = b"void watch_remove(struct watch *watch) { }\nEXPORT_SYMBOL(watch_remove);\n"
    assert run(repo, tmp_path, source(piece, b"") | {b"mm/other.c": piece}) == []


def test_parameters_and_return_types(repo: Repo, tmp_path: Path) -> None:
    (found,) = run(repo, tmp_path, source(b"\t\t\t   int how)", b"\t\t\t   int how, long more)"))
    assert (found.level, found.kind, found.symbol, found.line) == (Level.WARNING, "kabi-signature", "watch_add", 8)
    assert "long more" in found.upstream
    assert "long more" not in found.target
    other = Repo.make(tmp_path / "other")
    (found,) = run(other, tmp_path / "2", source(b"void watch_remove(struct", b"int watch_remove(struct"), "watch_remove")
    assert (found.level, found.symbol) == (Level.ERROR, "watch_remove")


def test_names_annotations_and_blanks_are_no_difference(repo: Repo, tmp_path: Path) -> None:
    changes = source(
        b"int __must_check watch_add(struct watch *watch,\n\t\t\t   int how)", b"__ref int\nwatch_add(struct watch *w, int h)"
    )
    assert run(repo, tmp_path, changes) == []


def test_a_prototype_whose_definition_is_elsewhere(repo: Repo, tmp_path: Path) -> None:
    found = run(repo, tmp_path, header(b"int plain_use(struct plain *plain);", b"long plain_use(struct plain *plain);"))
    assert told(found) == [("warning", "kabi-signature", "plain_use")]


def test_what_is_not_exported_does_not_count(repo: Repo, tmp_path: Path) -> None:
    changes = source(b"void hidden(struct plain *plain)", b"int hidden(void)") | header(
        b"void hidden(struct plain *plain)", b"int hidden(void)"
    )
    assert run(repo, tmp_path, changes) == []


def test_a_variable_and_the_kind_of_export(repo: Repo, tmp_path: Path) -> None:
    changes = source(b"int watch_count;\nEXPORT_SYMBOL(watch_count);", b"long watch_count;\nEXPORT_SYMBOL(watch_count);")
    assert told(run(repo, tmp_path, changes)) == [("warning", "kabi-signature", "watch_count")]
    changes = source(b"EXPORT_SYMBOL(watch_remove)", b"EXPORT_SYMBOL_GPL(watch_remove)")
    (found,) = run(Repo.make(tmp_path / "other"), tmp_path / "2", changes)
    # the macro is another one: the same name, exported otherwise
    assert (found.kind, found.symbol, found.upstream) == ("kabi-signature", "watch_remove", "exported by EXPORT_SYMBOL_GPL")


# --- layouts --------------------------------------------------------------------------------------------------------------


def test_a_member_in_the_middle_of_operations_reaches_over_a_pointer(repo: Repo, tmp_path: Path) -> None:
    changes = header(b"\tvoid (*stop)", b"\t/* new */\n\tint (*change)(struct box *box);\n\tvoid (*stop)")
    found = run(repo, tmp_path, changes, "watch_add")
    assert told(found) == [("warning", "kabi-struct", "watch_ops"), ("error", "kabi-struct", "watch_add")]
    assert found[0].upstream == "change added in the middle, behind start"
    assert found[0].target == "reached by watch_add, watch_remove"
    assert {f.line for f in found} == {5}


@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        (b"\tlong c;\n", b"\tlong c;\n\tlong d;\n", "note", "d added at the end"),
        (b"\tint b;\n", b"\tint b;\n\tchar d;\n", "warning", "d added in the middle"),  # fills a hole on 64 bits only
        (b"\tint b;\n", b"", "warning", "b removed"),
        (b"\tint b;\n", b"\tunsigned b;\n", "warning", "b int became unsigned"),
        (b"\tlong a;\n\tint b;\n", b"\tint b;\n\tlong a;\n", "warning", "moved"),
        (
            b"\tvoid (*stop)(struct box *box);\n",
            b"\tvoid (*stop)(struct box *box);\n\tint (*more)(void);\n",
            "warning",
            "at the end",
        ),
        (b"\tint x;\n", b"\tlong x;\n", "warning", "x int became long"),
    ],
)
def test_what_changes_a_layout(repo: Repo, tmp_path: Path, old: bytes, new: bytes, level: str, words: str) -> None:
    (found,) = run(repo, tmp_path, header(old, new))
    assert (str(found.level), found.kind) == (level, "kabi-struct")
    assert words in found.upstream
    assert "reached by" in found.target


def test_what_nothing_exported_reaches_is_a_note(repo: Repo, tmp_path: Path) -> None:
    changes = source(b"EXPORT_SYMBOL(plain_use);\n", b"") | header(b"\tint b;\n", b"")
    with applied(
        repo, BASE | {b"mm/watch.c": WATCH_C.replace(b"EXPORT_SYMBOL(plain_use);\n", b"")}, changes, tmp_path / "s"
    ) as case:
        (found,) = check(case.series, case.onto, case.result, case.trees, case.store)
    assert (found.level, found.target) == (Level.NOTE, "no exported symbol was found that reaches it")


def test_comments_and_parameter_names_change_no_layout(repo: Repo, tmp_path: Path) -> None:
    changes = header(b"\tvoid (*start)(struct box *box, int how);", b"\t/* how */ void (*start)(struct box *b,\n\t\tint mode);")
    assert run(repo, tmp_path, changes) == []


def test_a_type_that_moves_to_another_header_is_the_same(repo: Repo, tmp_path: Path) -> None:
    piece = b"struct plain {\n\tlong a;\n\tint b;\n\tlong c;\n};\n"
    assert run(repo, tmp_path, header(piece, b"#include <linux/plain.h>\n") | {b"include/linux/plain.h": piece}) == []


def members(body: str) -> list:  # type: ignore[type-arg]
    return list(parse(f"struct s {{ {body} }};".encode()).types[0].members)


def test_a_hole_is_a_hole_on_32_and_64_bits() -> None:
    old, new = members("char a; int b;"), members("char a; char n; int b;")
    assert [(shift.what, shift.member) for shift in compare(old, new)] == [("hole", b"n")]
    old, new = members("spinlock_t l; char a; int b;"), members("spinlock_t l; char a; char n; int b;")
    assert [shift.what for shift in compare(old, new)] == ["middle"]  # how large a spinlock is, nobody knows here


def test_nested_members_and_bits() -> None:
    old, new = (
        members("union { int a; struct { int b; } u; }; int f : 3;"),
        members("union { int a; struct { long b; } u; }; int f : 4;"),
    )
    assert [(shift.what, shift.member) for shift in compare(old, new)] == [("type", b"u.b"), ("type", b"f")]
    assert is_operations(members("int (*a)(void); void (*b)(int); int c;"))
    assert not is_operations(members("int *a; long b;"))


# --- input ----------------------------------------------------------------------------------------------------------------


def test_whitelists_as_rhel_ships_them() -> None:
    text = (
        b"[rhel6_x86_64_whitelist]\n\tplain_use\n # comment\nwatch_add # why\n\n0xdeadbeef\tother\tvmlinux\tEXPORT_SYMBOL\n\xff\n"
    )
    assert parse_whitelist(text) == {"plain_use", "watch_add", "other", "\\xff"}
    assert parse_whitelist(b"") == frozenset()


def test_a_struct_that_cannot_be_read_is_said(repo: Repo, tmp_path: Path) -> None:
    found = run(repo, tmp_path, header(b"\tint b;\n", b"\tint b; @ ) ) STRANGE(((\n"))
    assert {f.kind for f in found} <= {"kabi-unread", "kabi-struct"}
    assert found


def test_what_is_no_c_at_all(repo: Repo, tmp_path: Path) -> None:
    rubbish = bytes(range(256)) * 200 + b"EXPORT_SYMBOL(\nEXPORT_SYMBOL(x);\n" + b"{" * 3000 + b"struct " * 1000
    assert isinstance(run(repo, tmp_path, {b"include/linux/watch.h": rubbish, b"mm/watch.c": rubbish}), list)


def test_no_change_no_finding(repo: Repo, tmp_path: Path) -> None:
    assert run(repo, tmp_path, {b"README": b"x"}) == []


def test_exports_and_branches() -> None:
    text = b'#define EXPORT_SYMBOL(sym) x\n/* EXPORT_SYMBOL(a); */ char *s = "EXPORT_SYMBOL(b);";\n'
    text += b"EXPORT_SYMBOL( c );\nEXPORT_UNUSED_SYMBOL_GPL(d);\n"
    assert exported(text) == {b"c": b"EXPORT_SYMBOL", b"d": b"EXPORT_UNUSED_SYMBOL_GPL"}
    old = b"#ifdef A\nint f(int a) { return 1; }\n#else\nint f(int a) { return 2; }\n#endif\n"
    assert not list(differing(old, old.replace(b"int a", b"int b"), ("function",)))
    assert [
        name for name, _, _ in differing(old, old.replace(b"f(int a) { return 2", b"f(long a) { return 2"), ("function",))
    ] == [b"f"]

"""Whether the text that a clean merge makes hangs together."""

from __future__ import annotations

import pytest

from backport.drift.merged import merge_faults, unbalanced

OLD = b"static int f(int a, int gone)\n{\n\treturn a + gone;\n}\n"
NEW = b"static int f(int a)\n{\n\treturn a;\n}\n"


def faults(before: bytes, merged: bytes, upstream: bytes, known: bytes = b"") -> list[tuple[str, bytes, int]]:
    return [(m.kind, m.name, m.line) for m in merge_faults(b"f.c", before, merged, upstream, lambda names: names & {known})]


def test_a_parameter_that_is_taken_away_and_still_used() -> None:
    merged = b"static int f(int a)\n{\n\treturn a + gone;\n}\n"
    assert faults(OLD, merged, b"\n" + NEW) == [("absent-local", b"gone", 2)]
    assert faults(OLD, merged, NEW, b"gone") == []  # a global of that name
    assert faults(OLD, merged, b"\n" + merged) == []  # upstream's own
    assert faults(OLD, merged, b"/* once:\n" + merged + b"*/\n") == [("absent-local", b"gone", 1)]


@pytest.mark.parametrize("use", [b"x->gone", b"x.gone", b"0; /* gone */", b"1"])
def test_what_only_looks_like_a_use(use: bytes) -> None:
    assert faults(OLD, b"static int f(int a)\n{\n\treturn " + use + b";\n}\n", NEW) == []


def test_a_label_that_is_taken_away_and_still_the_goal_of_a_goto() -> None:
    before = b"int f(int a)\n{\n\tif (a)\n\t\tgoto out;\nout:\n\treturn 1;\n}\n"
    assert faults(before, before.replace(b"out:\n", b""), NEW) == [("absent-label", b"out", 1)]


def test_a_function_that_both_sides_brought() -> None:
    assert faults(OLD, OLD + b"int g(void)\n{\n}\n" * 2, NEW + b"int g(void)\n{\n}\n") == [("defined-twice", b"g", 5)]
    assert faults(OLD * 2, OLD * 2 + b"\n", NEW) == []  # under #if, say: the target had two already


def test_a_block_that_only_one_half_closes() -> None:
    before = b"#ifdef A\nint x;\n#endif\n"
    assert faults(before, b"#ifdef A\n" + before, before) == [("unbalanced-conditional", b"#ifdef A", 1)]
    assert faults(b"#ifdef A\n" + before, b"#ifdef A\n" + before, before) == []  # the target's own


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"#if 1\n#else\n#endif\n", None),
        (b"#endif /* x */\n", (b"#endif", 1)),
        (b"\n#ifndef B\n#if C\n#endif\n", (b"#ifndef B", 2)),
        (b"/*\n#if 0\n*/\n", None),
    ],
)
def test_conditionals_are_paired(text: bytes, found: tuple[bytes, int] | None) -> None:
    assert unbalanced(text) == found

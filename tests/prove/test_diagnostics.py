"""What is new of what a compiler said."""

from __future__ import annotations

from pathlib import Path

from backport.prove.diagnostics import Diagnostic, new, parse

SOURCE = Path("/cache/src")


def warning(line: int, message: str = "unused variable 'x' [-Wunused-variable]", path: bytes = b"mm/a.c") -> Diagnostic:
    return Diagnostic(path, line, False, message)


def test_gcc_is_read() -> None:
    said = (
        b"In file included from /cache/src/mm/a.c:3:\n"
        b"/cache/src/include/linux/x.h:10:2: warning: odd [-Wodd]\n"
        b"   10 |  #define X\n"
        b"/cache/src/mm/../mm/a.c:7: error: 'y' undeclared (first use in this function)\n"
        b"include/generated.h:1:1: note: see here\n"
        b"status 1\n"
    )
    compiled = parse("mm/a.o", said, SOURCE)
    assert not compiled.made
    assert compiled.diagnostics == (
        Diagnostic(b"include/linux/x.h", 10, False, "odd [-Wodd]"),
        Diagnostic(b"mm/a.c", 7, True, "'y' undeclared (first use in this function)"),
    )


def test_no_status_is_no_object() -> None:
    assert not parse("mm/a.o", b"", SOURCE).made
    assert parse("mm/a.o", b"status 0\n", SOURCE).made


def test_a_diagnostic_that_moved_is_old() -> None:
    assert new([warning(3)], [warning(9)]) == []


def test_one_more_of_the_same_words_is_new_and_on_the_added_line() -> None:
    assert new([warning(3)], [warning(3), warning(9)], [(b"mm/a.c", 3)]) == [warning(3)]
    assert new([warning(3)], [warning(3), warning(9)], [(b"mm/a.c", 9)]) == [warning(9)]


def test_other_words_or_another_file_are_new() -> None:
    fresh = [warning(3, "other"), warning(3, path=b"mm/b.c")]
    assert new([warning(3)], fresh) == fresh


def test_one_that_went_away_is_nothing() -> None:
    assert new([warning(3), warning(4)], [warning(3)]) == []

"""Commits that change little: what is told apart, and what is not taken for it."""

from __future__ import annotations

import pytest

from backport.replay.prerequisites.incidental import incidental

Hunks = list[tuple[list[bytes], list[bytes]]]


@pytest.mark.parametrize(
    ("hunks", "told"),
    [
        ([([b"int a;"], [b"int  a;"]), ([b"\tx();"], [b"        x ();"])], "only white space"),
        ([([b"f(a,", b"  b);"], [b"f(a, b);"])], "only white space"),
        ([([b"/* old */"], [b"/* new", b" */"]), ([b"a(); // x"], [b"a();"])], "only comments"),
        ([([b"set(a, b);"], [b"put(a, b);"]), ([b"x = set;"], [b"x = put;"])], "only renames (set to put)"),
        ([([b"a1(x);", b"a2(x);"], [b"b1(x);", b"b2(x);"])], "only renames (a1 to b1 and 1 more)"),
        ([], ""),
        ([([b"f(a);"], [b"f(a, 0);"])], ""),  # an argument more
        ([([b"a = 1;"], [b"a = 2;"])], ""),  # a number is no name
        ([([b"f(a);"], [b"f(b);"]), ([b"g(a);"], [b"g(c);"])], ""),  # one name became two
        ([([], [b"new_line();"])], ""),
    ],
)
def test_what_is_told(hunks: Hunks, told: str) -> None:
    assert incidental(hunks) == told


def test_a_rename_may_sort_a_tenth_of_its_lines_anew() -> None:
    renames: Hunks = [([b"perf_old(%d);" % i], [b"perf_new(%d);" % i]) for i in range(20)]
    assert incidental([*renames, ([b"#include <a.h>"], [])]) == "only renames (perf_old to perf_new)"
    assert incidental([*renames[:3], ([b"#include <a.h>"], [])]) == ""

"""Which mutants there are, and in which order they are tried."""

from __future__ import annotations

from backport.prove.mutants import candidates, choose

BASE = b"""int f(int a)
{
\tif (a)
\t\treturn 1;
\treturn g(a);
}
"""
TIP = b"""/* what f is for */
int f(int a)
{
\tif (a)
\t\treturn 1;
\tif (!h(a) && a > (2)) {
\t\treturn 2;
\t}
\treturn k(a);
}
"""


def test_hunks_and_conditions_of_the_series_only() -> None:
    names = [mutant.name for mutant in candidates(b"mm/f.c", BASE, TIP)]
    assert names == [
        "mm/f.c:6 condition turned: if (!h(a) && a > (2))",
        "mm/f.c:6 hunk left out: return k(a);",
    ]


def test_a_turned_condition_is_turned_and_nothing_else() -> None:
    (mutant,) = [m for m in candidates(b"f.c", BASE, TIP) if "turned" in m.what]
    assert mutant.content == TIP.replace(b"if (!h(a) && a > (2)) {", b"if (!(!h(a) && a > (2))) {")


def test_a_hunk_left_out_gives_the_targets_lines_back() -> None:
    (mutant,) = [m for m in candidates(b"f.c", BASE, TIP) if "left out" in m.what]
    assert mutant.content == b"/* what f is for */\n" + BASE.replace(b"}\n", b"#line 10\n}\n")


def test_a_condition_over_two_lines_is_let_be() -> None:
    assert candidates(b"f.c", b"", b"\tif (a &&\n\t    b)\n\t\tc();\n") == []


def test_a_new_file_is_not_one_hunk() -> None:
    assert [m.what for m in candidates(b"f.c", b"", b"\tif (a)\n\t\tb();\n")] == ["condition turned: if (a)"]


def test_files_take_turns_and_each_is_spread() -> None:
    long = candidates(b"long.c", b"", b"".join(b"\tif (a%d)\n" % number for number in range(100)))
    short = candidates(b"short.c", b"", b"\tif (x)\n\tif (y)\n")
    order = choose([long, short], 4)
    assert [m.path for m in order[:3]] == [b"long.c", b"short.c", b"long.c"]
    assert sum(m.path == b"short.c" for m in order[:10]) == 2
    assert [m.line for m in order if m.path == b"long.c"][:4] == [13, 38, 63, 88]
    assert len(order) == 102
    assert len(set(order)) == 102
    assert order == choose([long, short], 4)

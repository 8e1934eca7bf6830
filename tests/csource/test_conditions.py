"""What the #if lines around a line ask of the configuration."""

from __future__ import annotations

import pytest

from backport.csource.conditions import Conditions

TEXT = b"""int always;
#ifdef CONFIG_A
int a;
#if defined(CONFIG_B) && !defined(CONFIG_C)
int b;
#else
int unclear;
#endif
#else
int not_a;
#endif
#if defined(CONFIG_A) || defined(CONFIG_B)
int either;
#elif CONFIG_D
int d;
#endif
/* #ifdef CONFIG_COMMENT */
int last;
#ifndef CONFIG_E
int not_e;
#endif
#if (defined CONFIG_F)
int f;
#endif
"""


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (1, set()), (3, {b"CONFIG_A"}), (5, {b"CONFIG_A", b"CONFIG_B", b"!CONFIG_C"}), (7, {b"CONFIG_A"}), (10, {b"!CONFIG_A"}),
        (13, set()), (15, {b"CONFIG_D"}), (17, set()), (18, set()), (20, {b"!CONFIG_E"}), (23, {b"CONFIG_F"}),
    ],
)  # fmt: skip
def test_what_a_line_needs(line: int, wanted: set[bytes]) -> None:
    assert Conditions(TEXT).at(line) == wanted


@pytest.mark.parametrize("text", [b"#endif\n#else\nCONFIG_\n", b"#if CONFIG_A\n" * 5, b"#elif CONFIG_A\nint a;\n", b""])
def test_what_is_unbalanced_is_read_as_far_as_it_goes(text: bytes) -> None:
    assert all(wanted <= {b"CONFIG_A"} for wanted in map(Conditions(text).at, range(8)))

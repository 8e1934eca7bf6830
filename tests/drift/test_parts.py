"""The small judgements: where a line lands, what a name was called before."""

from __future__ import annotations

import pytest

from backport.csource.outline import outline
from backport.drift.landing import Landing
from backport.drift.origin import renamed_from

OLD = b"a();\nb();\nc();\nd();\n"
NEW = b"a();\nnew(x);\nc();\nd();\nmore(y);\n"


@pytest.mark.parametrize(
    ("target", "sure"),
    [
        (OLD, True),
        (b"zero();\n" + OLD, True),
        (b"a();\nB();\nc();\nd();\n", False),  # what it replaces reads otherwise
        (b"A();\nb();\nc();\nd();\n", False),  # the line before
        (b"  a();\n\tb();\n c();\n", True),
    ],
)
def test_a_line_lands_where_its_neighbours_are(target: bytes, sure: bool) -> None:
    assert Landing(OLD, NEW, [2, 5], target).sure(2) is sure


def test_an_old_text_that_does_not_belong_is_no_crash() -> None:
    assert Landing(b"other\n", NEW, [2, 5], OLD).sure(2) in (True, False)


@pytest.mark.parametrize(
    ("before", "after", "name", "was"),
    [
        (b"static void set_shadow_pte(u64 *sptep, u64 spte)\n{\n}\n", b"static void __set_spte(u64 *sptep, u64 spte)\n{\n}\n",
         b"__set_spte", b"set_shadow_pte"),
        (b"#define OLD_FLAG (1 << 3)\n", b"#define NEW_FLAG (1 << 3)\n", b"NEW_FLAG", b"OLD_FLAG"),
        (b"void one(int a);\n", b"void one(int a);\nvoid two(int a);\n", b"two", b""),  # the old one is still there
        (b"void one(int a);\nvoid two(int a);\n", b"void three(int a);\n", b"three", b""),  # which of both
        (b"void one(int a);\n", b"void two(int a, int b);\n", b"two", b""),  # another signature
    ],
)  # fmt: skip
def test_a_rename_is_a_removed_definition_of_the_same_shape(before: bytes, after: bytes, name: bytes, was: bytes) -> None:
    assert renamed_from(name, outline(before).declarations, outline(after).declarations) == was

"""Struct members that a header loses and that other files still name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.drift import lostmembers
from backport.model.finding import Finding
from tests.drift.repository import landed

BOX = "include/linux/box.h"
HEADER = b"struct box {\n\tint size;\n\tint count;\n};\nstruct other {\n\tint count;\n};\n"
USER = b"#include <linux/box.h>\nint user(struct box *box, struct other *other)\n{\n\treturn box->count + other->count;\n}\n"
LESS = HEADER.replace(b"\tint count;\n", b"", 1)


def found(
    tmp_path: Path,
    between: Mapping[str, bytes | None],
    patch: Mapping[str, bytes],
    user: bytes = USER,
    at: str = "fs/user.c",
    also: Mapping[str, bytes] | None = None,
) -> tuple[list[Finding], str]:
    """What is found where upstream did `between` before the patch, and the commit of that."""
    with landed(tmp_path, {BOX: HEADER, at: user, **(also or {})}, between, patch) as it:
        return list(lostmembers.check(it.series, it.before, it.after, it.bench)[0]), it.between


def test_a_user_that_upstream_had_converted_before(tmp_path: Path) -> None:
    (finding,), before = found(tmp_path, {"fs/user.c": USER.replace(b"box->count + ", b"")}, {BOX: LESS})
    assert (finding.level, finding.kind, finding.symbol, finding.path) == ("error", "old-code-breaks", "count", BOX.encode())
    assert finding.upstream == "taken out of struct box in include/linux/box.h"
    assert finding.target == "fs/user.c:4 still uses it as it was"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == before


def test_an_initialiser_that_names_it(tmp_path: Path) -> None:
    user = b"#include <linux/box.h>\nstatic struct box box = {\n\t.size = 1,\n\t.count = 2,\n};\n"
    (finding,), _ = found(tmp_path, {"fs/user.c": user.replace(b"\t.count = 2,\n", b"")}, {BOX: LESS}, user)
    assert (finding.symbol, finding.target) == ("count", "fs/user.c:4 still uses it as it was")


def test_one_that_names_it_through_another_struct(tmp_path: Path) -> None:
    holder = b"#include <linux/box.h>\nstruct shelf { struct box *box; struct other other; };\n"
    user = (
        b"#include <linux/shelf.h>\nint user(struct shelf *shelf)\n{\n\treturn shelf->other.count +\n\t\tshelf->box->count;\n}\n"
    )
    between = {"fs/user.c": user.replace(b" +\n\t\tshelf->box->count", b"")}
    (finding,), _ = found(tmp_path, between, {BOX: LESS}, user, also={"include/linux/shelf.h": holder})
    assert (finding.symbol, finding.target) == ("count", "fs/user.c:5 still uses it as it was")


def test_a_user_of_another_architecture_is_a_warning(tmp_path: Path) -> None:
    (finding,), _ = found(tmp_path, {"arch/sparc/user.c": None}, {BOX: LESS}, at="arch/sparc/user.c")
    assert finding.level == "warning"


@pytest.mark.parametrize(
    ("patch", "user"),
    [
        ({BOX: LESS, "fs/user.c": USER.replace(b"box->count + ", b"")}, USER),
        ({BOX: LESS}, USER.replace(b"box->count + ", b"")),
        ({BOX: HEADER.replace(b"size;\n\tint count", b"count;\n\tint size")}, USER),
        ({BOX: HEADER.replace(b"\tint count;\n", b"\tunion {\n\t\tint count;\n\t\tlong all;\n\t};\n", 1)}, USER),
        ({BOX: LESS}, USER.replace(b"other)", b"other, int (*count)(void))").replace(b"box->count", b"count()")),
    ],
    ids=["converts it itself", "another struct's", "moved", "into a union", "another thing"],
)
def test_what_breaks_nothing(tmp_path: Path, patch: Mapping[str, bytes], user: bytes) -> None:
    assert found(tmp_path, {"README": b"\n"}, patch, user)[0] == []

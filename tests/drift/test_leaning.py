"""Code that the series leaves alone and breaks, in files that it does not touch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.drift import leaning
from backport.model.finding import Finding
from tests.drift.repository import Kernel, landed, put_on

MM = "include/linux/mm.h"
HEADER = b"struct page { unsigned long flags; };\nint old_way(int a);\nint stays(int a);\n"
USER = b"#include <linux/mm.h>\nint user(void)\n{\n\treturn old_way(1) + stays(2);\n}\n"


def found(
    tmp_path: Path, between: Mapping[str, bytes | None], patch: Mapping[str, bytes | None], user: str = "fs/user.c"
) -> tuple[list[Finding], str]:
    """What is found where upstream did `between` before the patch, and the commit of that."""
    with landed(tmp_path, {MM: HEADER, user: USER}, between, patch) as it:
        return list(leaning.check(it.series, it.before, it.after, it.bench)[0]), it.between


LESS = {MM: HEADER.replace(b"int old_way(int a);\n", b"")}
CONVERTED = USER.replace(b"old_way(1) + ", b"")


def test_a_user_that_upstream_had_converted_before(tmp_path: Path) -> None:
    (finding,), before = found(tmp_path, {"fs/user.c": CONVERTED}, LESS)
    assert (finding.level, finding.kind, finding.symbol, finding.path) == ("error", "old-code-breaks", "old_way", MM.encode())
    assert finding.target == "fs/user.c:4 still uses it as it was"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == before
    assert finding.hint == "convert fs/user.c as upstream did, or keep old_way for it"


def test_a_user_of_another_architecture_is_a_warning(tmp_path: Path) -> None:
    (finding,), _ = found(tmp_path, {"arch/sparc/mm/user.c": None}, LESS, "arch/sparc/mm/user.c")
    assert finding.level == "warning"


def test_a_use_that_the_patch_itself_left_upstream_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    kernel = Kernel(tmp_path / "kernel")
    kernel.base = kernel.commit("release", {MM: HEADER, "fs/user.c": USER})
    takes = kernel.commit("mm: take it away", LESS)
    kernel.commit("fs: what was forgotten", {"fs/user.c": CONVERTED})
    last = kernel.commit("fs: more", {"fs/more.c": b"int more;\n"})
    with put_on(kernel, takes, last) as it:
        (finding,) = leaning.check(it.series, it.before, it.after, it.bench)[0]
    assert (finding.level, finding.symbol, finding.patch) == ("warning", "old_way", takes)
    assert finding.upstream == f"taken out of {MM}; {takes[:12]} left this use upstream too"


def test_a_caller_with_the_old_number_of_arguments(tmp_path: Path) -> None:
    more = {MM: HEADER.replace(b"stays(int a)", b"stays(int a, int b)")}
    (finding,), _ = found(tmp_path, {"fs/user.c": USER.replace(b"stays(2)", b"0")}, more)
    assert (finding.symbol, finding.upstream) == ("stays", "takes other arguments in include/linux/mm.h")


@pytest.mark.parametrize(
    "patch",
    [
        LESS | {"fs/user.c": CONVERTED},  # the series converts it
        LESS | {"include/linux/list.h": b"int old_way(int a);\n"},  # moved
        {MM: HEADER + b"int new_way(int a);\n"},
    ],
)
def test_what_breaks_nothing(tmp_path: Path, patch: Mapping[str, bytes | None]) -> None:
    between = {} if "fs/user.c" in patch else {"fs/other.c": b"int x;\n"}
    assert found(tmp_path, between or {"fs/other.c": b"int y;\n"}, patch)[0] == []

"""Sysctls, module parameters and system calls that the target has twice or elsewhere after the merge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.drift import taken
from backport.model.finding import Finding
from tests.drift.repository import landed

FILE, CALLS = "mm/sysctl.c", "arch/x86/kernel/syscall_table_32.S"
REST = b"".join(b'\t{ .procname = "other%d" },\n' % number for number in range(8))
NEW = b'\t{ .ctl_name = VM_NEW, .procname = "new" },\n'
TABLE = b"static struct ctl_table vm_table[] = {\n" + REST + b"\t{ }\n};\n"
LAST = TABLE.replace(b"\t{ }\n", NEW + b"\t{ }\n")
FIRST = TABLE.replace(REST, NEW + REST)
PARAM = b"module_param(depth, int, 0644);\n"
PARAMS = b"static int a;\nstatic int b;\nstatic int c;\nstatic int d;\nstatic int e;\nstatic int f;\nstatic int g;\n"
CALLED = b"ENTRY(sys_call_table)\n" + b"".join(b"\t.long sys_%d\n" % number for number in range(12)) + b"\t.long sys_last\n"


def found(
    tmp_path: Path, release: Mapping[str, bytes], between: Mapping[str, bytes], patch: Mapping[str, bytes]
) -> list[Finding]:
    """What is found where the target is the release, and upstream did `between` before the patch."""
    with landed(tmp_path, release, between, patch) as it:
        assert it.after != it.before
        return list(taken.check(it.series, it.after, it.bench))


def test_a_sysctl_that_the_target_has_in_the_same_table(tmp_path: Path) -> None:
    name, number = found(tmp_path, {FILE: LAST}, {FILE: TABLE}, {FILE: FIRST})
    assert (name.level, name.kind, name.symbol, name.line) == ("error", "number-clash", "new", 2)
    assert name.upstream == "adds the sysctl new"
    assert name.target == "stands twice after the merge, on lines 2 and 11 in vm_table"
    assert (number.symbol, number.upstream) == ("VM_NEW", "adds the sysctl number VM_NEW")


def test_a_module_parameter_that_the_target_has(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, {FILE: PARAMS + PARAM}, {FILE: PARAMS}, {FILE: PARAM + PARAMS})
    assert (finding.symbol, finding.upstream) == ("depth", "adds the module parameter depth")
    assert finding.target == "stands twice after the merge, on lines 1 and 9"


@pytest.mark.parametrize(
    ("release", "patch"),
    [
        (TABLE, FIRST),
        (TABLE + LAST.replace(b"vm_table", b"fs_table"), FIRST + LAST.replace(b"vm_table", b"fs_table")),
        (TABLE, TABLE.replace(REST, b"#ifdef A\n" + NEW + b"#else\n" + NEW + b"#endif\n" + REST)),
    ],
    ids=["new", "another table has it", "upstream has it in two branches"],
)
def test_what_upstream_has_as_well_is_no_clash(tmp_path: Path, release: bytes, patch: bytes) -> None:
    assert found(tmp_path, {FILE: release}, {"README": b"\n"}, {FILE: patch}) == []


def test_a_call_gets_the_number_of_its_place(tmp_path: Path) -> None:
    before = CALLED.replace(b"\t.long sys_2\n", b"\t.long sys_2\n\t.long sys_early\n")
    (finding,) = found(tmp_path, {CALLS: CALLED}, {CALLS: before}, {CALLS: before + b"\t.long sys_new\t/* 14 */\n"})
    assert (finding.symbol, finding.upstream, finding.target) == (
        "sys_new", "sys_new is call 14", "it would be call 13 after the merge",
    )  # fmt: skip
    assert (finding.path, finding.line) == (CALLS.encode(), 16)


def test_a_call_at_its_place_is_right(tmp_path: Path) -> None:
    assert found(tmp_path, {CALLS: CALLED}, {"README": b"\n"}, {CALLS: CALLED + b"\t.long sys_new\n"}) == []

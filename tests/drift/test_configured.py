"""Names that are only there under another configuration."""

from __future__ import annotations

import pytest

from backport.model.finding import Level
from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, Check, guard, kernel, said

__all__ = ["guard", "kernel"]

MM = "include/linux/mm.h"
UNDER = b"#ifdef CONFIG_NUMA\nint node_of(int pfn);\n#endif\n"
USE = b"\treclaimed += node_of(1);\n"


def release(kernel: Kernel, under: bytes, makefile: bytes = b"obj-y += scan.o\n") -> None:
    kernel.base = kernel.commit("mm: nodes", {MM: (kernel.folder / MM).read_bytes() + under, "mm/Makefile": makefile})


def test_a_prototype_that_upstream_made_unconditional(kernel: Kernel, guard: Check) -> None:
    release(kernel, UNDER)
    cause = kernel.edit("mm: for all", MM, UNDER, b"int node_of(int pfn);\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", USE)
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.symbol) == (Level.WARNING, "other-configuration", "node_of")
    assert finding.target == "only with CONFIG_NUMA at include/linux/mm.h:10 (prototype)"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause


@pytest.mark.parametrize(
    ("under", "now", "makefile", "use"),
    [
        (UNDER, UNDER + b"int more;\n", b"obj-y += scan.o\n", USE),  # upstream needs it as well
        (UNDER + b"#ifndef CONFIG_NUMA\n#define node_of(x) 0\n#endif\n", b"int node_of(int pfn);\n", b"obj-y += scan.o\n", USE),
        (UNDER, b"int node_of(int pfn);\n", b"obj-$(CONFIG_NUMA) += scan.o\n", USE),
        (UNDER, b"int node_of(int pfn);\n", b"obj-y += scan.o\n", b"#ifdef CONFIG_NUMA\n" + USE + b"#endif\n"),
    ],
    ids=["upstream too", "stub", "makefile", "guarded"],
)
def test_what_is_there_wherever_it_is_used(
    kernel: Kernel, guard: Check, under: bytes, now: bytes, makefile: bytes, use: bytes
) -> None:
    release(kernel, under, makefile)
    kernel.edit("mm: for all", MM, under, now)
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", use)
    assert said(guard(patch)) == []

"""Enumerators that stand elsewhere in the target."""

from __future__ import annotations

import pytest

from backport.model.finding import Level
from tests.drift.repository import Kernel
from tests.drift.test_undeclared import SCAN, Check, guard, kernel, said

__all__ = ["guard", "kernel"]

MM = "include/linux/mm.h"
ENUM = b"enum zone { ZONE_DMA,\n\tZONE_HIGH,\n\tZONE_LAST = 9 };\n"


def test_one_that_upstream_put_another_before(kernel: Kernel, guard: Check) -> None:
    kernel.base = kernel.commit("mm: zones", {MM: (kernel.folder / MM).read_bytes() + ENUM})
    cause = kernel.edit("mm: one more zone", MM, b"ZONE_DMA,\n", b"ZONE_DMA,\n\tZONE_NORMAL,\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\tif (pfn < ZONE_HIGH && pfn != ZONE_LAST)\n\t\treclaimed++;\n")
    (finding,) = guard(patch).findings
    assert (finding.level, finding.kind, finding.symbol, finding.line) == (Level.NOTE, "other-number", "ZONE_HIGH", 11)
    assert (finding.upstream, finding.target) == ("ZONE_HIGH is 2", "1 at include/linux/mm.h:10 (constant)")
    assert finding.hint == "upstream has ZONE_NORMAL before it"
    assert finding.introduced_by is not None
    assert finding.introduced_by.commit == cause


@pytest.mark.parametrize(
    "now",
    [
        ENUM.replace(b"ZONE_HIGH,", b"ZONE_HIGH,\n\tZONE_BEHIND,"),
        ENUM.replace(b"ZONE_DMA,", b"ZONE_DMA,\n#ifdef A\n\tZONE_A,\n#endif\n"),
    ],
    ids=["behind", "conditional"],
)
def test_one_that_has_its_number_or_none_for_sure(kernel: Kernel, guard: Check, now: bytes) -> None:
    kernel.base = kernel.commit("mm: zones", {MM: (kernel.folder / MM).read_bytes() + ENUM})
    kernel.edit("mm: another", MM, ENUM, now)
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += ZONE_HIGH;\n")
    assert said(guard(patch)) == []


def test_an_enum_that_the_series_changes_is_its_own(kernel: Kernel, guard: Check) -> None:
    kernel.base = kernel.commit("mm: zones", {MM: (kernel.folder / MM).read_bytes() + ENUM})
    first = kernel.edit("mm: one more zone", MM, b"ZONE_DMA,\n", b"ZONE_DMA,\n\tZONE_NORMAL,\n")
    patch = kernel.edit("mm: use", SCAN, b"\treclaimed++;\n", b"\treclaimed += ZONE_HIGH;\n")
    assert said(guard(first, patch)) == []

"""Findings to render: plain ones, and one in which every text is a trap."""

from __future__ import annotations

from backport.model.finding import Finding, Level
from backport.model.verdict import Cause

CAUSE = Cause("d555c333aa544b222fe077adcd5dfea024b2c913", "KVM: MMU: s/shadow_pte/spte/", "first added __set_spte to mmu.c")
PLAIN = (
    Finding(Level.NOTE, "kabi-struct", "mmu_notifier_ops", "8" * 40, b"include/linux/mmu_notifier.h", 68, "change_pte added"),
    Finding(
        Level.ERROR,
        "absent-symbol",
        "__set_spte",
        "3" * 40,
        b"arch/x86/kvm/mmu.c",
        802,
        "a function",
        "",
        CAUSE,
        "set_shadow_pte",
    ),
    Finding(Level.WARNING, "kconfig-unmet", "KSM", "", b"", 0, "KSM=y is wanted", "arm: MMU"),
    Finding(Level.WARNING, "kconfig-unmet", "KSM", "", b"", 0, "KSM=y is wanted", "arm: MMU"),
)
TRAP = "a\nb\r::error::owned%0A,:x [link](http://evil) {0} \\ \x1b[31m \u202e \ud800 \x00 漢"
HOSTILE = (
    Finding(
        Level.ERROR,
        "odd kind\n::",
        TRAP,
        TRAP,
        b"dr\xffi%20v:er,s/a\nb\r/\x1b[1m{x}.c",
        3,
        TRAP,
        TRAP,
        Cause(TRAP, TRAP, TRAP),
        TRAP,
    ),
    Finding(Level.NOTE, "", "", "", b"/abs/../x", -5),
)

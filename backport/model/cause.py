"""What made a difference between upstream and the target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """An upstream commit (or a patch of the series that was left out) that made the difference.

    `why` says how it was found, in words a person can check: "changed lines 786-795 of arch/x86/kvm/mmu.c".
    """

    commit: str
    subject: str
    why: str

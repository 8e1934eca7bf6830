"""The guard: asked about every patch that merged cleanly or that a rule resolved, before it may land."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backport.model.finding import Finding
from backport.model.series import Patch


class Guard(Protocol):
    """What the replay asks about the meaning of the added lines (the checks of the text, `guard.text`, it makes itself).

    Patches come in the order of the series; only what landed counts as part of the target.
    """

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        """What the added lines of a patch mean in the target as it is now, and whether that is what they meant upstream.

        `tree` is the target with the patch applied, '' where it conflicts.
        """

    def accept(self, patch: Patch) -> None:
        """The patch landed: from now on its declarations are the target's."""


class Trusting:
    """Believes everything. For measuring the merges alone, and for tests of them."""

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        """Nothing."""
        return ()

    def accept(self, patch: Patch) -> None:
        """Nothing changes."""


def refusal(findings: Sequence[Finding]) -> str:
    """Why a patch may not land, in one phrase; '' where it may. Faults of the text come before names that are missing."""
    blocking = [found for found in findings if found.blocks]
    placed = next((found for found in blocking if found.kind in TEXT_KINDS), None)
    if placed is not None:
        return f"{placed.symbol}: {placed.target}"
    names = list(dict.fromkeys(found.symbol for found in blocking))
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"it needs {', '.join(names[:3])}{more}: see the findings"


TEXT_KINDS = (
    "other-function",
    "left-over",
    "doubled-line",
    "doubled-block",
    "second-place",
    "parses-worse",
    "other-label",
    "other-return",
    "other-type",
    "stands-otherwise",
    "strange-word",
    "unchecked-text",
)

"""How a stage tells whoever watches what it is doing. The stages never print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from backport.model.verdict import PatchOutcome


class Progress(Protocol):
    """A watcher of a run. Every call is cheap and may be ignored; a stage that raises is not `done`."""

    def stage(self, name: str, total: int) -> None:
        """A stage begins; `total` steps are to come (0: unknown)."""

    def step(self, what: str) -> None:
        """One step of the current stage is done; `what` names it."""

    def patch(self, outcome: PatchOutcome) -> None:
        """The replay decided one patch."""

    def done(self, summary: str) -> None:
        """The current stage ended well; `summary` is one short phrase."""


class Silent:
    """A watcher that does not look: for tests, for --quiet, for --json."""

    def stage(self, name: str, total: int) -> None:
        """Ignore it."""

    def step(self, what: str) -> None:
        """Ignore it."""

    def patch(self, outcome: PatchOutcome) -> None:
        """Ignore it."""

    def done(self, summary: str) -> None:
        """Ignore it."""

"""What was known of a patch of an earlier revision that this one is again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """One patch: `commit` here was `earlier` in `revision`; `rule` says why the two are equal.

    "patch-id": git's own, the same lines in the same surroundings. "same change": each file gains and loses the same lines in
    the same order but for white space, other surroundings notwithstanding. `verdict` is what it was there on `onto` ('' where no
    run was at hand), `resolutions` and `accepted` how many decisions of a person came along.
    """

    commit: str
    subject: str
    earlier: str
    revision: str
    rule: str
    verdict: str = ""
    onto: str = ""
    resolutions: int = 0
    accepted: int = 0

    @property
    def why(self) -> str:
        """From which revision, and why equal, in a few words."""
        return f"{self.earlier[:12]} of {self.revision}, {self.rule}"

    @property
    def told(self) -> str:
        """The whole in one line."""
        was = f": {self.verdict} onto {self.onto}" if self.verdict else ""
        counts = [(self.resolutions, "resolution"), (self.accepted, "accepted finding")]
        kept = ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)
        return f"as {self.why}{was}" + (f"; with {kept} carried over" if kept else "")

"""Why a hunk stands where it stands: what a rule found, in a form that can be checked again without resolving again."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.cause import Cause

PROVED = "proved"
"""Among the checks of one answer whose proof is complete, where the file as a whole is only a suggestion."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hunk (or region) that a rule placed.

    `rule` is the rule's module name. `path`, `function` and `line` (1-based) are the place in the resulting file of the target,
    `offset` how many lines that is from where upstream has it. `why` is one sentence that a person can check; `causes` are the
    upstream commits that made a rule necessary; `checks` names the tests that the place passed ("unique", "same-function").
    """

    rule: str
    path: bytes
    function: str
    line: int
    offset: int
    why: str
    causes: tuple[Cause, ...] = ()
    checks: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether this place is settled for certain, though the file as a whole is only a suggestion."""
        return PROVED in self.checks

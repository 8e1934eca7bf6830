"""What moved between two states of a series: two postings, a posting and what was merged, what was merged and a backport."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.comparison import Part
from backport.model.uapi import ApiComparison


@dataclass(frozen=True, slots=True)
class Moved:
    """One patch: `before` and `after` are its titles, `numbers` its places; empty and 0 where it is not there.

    `rule` says what made the two one patch: "patch-id", "title", "lines", "words of the title". `parts` is empty where both do
    the same: where the lines stand, and among which others, is no difference.
    """

    numbers: tuple[int, int]
    before: str
    after: str
    rule: str
    parts: tuple[Part, ...]

    @property
    def word(self) -> str:
        """same, changed, renamed, added or dropped."""
        if not self.before or not self.after:
            return "added" if self.after else "dropped"
        if self.parts:
            return "changed"
        return "same" if self.before == self.after else "renamed"


@dataclass(frozen=True, slots=True)
class Movement:
    """All patches, and what programs see of it; None where that could not be looked at, and `why`."""

    names: tuple[str, str]
    moved: tuple[Moved, ...]
    api: ApiComparison | None
    why: str = ""

    @property
    def stable(self) -> bool:
        """Whether nothing differs in substance."""
        calm = all(one.word in ("same", "renamed") for one in self.moved)
        return calm and (self.api is None or self.api.stable)

    @property
    def verdict(self) -> str:
        """The whole in one line."""
        words = [one.word for one in self.moved]
        told = [f"{words.count(word)} {word}" for word in ("same", "renamed", "changed", "added", "dropped") if word in words]
        seen = f"not looked at ({self.why})" if self.api is None else self.api.verdict
        return f"{self.names[0]} → {self.names[1]}: {', '.join(told) or 'no patch'}; what programs see: {seen}"

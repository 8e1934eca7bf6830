"""What a check found: drift, a clash, a symbol that did not survive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backport.model.verdict import Cause


class Level(StrEnum):
    """How bad it is: an error needs a person (exit status 1), a warning deserves one, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, at one place.

    `kind` is a stable word ("absent-symbol", ...); `patch` the upstream commit on whose added line it stands; `path` and
    `line` (1-based) point into that commit's version of the file; `upstream` and `target` say what each side has;
    `introduced_by` is the upstream commit that made the difference, where it is known; `hint` the way out; `accepted` the
    reason for which somebody accepts it (see ingest/accepted.py), '' where nobody does.
    """

    level: Level
    kind: str
    symbol: str
    patch: str
    path: bytes
    line: int
    upstream: str = ""
    target: str = ""
    introduced_by: Cause | None = None
    hint: str = ""
    accepted: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it needs a person: an error that nobody has accepted."""
        return self.level is Level.ERROR and not self.accepted

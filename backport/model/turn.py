"""Where a person's turn stands, for display."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.finding import Finding
from backport.model.verdict import PatchOutcome


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the worktree that the patch is about: the line of its first conflict (0: none), and what is left to do ('')."""

    path: bytes
    line: int
    left: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One stop, or the end (`outcome` None): the patch that waits, its number among `total`, what the guard holds against it.

    `places` are the files that it is about, `around` counts those that they include. `refused` says why the last `continue` did
    not go on; `written` are the files in which it recorded a decision. `skipped` are patches that were left out, `unknown`
    files of the folder that nobody told git about.
    """

    series: str
    onto: str
    folder: str
    number: int
    total: int
    outcome: PatchOutcome | None
    findings: tuple[Finding, ...] = ()
    places: tuple[Place, ...] = ()
    around: int = 0
    refused: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    unknown: tuple[bytes, ...] = ()

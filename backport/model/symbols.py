"""What a name is in several versions of a tree."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.verdict import Cause


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration: `kind` as the reader of C names it (function, macro, struct ...), `signature` its head on one line."""

    path: bytes
    line: int
    kind: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class SymbolAnswers:
    """A name at each revision (in the order asked for), and the commits that changed lines with it between first and last."""

    versions: tuple[tuple[str, tuple[Declaration, ...]], ...]
    commits: tuple[Cause, ...]

    @property
    def differ(self) -> bool:
        """Whether two versions declare it differently; a move to another line is no difference."""
        shapes = {frozenset((d.path, d.kind, d.signature) for d in declared) for _, declared in self.versions}
        return len(shapes) > 1

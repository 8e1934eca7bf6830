"""The functions of a text as pieces that can be taken out and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from backport.csource.outline import outline
from backport.git.merge import rows


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `start`..`end` (0-based, end excluded) of a text."""

    start: int
    end: int

    def holds(self, a: int, b: int) -> bool:
        """Whether the lines a..b are within; between two lines is within where both are."""
        return self.start <= a and b <= self.end and (a < b or self.start < a < self.end)


@lru_cache(maxsize=64)
def functions(text: bytes) -> Mapping[bytes, tuple[Span, ...]]:
    """Where each function is defined, its head with what stands above the name on lines of its own; #if may give it twice."""
    lines = rows(text)
    found: dict[bytes, list[Span]] = {}
    for declared in outline(text).declarations:
        if declared.kind == "function" and declared.end > declared.line:
            start = _head(lines, declared.line - 1)
            found.setdefault(declared.name, []).append(Span(start, declared.end))
    return {name: tuple(spans) for name, spans in found.items()}


def holding(text: bytes, a: int, b: int) -> tuple[bytes, Span] | None:
    """The function that holds the lines a..b, and where it is; None where none does."""
    return next(((n, s) for n, spans in functions(text).items() for s in spans if s.holds(a, b)), None)


def _head(lines: Sequence[bytes], line: int) -> int:
    """The first line of a definition whose name is on `line`: a type or annotation may stand alone above it."""
    while line > 0 and (above := lines[line - 1].strip()) and not above.endswith((b"}", b";", b"*/", b")", b"{")):
        if above.startswith((b"#", b"//", b"/*", b"*")):
            break
        line -= 1
    return line

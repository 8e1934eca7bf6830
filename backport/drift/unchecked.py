"""What the guard could not look at, counted and listed: never silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from backport.model.result import Skipped
from backport.model.series import show_path

LARGEST = 4 << 20  # bytes; a file of more is a table: its words take six seconds
_TOLD = 5  # names or files of one reason that are listed
_REASONS = {
    "assembler": ("{} in assembler", "names in .S files are not checked", ""),
    "large": ("{} of more than 4 MB", "such a file is a table: its names are not checked", ""),
    "binary": ("{} that a NUL says is no text", "its names are not checked", ""),
    "absent": ("{} that the target does not have", "the replay says so too", ""),
    "unexplained": (
        "{} on added lines",
        "neither tree has a declaration that our reader understands (words made by macros)",
        "",
    ),
    "unsearched": (
        "{}",
        "the clone lacks objects, so that headers outside of the include closure could not be searched",
        "give a full clone with --kernel",
    ),
}


class Unchecked:
    """Files, and names in files, by the reason why they were not checked. What is asked about twice counts once."""

    def __init__(self) -> None:
        self._left: dict[str, set[tuple[bytes, bytes]]] = {}

    def leave(self, reason: str, path: bytes) -> None:
        """A whole file."""
        self._left.setdefault(reason, set()).add((path, b""))

    def leave_names(self, reason: str, path: bytes, names: Iterable[bytes]) -> None:
        """Names in a file."""
        self._left.setdefault(reason, set()).update((path, name) for name in names)

    def copy(self) -> Unchecked:
        """The same so far; what either leaves later the other does not know of."""
        other = Unchecked()
        other._left = {reason: set(left) for reason, left in self._left.items()}
        return other

    def skipped(self, stage: str) -> tuple[Skipped, ...]:
        """The same for the report, one entry for each reason."""
        reasons = [(self._left.get(reason), *words) for reason, words in _REASONS.items()]
        return tuple(Skipped(stage, what.format(_counted(left)), why, then) for left, what, why, then in reasons if left)


def _counted(left: Collection[tuple[bytes, bytes]]) -> str:
    """`7 names (BIT_FOO, bar, ...)`, or files; at most five are told."""
    told = sorted({show_path(name or path) for path, name in left})
    word = "name" if any(name for _, name in left) else "file"
    more = ", ..." if len(told) > _TOLD else ""
    return f"{len(told)} {word}{'s' * (len(told) > 1)} ({', '.join(told[:_TOLD])}{more})"

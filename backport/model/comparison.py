"""One patch against another in substance: what each adds and removes, wherever it stands and whatever is around it.

As `git range-diff` compares patches, but without their context: a line that moved, or stands among other lines, is the same line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.model.verdict import Verdict

Row = tuple[str, bytes]
"""A line that a patch adds or removes: its sign, + or -, and its text."""

_CONTEXT = 2  # lines that both have, shown on each side of a difference
_LONGEST = 4000  # lines of one file of one patch that are compared one by one; of more it is only said that they differ


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a patch: `side` is "before" (the first of the two, upstream), "after" (the second, the backport) or "both"."""

    side: str
    sign: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One place where the two differ: file (as the second calls it), function, line, and the lines with a few that they share.

    Function and line are '' and 0 where only patches were at hand, and no file. Without lines, the file as a whole is another:
    a binary one, or too many lines to be compared one by one.
    """

    path: bytes
    function: str
    line: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Upstream's patch against the backport's. `parts` is empty where both do the same, and where it did not land.

    `commit` is the backport's, empty where there is none.
    """

    upstream: str
    subject: str
    verdict: Verdict
    commit: str
    parts: tuple[Part, ...]
    reason: str = ""

    @property
    def same(self) -> bool:
        """Whether it landed and does what upstream's does."""
        return bool(self.commit) and not self.parts


def differing(before: Sequence[Row], after: Sequence[Row]) -> Iterator[tuple[int, tuple[Line, ...]]]:
    """Where what two patches do to one file differs: each place with its lines, and the row of `after` at which it begins.

    Nothing for equal ones; one place without lines for very long ones.
    """
    if before == after:
        return
    if len(before) + len(after) > _LONGEST:
        yield 0, ()
        return
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT):
        lines: list[Line] = []
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [Line("both", *row) for row in after[c:d]]
            else:
                lines += [Line("before", *row) for row in before[a:b]]
                lines += [Line("after", *row) for row in after[c:d]]
        yield next(c for tag, _, _, c, _ in group if tag != "equal"), tuple(lines)

"""What a person decided about a patch, in a form that finds its place again on another target.

A recording is known by its **key**: a hash over the conflict itself, without white space and line ends, and without where it
stood. So it holds for the same conflict at another line, in another file, in CRLF; and for no other. (`git rerere` keys the same
way, but by the bytes, and forgets what was decided when its clone goes.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was decided: a conflict of contents, other lines of a file, or a file as a whole."""

    CONFLICT = "conflict"
    LINES = "lines"
    FILE = "file"


class Choice(StrEnum):
    """What becomes of a whole file: as the target has it, as upstream has it, away, or as the text says."""

    TARGET = "target"
    UPSTREAM = "upstream"
    NOTHING = "nothing"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Recording:
    """One decision: `commit` and `subject` are the upstream patch's, `target` is where it was taken, `by` who took it.

    A **conflict** has the three sides of its lines, and the `above` and `below` lines beside it that go with them; `result`
    stands for all of that. **Lines** are not in conflict: `ours` between `above` and `below`, which stay, becomes `result`.
    A **file** that one side does not have (or that is no text) has the rule of its conflict ("absent", "deleted" ...) and a
    choice; `result` is its text where the choice is that. `carried` says of which patch of an earlier revision it was
    decided, and why that one is this again; '' where it was of this one.
    """

    kind: Kind
    key: str
    commit: str
    subject: str
    path: bytes
    function: str
    target: str
    by: str
    ours: bytes = b""
    base: bytes = b""
    theirs: bytes = b""
    above: bytes = b""
    below: bytes = b""
    result: bytes = b""
    rule: str = ""
    choice: Choice = Choice.TEXT
    mode: int = 0o100644
    carried: str = ""

    @property
    def told(self) -> str:
        """Where and by whom it was decided, in a few words."""
        over = f", carried over from {self.carried}" if self.carried else ""
        return f"decided on {self.target} by {self.by} (resolution {self.key[:12]}{over})"

    def about(self, commit: str, subject: str) -> bool:
        """Whether it was decided about this patch, or about another revision of it."""
        return self.commit == commit or self.subject == subject


def normal(text: bytes) -> list[bytes]:
    """The lines that are not blank, each with runs of white space as one space and none at its ends."""
    return [line for line in (b" ".join(row.split()) for row in text.split(b"\n")) if line]


def conflict_key(ours: bytes, base: bytes, theirs: bytes) -> str:
    """The key of a conflict: 40 hex digits over its three normal sides."""
    return _hash([b"conflict", *_parts(ours, base, theirs)])


def lines_key(above: bytes, ours: bytes, below: bytes) -> str:
    """The key of lines in their surroundings."""
    return _hash([b"lines", *_parts(above, ours, below)])


def file_key(rule: str, path: bytes, ours: bytes | None, base: bytes | None, theirs: bytes | None) -> str:
    """The key of a whole file: its upstream path, what is wrong, and the normal contents of the sides that there are."""
    sides = [b"none" if text is None else b"\n".join(normal(text)) for text in (ours, base, theirs)]
    return _hash([b"file", rule.encode(), path, *sides])


def _parts(*texts: bytes) -> list[bytes]:
    return [b"\n".join(normal(text)) for text in texts]


def _hash(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d\n" % len(part) + part)
    return digest.hexdigest()[:40]

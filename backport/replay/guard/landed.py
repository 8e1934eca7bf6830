"""One file of a patch as it stands in the target: the four texts of a merge, and what changed between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backport.git.merge import rows
from backport.replay.guard.place import Change, around, changes, places, squeezed


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a file as it landed: what (a name or a line), its 1-based line upstream, and why in half a sentence.

    `sure` is false where a person should know and the patch may well be right.
    """

    what: str
    line: int
    why: str
    sure: bool = True


Speaks = Callable[[Collection[bytes], str], set[bytes]]
"""Of some words, those that the target has in headers (HEADERS), or defines in Kconfig files; all where it cannot be searched."""

HEADERS, KCONFIG = "*.h", "*Kconfig*"


def speaks_all(words: Collection[bytes], pattern: str) -> set[bytes]:
    """A target that has every word."""
    return set(words)


@dataclass(frozen=True)
class Landed:
    """`base` and `theirs` are upstream's file before and after the patch, `ours` and `result` the target's at `path`.

    `speaks` tells which words the target's other files have, `brought` what the whole patch adds to headers and Kconfig files.
    `by_rule` says that rules placed some of it, which look at more than a merge of lines does.
    """

    path: bytes
    upstream_path: bytes
    base: bytes
    ours: bytes
    theirs: bytes
    result: bytes
    speaks: Speaks = speaks_all
    brought: Mapping[bytes, bytes] = field(default_factory=dict)
    by_rule: bool = False

    @property
    def is_c(self) -> bool:
        """Whether the target's file is C, by its name."""
        return self.path.endswith((b".c", b".h"))

    @cached_property
    def upstream(self) -> tuple[Change, ...]:
        """What the patch changed upstream."""
        return changes(self.base, self.theirs)

    @cached_property
    def spots(self) -> dict[bytes, list[int]]:
        """Where upstream has each line that the patch added (0-based), by the line without regard to its blanks."""
        found: dict[bytes, list[int]] = {}
        for change in self.upstream:
            for number, row in enumerate(change.added, change.new):
                found.setdefault(squeezed(row), []).append(number)
        return found

    @cached_property
    def here(self) -> tuple[Change, ...]:
        """What it changed in the target."""
        return changes(self.ours, self.result)

    @cached_property
    def base_rows(self) -> list[bytes]:
        """The lines of upstream's file before the patch."""
        return rows(self.base)

    @cached_property
    def theirs_rows(self) -> list[bytes]:
        """The lines of upstream's file after it."""
        return rows(self.theirs)

    @cached_property
    def ours_rows(self) -> list[bytes]:
        """The lines of the target's file before the patch."""
        return rows(self.ours)

    @cached_property
    def result_rows(self) -> list[bytes]:
        """The lines of the target's file after it."""
        return rows(self.result)

    def seen(self, row: bytes) -> tuple[int, int, int, int]:
        """How often a line stands in base, ours, theirs and result, as a part of longer ones too: quick, and never too few."""
        bare = row.strip()
        return self.base.count(bare), self.ours.count(bare), self.theirs.count(bare), self.result.count(bare)

    def counts(self, row: bytes) -> tuple[int, int, int, int]:
        """How often a line stands in base, ours, theirs and result, blanks aside."""
        texts = (self.base, self.ours, self.theirs, self.result)
        base, ours, theirs, result = (len(places(text, [squeezed(row)])) for text in texts)
        return base, ours, theirs, result

    def held(self, block: Sequence[bytes], name: str) -> tuple[int, int, int, int]:
        """How often some squeezed lines stand together in the function of that name, in base, ours, theirs and result."""
        texts = (self.base, self.ours, self.theirs, self.result)
        lines = (self.base_rows, self.ours_rows, self.theirs_rows, self.result_rows)
        found = [places(text, block) for text in texts]
        base, ours, theirs, result = (
            sum(around(one, at) == name for at in spots) for one, spots in zip(lines, found, strict=True)
        )
        return base, ours, theirs, result

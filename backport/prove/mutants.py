"""Kernels with one thing wrong, chosen by rule: what a probe is worth shows in how many of them it notices.

Two kinds, both of the difference between the target and the tip:
    one hunk of the series left out        the lines of the target put back
    one condition turned                   `if (x)` on an added line becomes `if (!(x))`
Only files that the configuration compiles are mutated, and only so that the result is another program: comments, blank
lines, includes and error messages are let be. The choice is deterministic: candidates are spread evenly over the files.
A hunk whose loss does not compile is not a mutant, nor is one that compiles to the very same object (a `#line` keeps the
numbers in it alike); the next candidate takes its place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.model.series import show_path

_CONDITION = re.compile(rb"^(\t+(?:\} else )?if \()(.*)(\)(?: \{)?)$")
_IDLE = re.compile(rb"^\s*(?:/\*.*|\*.*|//.*|#include.*|EXPORT_SYMBOL.*|\}|\{|MODULE_\w+.*|pr(?:intk|_\w+)\(.*|.*\*/\s*)?$")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to a file of the tip: what it is, in words that name the place, and the file's new content."""

    path: bytes
    line: int
    what: str
    content: bytes

    @property
    def name(self) -> str:
        """For people and for the manifest: `mm/ksm.c:812 condition turned: if (page == page2[0])`."""
        return f"{show_path(self.path)}:{self.line} {self.what}"


def candidates(path: bytes, base: bytes, tip: bytes) -> list[Mutant]:
    """Every mutant of one file, in the order of its lines. `base` is empty for a file that the series adds."""
    return sorted([*_left_out(path, base, tip), *_turned(path, base, tip)], key=lambda mutant: (mutant.line, mutant.what))


def choose(per_file: Sequence[Sequence[Mutant]], count: int) -> list[Mutant]:
    """The order in which mutants are tried, of which the first `count` are wanted: evenly spread in each file.

    Each file has its first turn before any has a second, and after that as many as the square root of what it offers: a new
    file of two thousand lines shall not hide the one line that makes it reachable, nor the other way round. All candidates
    are in it, so that one that does not compile has a successor.
    """
    turns = []
    for file, mutants in enumerate(per_file):
        share = len(mutants) ** 0.5
        turns += [(place / share if place else 0, file, mutant) for place, mutant in enumerate(_spread(mutants, count))]
    return [mutant for _, _, mutant in sorted(turns, key=lambda turn: turn[:2])]


def _spread(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """First `count` at equal distances, from the middle of each stretch, then the others."""
    first = [mutants[(2 * place + 1) * len(mutants) // (2 * count)] for place in range(min(count, len(mutants)))]
    chosen = list(dict.fromkeys(first))
    return chosen + [mutant for mutant in mutants if mutant not in chosen]


def _left_out(path: bytes, base: bytes, tip: bytes) -> Iterator[Mutant]:
    if not base:
        return  # a file of the series' own is one hunk: without it nothing links
    old, new = base.split(b"\n"), tip.split(b"\n")
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        changed = [*old[i1:i2], *new[j1:j2]]
        if tag == "equal" or all(_IDLE.match(line) for line in changed):
            continue
        shown = next((line for line in changed[::-1] if not _IDLE.match(line)), b"")
        content = b"\n".join([*new[:j1], *old[i1:i2], b"#line %d" % (j2 + 1), *new[j2:]])
        yield Mutant(path, j1 + 1, f"hunk left out: {_shown(shown)}", content)


def _turned(path: bytes, base: bytes, tip: bytes) -> Iterator[Mutant]:
    known = set(base.split(b"\n"))
    lines = tip.split(b"\n")
    for number, line in enumerate(lines):
        found = _CONDITION.match(line)
        if found is None or line in known or found[2].count(b"(") != found[2].count(b")"):
            continue
        turned = found[1] + b"!(" + found[2] + b")" + found[3]
        content = b"\n".join([*lines[:number], turned, *lines[number + 1 :]])
        yield Mutant(path, number + 1, f"condition turned: {_shown(line)}", content)


def _shown(line: bytes) -> str:
    return line.strip().decode("utf-8", "replace").rstrip("{ ")

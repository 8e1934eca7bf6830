"""Pairs the patches of two versions of a series and finds what differs in substance: range-diff without the context.

A line counts by file, sign and text: one that moved, or stands among other lines, is the same line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from backport.ingest.mail.diff import PostedDiff
from backport.ingest.mail.subject import title_key
from backport.model.comparison import Part, Row, differing
from backport.model.moved import Moved

_ALIKE = 0.3
_SOUNDS = 0.6


@dataclass(frozen=True)
class Version:
    """One patch of one side."""

    title: str
    diff: PostedDiff

    @cached_property
    def rows(self) -> dict[bytes, list[Row]]:
        """What it adds and removes: by file, in order, with the sign. A file without lines (a mode, binary) has none."""
        found: dict[bytes, list[Row]] = {}
        for file in self.diff.files:
            rows = found.setdefault(file.path, [])
            rows += [(line[:1].decode(), line[1:]) for line in file.lines if line[:1] in (b"+", b"-")]
        return found

    @cached_property
    def lines(self) -> frozenset[tuple[bytes, str, bytes]]:
        """The same without an order."""
        return frozenset((path, sign, text) for path, rows in self.rows.items() for sign, text in rows if text.strip())

    def alike(self, other: Version) -> float:
        """The share of the lines that both have."""
        return len(self.lines & other.lines) / max(len(self.lines | other.lines), 1)

    def sounds_like(self, other: Version) -> float:
        """The share of the words that both titles have, where they have a file in common as well."""
        one, two = set(title_key(self.title).split()), set(title_key(other.title).split())
        return len(one & two) / max(len(one | two), 1) if self.rows.keys() & other.rows.keys() else 0


def compare(before: Sequence[Version], after: Sequence[Version]) -> tuple[Moved, ...]:
    """Each patch of `after` with the one that it was, in order; then those of `before` that are gone."""
    pairs = _pairs(before, after)
    moved = []
    for number, new in enumerate(after):
        if number not in pairs:
            moved.append(Moved((0, number + 1), "", new.title, "", ()))
            continue
        old, rule = pairs[number]
        moved.append(Moved((old + 1, number + 1), before[old].title, new.title, rule, tuple(_parts(before[old], new))))
    gone = sorted(set(range(len(before))) - {old for old, _ in pairs.values()})
    return (*moved, *(Moved((old + 1, 0), before[old].title, "", "", ()) for old in gone))


def _pairs(before: Sequence[Version], after: Sequence[Version]) -> dict[int, tuple[int, str]]:
    """Which patch of `after` was which of `before`, and why: by patch-id, title, the most lines, the most words of the title."""
    found: dict[int, tuple[int, str]] = {}
    taken: set[int] = set()

    def pair(new: int, old: int, rule: str) -> None:
        if new not in found and old not in taken:
            found[new] = (old, rule)
            taken.add(old)

    for rule, key in (("patch-id", lambda one: one.diff.patch_id), ("title", lambda one: title_key(one.title))):
        known: dict[str, list[int]] = {}
        for old, one in enumerate(before):
            known.setdefault(key(one), []).append(old)
        for new, one in enumerate(after):
            for old in known.get(key(one), []) if key(one) else ():
                pair(new, old, rule)
    for rule, share, least in (("lines", Version.alike, _ALIKE), ("words of the title", Version.sounds_like, _SOUNDS)):
        near = [(share(one, other), -new, -old) for new, one in enumerate(after) for old, other in enumerate(before)]
        for much, new, old in sorted(near, reverse=True):
            if much >= least:
                pair(-new, -old, rule)
    return found


def _parts(old: Version, new: Version) -> Iterator[Part]:
    for path in dict.fromkeys([*old.rows, *new.rows]):
        for _, lines in differing(old.rows.get(path, []), new.rows.get(path, [])):
            yield Part(path, "", 0, lines)

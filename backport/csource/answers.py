"""Where #includes lead, kept for many trees at once.

An include leads where it leads by the names of the files in the folders that were looked into, and by nothing else of a tree;
what a file includes follows from its blob. So an answer holds in every tree that has the same names in those folders, and most
trees of one line of history have: the closure of a file in a tree that was never seen is then walked, not searched.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backport.git.trees import Trees

_S = TypeVar("_S", bound=Hashable)
_MOST = 8  # sets of names that are kept: a megabyte or two each
Names = frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the includes of one file lead, those that lead nowhere, and the last and the first part of all their paths."""

    there: tuple[bytes, ...]
    absent: tuple[bytes, ...]
    names: frozenset[bytes]
    heads: frozenset[bytes]


@dataclass(slots=True)
class Answers(Generic[_S]):
    """What was found in trees that have these `names` of files in these folders, each of which some answer leans on.

    `found`: by the last part of an include's path, and by (path, search), where it leads.
    `edges`: by path, blob id and search. Whoever looks into one more folder adds its names here; whoever shares the answers looks
    whether they are its own as well before it asks again.
    """

    names: dict[bytes, Names] = field(default_factory=dict)
    found: dict[bytes, dict[tuple[bytes, _S], bytes | None]] = field(default_factory=dict)
    edges: dict[tuple[bytes, str, _S], Edges] = field(default_factory=dict)

    def other_names(self, names_of: Callable[[bytes], Names]) -> set[bytes]:
        """The names that only one side has in a folder that was looked into: where there are none, all answers hold."""
        other: set[bytes] = set()
        for folder, names in self.names.items():
            if (here := names_of(folder)) is not names:
                other |= here ^ names
        return other

    def without(self, other: set[bytes], names_of: Callable[[bytes], Names]) -> Answers[_S]:
        """Those that hold in a tree with some other names: names, not paths, for which folder would be next is not remembered."""
        found = {base: dict(known) for base, known in self.found.items() if base not in other}
        edges = {key: edges for key, edges in self.edges.items() if edges.names.isdisjoint(other)}
        return Answers({folder: names_of(folder) for folder in self.names}, found, edges)


class Shelf(Generic[_S]):
    """The answers for the sets of names that were met last, and what follows from single objects."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._kept: list[Answers[_S]] = []  # the one asked for last at the end
        self._names: dict[str, Names] = {}
        self._equal: dict[Names, Names] = {}
        self.searches: dict[tuple[bytes, tuple[bytes, ...]], _S] = {}
        self.flags: dict[str, list[bytes]] = {}  # of a Makefile, by blob id

    def names(self, folder: str, more: Names = frozenset()) -> Names:
        """The names of the files in a tree object ('' for none) and `more` of them; equal ones are the same object."""
        if folder not in self._names:
            listing = self._trees.listing(folder) if folder else {}
            self._names[folder] = self._one(frozenset(name for name, entry in listing.items() if entry.is_file))
        return self._one(self._names[folder] | more) if more else self._names[folder]

    def _one(self, names: Names) -> Names:
        return self._equal.setdefault(names, names)

    def fitting(self, names_of: Callable[[bytes], Names]) -> Answers[_S]:
        """The answers that hold where `names_of` tells the names of a folder; at first, all of the likest that do."""
        likest: tuple[Answers[_S], set[bytes]] | None = None
        for answers in reversed(self._kept):
            other = answers.other_names(names_of)
            if likest is None or len(other) < len(likest[1]):
                likest = answers, other
            if not other:
                self._kept.remove(answers)
                break
        chosen = Answers[_S]() if likest is None else likest[0].without(likest[1], names_of) if likest[1] else likest[0]
        self._kept.append(chosen)
        del self._kept[:-_MOST]
        return chosen

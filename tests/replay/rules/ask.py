"""Asks a rule, or the whole ladder, about three small texts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.series import FileChange, Patch
from backport.replay.rules.ladder import attempt
from backport.replay.situation import Library, Resolution, Situation

Rule = Callable[[Situation], Resolution | None]


class _NoHistory:
    """A target whose headers say some words."""

    def __init__(self, words: frozenset[bytes] = frozenset()) -> None:
        self.words = words

    def speaks(self, tree: str, words: Collection[bytes], pattern: str) -> set[bytes]:
        """Those of them that are asked about."""
        return self.words & set(words)


class _NoTrees:
    """A target of this one file."""

    def entry(self, tree: str, path: bytes) -> None:
        """Nothing is anywhere."""


def situation(
    base: bytes | None,
    ours: bytes | None,
    theirs: bytes | None,
    path: bytes = b"drivers/x.c",
    headers: frozenset[bytes] = frozenset(),
) -> Situation:
    """One file in conflict, with no history to ask."""
    patch = Patch("1" * 40, "2" * 40, "3" * 40, "4" * 40, b"", b"", b"", b"subject\n", ())
    change = FileChange("M", path, path, None, None)
    return Situation(
        patch,
        change,
        path,
        "5" * 40,
        "",
        base,
        ours,
        theirs,
        (),
        Library(cast("Store", None), cast("Trees", _NoTrees()), cast("History", _NoHistory(headers))),
    )


def ask(rule: Rule, base: bytes, ours: bytes, theirs: bytes, path: bytes = b"drivers/x.c") -> Resolution | None:
    """What one rule answers."""
    return rule(situation(base, ours, theirs, path))


def text(resolution: Resolution | None, path: bytes = b"drivers/x.c") -> bytes | None:
    """The file as a rule would have it, None where it abstains."""
    return None if resolution is None else resolution.texts[path]


def best(base: bytes, ours: bytes, theirs: bytes, path: bytes = b"drivers/x.c") -> Resolution | None:
    """The first answer of the ladder."""
    return next(iter(attempt(situation(base, ours, theirs, path)).found), None)

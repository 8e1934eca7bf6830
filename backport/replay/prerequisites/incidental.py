"""Commits that change little but names, white space or comments: adapting to them is mostly cheaper than picking them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from backport.csource.tokens import blank_comments

_TOKEN = re.compile(rb"[A-Za-z_$][\w$]*|\d[\w.]*|[^\s\w]")
_WORD = re.compile(rb"[A-Za-z_$]")
_MOST_NAMES = 12
_SHARE = 0.9

Hunk = tuple[Sequence[bytes], Sequence[bytes]]
"""Lines removed and lines added at one place, without their line ends."""


def incidental(hunks: Iterable[Hunk]) -> str:
    """What little the hunks change: "only white space", "only comments", "only renames (a to b)"; '' where it is more.

    Renames: every hunk reads the same with each name replaced by the one that it always became, a tenth of the changed lines
    aside: cdd6c482c9ff (perf_counter to perf_event, over 118 files) also sorts a few includes anew. May be wrong for a commit
    that swaps one function for another of the same arguments everywhere: that reads as a rename.
    """
    told = [(b"\n".join(old), b"\n".join(new)) for old, new in hunks]
    if not told:
        return ""
    if all(old.split() == new.split() or b"".join(old.split()) == b"".join(new.split()) for old, new in told):
        return "only white space"
    if all(_code(old) == _code(new) for old, new in told):
        return "only comments"
    pairs = Counter(chain.from_iterable(_renamed(old, new) for old, new in told))
    alike = sum(_weight(old, new) for old, new in told if _renamed(old, new) or _code(old) == _code(new))
    if not pairs or alike < _SHARE * sum(_weight(old, new) for old, new in told):
        return ""
    names = _one_to_one(pairs)
    if not names or len(names) > _MOST_NAMES * 10:
        return ""
    (first, became), more = next(iter(names)), len(names) - 1
    text = f"{first.decode('ascii', 'replace')} to {became.decode('ascii', 'replace')}"
    return f"only renames ({text}{f' and {more} more' if more else ''})"


def _code(text: bytes) -> bytes:
    return b"".join(blank_comments(text).split())


def _weight(old: bytes, new: bytes) -> int:
    return old.count(b"\n") + new.count(b"\n") + 2


def _renamed(old: bytes, new: bytes) -> list[tuple[bytes, bytes]]:
    """The names that differ between two texts that are otherwise alike, token by token; none where they are not."""
    ours, theirs = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(ours) != len(theirs):
        return []
    found = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return found if all(_WORD.match(a) and _WORD.match(b) for a, b in found) else []


def _one_to_one(pairs: Counter[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The renames, the most frequent first; empty where one name became two or two became one more than by the way."""
    became: dict[bytes, bytes] = {}
    for (old, new), _ in pairs.most_common():
        if became.setdefault(old, new) != new and pairs[old, new] * 10 > pairs[old, became[old]]:
            return []
    return [(old, new) for (old, new), _ in pairs.most_common() if became[old] == new]

"""Ordered lists: words of a Makefile assignment, and lines of which each is one entry (includes, tables, Kconfig selects).

Recognised: (1) an assignment over one or more lines whose words upstream and target have in part: the words that the patch takes
away go, those that it adds come behind the word that they follow upstream, or before the one that they precede. (2) Lines added
where the target has entries of its own, in a list that is sorted on both sides: they go where the order wants them.
Safe because entries stand for themselves: each must be there once, and what is not named by the patch is not touched. In a
list that is not sorted the order of two new entries is anybody's choice, and this rule abstains.
Example: 55fe25b41864 on 2.6.32.y (remove v4lgrab.c): Documentation/Makefile has lost other words as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.git.merge import rows
from backport.replay.rules.edits import Edit, edit, hunk_by_hunk
from backport.replay.rules.lines import Hunk, hunks, squeezed
from backport.replay.rules.place import Place, Placer
from backport.replay.rules.words import beside
from backport.replay.situation import Resolution, Situation

RULE = "lists"
_MAKE = re.compile(rb"(?:^|/)(?:Makefile|Kbuild|Make\.)|\.mk$|Makefile$|gitignore$")
_ASSIGNED = re.compile(rb"^[\w$()./-]+[ \t]*[:+?]?=|\\$")
_ENTRY = re.compile(
    rb"^\s*(?:#\s*include\s*[<\"][\w./-]+[>\"]|(?:source|select|obj-\S+\s*\+=)\s.*|\{\s*\w+\(.*\)\s*\},?|[A-Z]\w*,)\s*(?:/\*.*\*/\s*)?$"
)
_FEWEST = 3  # entries that must be in order before a list counts as sorted


def lists(situation: Situation) -> Resolution | None:
    """The target's file with the entries of the patch; None where a hunk is about no list, or its order is open."""

    def assignment(finder: Placer, hunk: Hunk) -> Edit | None:
        return _assignment(finder, hunk) if _MAKE.search(situation.path) else None

    return hunk_by_hunk(situation, RULE, (assignment, _sorted, beside), (assignment, _sorted))


def _assignment(finder: Placer, hunk: Hunk) -> Edit | None:
    frame = finder.frame
    if hunk.a == hunk.b:
        return None
    a, b = _continued(frame.base, hunk.a, hunk.b)
    if not all(_ASSIGNED.search(row.rstrip()) for row in frame.base[a : b - 1] or frame.base[a:b]):
        return None
    spot = finder.place(Hunk(a, b, hunk.c, hunk.d))
    if spot is None or spot.x == spot.y:
        return None
    x, y = _continued(frame.ours, spot.x, spot.y)
    theirs = [*frame.base[a : hunk.a], *frame.theirs[hunk.c : hunk.d], *frame.base[hunk.b : b]]
    text = _words(b"".join(frame.base[a:b]), b"".join(frame.ours[x:y]), b"".join(theirs))
    if text is None:
        return None
    whole = Place(Hunk(a, b, hunk.c, hunk.d), x, y, "list", True, ("entries-once",))
    return edit(whole, rows(text), "the words of this assignment that the patch adds and takes away")


def _continued(lines: Sequence[bytes], a: int, b: int) -> tuple[int, int]:
    """Lines a..b with those that a backslash joins to them."""
    while a > 0 and lines[a - 1].rstrip().endswith(b"\\"):
        a -= 1
    while b < len(lines) and b > 0 and lines[b - 1].rstrip().endswith(b"\\"):
        b += 1
    return a, b


def _words(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """`ours` without the words that the patch takes away and with those that it adds; None where one is not there once."""
    old, new = base.replace(b"\\\n", b" ").split(), theirs.replace(b"\\\n", b" ").split()
    text = ours
    for change in hunks(old, new):
        for word in old[change.a : change.b]:
            found = re.findall(rb"(?<!\S)" + re.escape(word) + rb"(?!\S)", text)
            if len(found) != 1:
                return None
            text = re.sub(rb"(?<!\S)" + re.escape(word) + rb"(?:[ \t]+|(?!\S))", b"", text, count=1)
        added = b" ".join(new[change.c : change.d])
        if added:
            before = new[change.c - 1] if change.c else b""
            pattern = rb"(?<!\S)" + re.escape(before) + rb"(?!\S)"
            if not before or len(re.findall(pattern, text)) != 1:
                return None
            text = re.sub(pattern, lambda m, added=added: m.group() + b" " + added, text, count=1)  # type: ignore[misc]
    return re.sub(rb"[ \t]+(?=\n|$)", b"", text)


def _sorted(finder: Placer, hunk: Hunk) -> Edit | None:
    """Entries added among others of the same kind, by their order."""
    frame = finder.frame
    added = frame.theirs[hunk.c : hunk.d]
    if hunk.a != hunk.b or not added or not all(_ENTRY.match(row) for row in added) or list(added) != sorted(added, key=squeezed):
        return None
    found = finder.place(hunk)
    if found is None or found.sure or not found.at_home:
        return None
    x, y = _entries(frame.ours, found.x)
    a, b = _entries(frame.theirs, hunk.c)
    mine, yours = [squeezed(row) for row in frame.ours[x:y]], [squeezed(row) for row in frame.theirs[a:b]]
    if min(len(mine), len(yours)) < _FEWEST or mine != sorted(mine) or yours != sorted(yours):
        return None
    if {squeezed(row) for row in added} & set(mine):
        return None
    whole = sorted([*frame.ours[x:y], *added], key=squeezed)
    spot = Place(hunk, x, y, "list", True, ("sorted", *found.checks))
    return edit(spot, whole, "the list is sorted, upstream and in the target")


def _entries(lines: Sequence[bytes], at: int) -> tuple[int, int]:
    """The run of entries around a line."""
    low = high = at
    while low > 0 and _ENTRY.match(lines[low - 1]):
        low -= 1
    while high < len(lines) and _ENTRY.match(lines[high]):
        high += 1
    return low, high

"""Where in the target a piece of upstream's file is, if it is not where the file's lines lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.git.merge import rows
from backport.model.series import TREE
from backport.replay.rules.functions import Span, functions, holding
from backport.replay.rules.lines import Hunk, squeezed
from backport.replay.situation import Situation

_MOST_FILES = 400  # in one folder: drivers/staging/* has less, what has more is searched too long
_MOST_BYTES = 16 << 20
_WINDOW = 8  # lines on both sides of a hunk by which it is looked for outside of functions
_TELLING = re.compile(rb"\w{3}.*\w{3}|#\s*include")
_WORD = re.compile(rb"\w+")
_SHARE = 0.7  # of the telling lines of a window that a file must have
_FEWEST = 3
_STUB = 5  # lines of a function that does nothing: head, braces, one statement


@dataclass(frozen=True, slots=True)
class Group:
    """Hunks of one function (its name, and where it is in the base), or one hunk outside of any (name empty, its window)."""

    name: bytes
    span: Span
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A piece of a target's file that stands for a group's: the whole file where the group is in no function."""

    path: bytes
    lines: Sequence[bytes]
    span: Span


def groups(base: bytes, mine: Sequence[Hunk]) -> list[Group]:
    """The hunks by the function that they are in."""
    found: dict[tuple[bytes, Span], list[Hunk]] = {}
    size = base.count(b"\n") + 1
    for hunk in mine:
        held = holding(base, hunk.a, hunk.b)
        key = held or (b"", Span(max(0, hunk.a - _WINDOW), min(size, hunk.b + _WINDOW)))
        found.setdefault(key, []).append(hunk)
    return [Group(name, span, tuple(hunks)) for (name, span), hunks in found.items()]


def homes(situation: Situation, base: bytes, group: Group) -> list[Home]:
    """The pieces that can be meant: the functions of that name in the file, else in its neighbours, else those with its lines.

    Outside of functions: the neighbours that have the lines around the hunk.
    """
    own = situation.ours
    if not group.name:
        window = _window(base, group)
        here = own is not None and _has(window, rows(own))
        texts = neighbours(situation) if len(window) >= _FEWEST and not here else ()
        likely = ((path, rows(text)) for path, text in texts if _may_have(window, text))
        return [Home(path, lines, Span(0, len(lines))) for path, lines in likely if _has(window, lines)]
    if list(_whole(functions(base)[group.name])) != [group.span]:  # one for each branch of an #if: the name does not tell
        return []
    if own is not None and group.name in functions(own):
        return _defined(situation.path, own, group.name)
    near = list(neighbours(situation))
    named = [h for path, text in near if group.name in text for h in _defined(path, text, group.name)]
    return named or [h for path, text in [(situation.path, own or b""), *near] for h in _alike(path, text, base, group)]


def _window(base: bytes, group: Group) -> set[bytes]:
    """The telling lines around the hunks of a group."""
    lines = rows(base)
    low = max(group.span.start, group.hunks[0].a - _WINDOW)
    high = min(group.span.end, group.hunks[-1].b + _WINDOW)
    return {row for row in lines[low:high] if _TELLING.search(row)}


def _may_have(window: set[bytes], text: bytes) -> bool:
    """Whether it is worth cutting a text into lines: the longest word of most lines is in it."""
    telling = [max(_WORD.findall(row), key=len, default=row) for row in window]
    return sum(word in text for word in telling) >= _SHARE * len(telling)


def _has(window: set[bytes], lines: Sequence[bytes]) -> bool:
    wanted = {squeezed(row) for row in window}
    return len(wanted & {squeezed(row) for row in lines}) >= _SHARE * len(wanted)


def _alike(path: bytes, text: bytes, base: bytes, group: Group) -> list[Home]:
    """Functions under another name that have the lines around the hunks: the name was changed with the place."""
    window = _window(base, group)
    if len(window) < _FEWEST or not _may_have(window, text):
        return []
    lines = rows(text)
    if not _has(window, lines):
        return []
    spans = [span for found in functions(text).values() for span in found]
    return [Home(path, lines, span) for span in spans if _has(window, lines[span.start : span.end])]


def neighbours(situation: Situation) -> Iterator[tuple[bytes, bytes]]:
    """The target's other sources of the same kind in the folder of a file, then in the one above; bounded in number and size."""
    folder, _, own = situation.path.rpartition(b"/")
    if b"." not in own:  # Makefile, Kconfig: another folder's has nothing of this one's
        return
    library, ending = situation.library, own[own.rindex(b".") :]
    read = 0
    for place in dict.fromkeys((folder, folder.rpartition(b"/")[0])):
        entry = library.trees.entry(situation.tree, place) if place else None
        listing = library.trees.listing(entry.oid) if entry is not None and entry.mode == TREE else {}
        files = {name: e for name, e in listing.items() if e.is_file and name.endswith(ending)}
        if not files or len(files) > _MOST_FILES:
            continue
        library.store.prefetch(e.oid for e in files.values())
        for name, found in files.items():
            text = library.store.read(found.oid, "blob")
            read += len(text)
            if read > _MOST_BYTES:
                return
            if place + b"/" + name != situation.path:
                yield place + b"/" + name, text


def _defined(path: bytes, text: bytes, name: bytes) -> list[Home]:
    return [Home(path, rows(text), span) for span in _whole(functions(text).get(name, ()))]


def _whole(spans: Sequence[Span]) -> Sequence[Span]:
    """Definitions of one name without the empty ones that an #else has for it (d5ad140bc150: idle_balance()), if any."""
    return [span for span in spans if span.end - span.start > _STUB] or spans

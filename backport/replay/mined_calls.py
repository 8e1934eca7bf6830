"""An argument that a commit between dropped from every call of a function, put back where the target still takes it.

Asked where the guard says that a call on an added line has too few arguments for the target. The commit that gave the function
its new shape shows what its own calls lost: taken only where all of them lost the same constant at the same place.
Example: 55f9cf6bbaa6 on 2.6.32.y calls fsstack_copy_attr_all, whose last argument, NULL in all calls, went with 9afa2fb6c135.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.git.merge import rows
from backport.model.cause import Cause
from backport.replay.rules.lines import Hunk, squeezed
from backport.replay.situation import Library

_MOST_FILES = 60  # changed files of a commit that are read
_LONGEST = 2000  # bytes of one call
_CONSTANT = re.compile(rb"NULL|__func__|__FUNCTION__|-?\d\w*|[A-Z][A-Z0-9_]*")
_FUNCTION, _QUOTED = b"__func__", re.compile(rb'"\w+"')  # some callers spell out what __func__ is
_CALLED = re.compile(rb"(?:[;{}(),=&|!?:+<>-]|\breturn|\belse)\s*\Z")


@dataclass(frozen=True, slots=True)
class MinedArgument:
    """Calls of `new` had `text` as argument number `at` (from 0) before `cause`, as `shown` calls of that commit have it."""

    new: bytes
    at: int
    text: bytes
    shown: int
    cause: Cause

    @property
    def old(self) -> bytes:
        """The name to look for on lines that were changed: the function's own."""
        return self.new

    @property
    def outright(self) -> bool:
        """A function has one shape at a time."""
        return True

    @property
    def told(self) -> str:
        """One phrase for a person."""
        calls = f"{self.shown} call{'s' * (self.shown > 1)}"
        return f"{self.new.decode()} took {self.text.decode()} as well before {self.cause.commit[:12]} ({calls} of it)"


@dataclass(frozen=True, slots=True)
class _Call:
    """Where a call's name stands in a text, and the ends of its arguments: (start, end) of each."""

    name: int
    arguments: tuple[tuple[int, int], ...]


def dropped(name: bytes, cause: Cause, library: Library) -> MinedArgument | None:
    """The argument that the calls of a function lost in one commit; None where they lost none, or not all the same."""
    step = library.step(cause.commit)
    if step is None:
        return None
    lost: list[tuple[int, bytes]] = []
    for change in library.history.changes([step])[0][:_MOST_FILES]:
        sides = (library.trees.read(step[0], change.old_path), library.trees.read(step[1], change.new_path))
        before, after = (list(_texts(text, name)) if text and name in text else [] for text in sides)
        if len(before) != len(after):
            return None
        for was, now in zip(before, after, strict=True):
            found = [i for i in range(len(was)) if (*was[:i], *was[i + 1 :]) == now]
            if was != now and not found:
                return None
            lost += [(found[0], was[found[0]])] if was != now else []
    named = {
        (at, _FUNCTION if _FUNCTION in {text for _, text in lost} and _QUOTED.fullmatch(text) else text) for at, text in lost
    }
    if len(named) != 1:
        return None
    ((at, text),) = named
    return MinedArgument(name, at, text, len(lost), cause) if _CONSTANT.fullmatch(text) else None


def with_arguments(text: bytes, changed: Sequence[Hunk], names: Sequence[MinedArgument]) -> bytes:
    """A file with the arguments put back in the calls that begin on its changed lines; no line is added or lost."""
    for name in names:
        starts = [0]
        for row in rows(text):
            starts.append(starts[-1] + len(row))
        spans = [(starts[hunk.c], starts[hunk.d]) for hunk in changed]
        for call in reversed(list(_calls(text, name.new))):
            if any(start <= call.name < end for start, end in spans) and name.at <= len(call.arguments):
                text = _put(text, call, name)
    return text


def _put(text: bytes, call: _Call, name: MinedArgument) -> bytes:
    if name.at:
        end = call.arguments[name.at - 1][1]
        return text[:end] + b", " + name.text + text[end:]
    start = call.arguments[0][0]
    return text[:start] + name.text + b", " + text[start:]


def _texts(text: bytes, name: bytes) -> Iterator[tuple[bytes, ...]]:
    for call in _calls(text, name):
        yield tuple(squeezed(text[start:end]).replace(b'""', b"") for start, end in call.arguments)


def _calls(text: bytes, name: bytes) -> Iterator[_Call]:
    """The calls of a name, without its declarations; one that does not end within reach is left out."""
    plain = blank(text)
    for match in re.finditer(rb"\b" + re.escape(name) + rb"\s*\(", plain):
        if not _CALLED.search(plain[max(0, match.start() - 80) : match.start()]):
            continue
        depth, start, found = 0, match.end(), []
        for at in range(match.end(), min(len(plain), match.end() + _LONGEST)):
            byte = plain[at : at + 1]
            if byte in b",)" and not depth:
                found.append(_trimmed(text, start, at))
                start = at + 1
                if byte == b")":
                    yield _Call(match.start(), tuple(found))
                    break
            depth += (byte in b"([{") - (byte in b")]}")


def _trimmed(text: bytes, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def arguments(missing: Mapping[bytes, Cause], library: Library) -> tuple[MinedArgument, ...]:
    """What each of some functions took before the commit that changed its shape; empty unless that is known of all."""
    found = [dropped(name, cause, library) for name, cause in missing.items()]
    known = tuple(one for one in found if one is not None)
    return known if len(known) == len(found) else ()

"""The constants that a header defines: `#define NAME value` and enumerators, as written and with what they come to.

May be wrong where a value depends on a condition: with `#ifdef` inside an enum, what follows has no known number (the page flags
of include/linux/page-flags.h), and a name that two branches define has two values, of which expressions use the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.drift.uapi.view import View

_DEFINE = re.compile(rb"[ \t\f]+([A-Za-z_$][\w$]*)(\(([^)]*)\))?((?:.|\n)*)")
_ENUM = re.compile(rb"\benum\b\s*([A-Za-z_]\w*)?[^;{}()=]*\{([^{}]*)\}")
_ENTRY = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:=(.*))?\s*", re.S)
_SPACE = re.compile(rb"[\s\\]+")


@dataclass(frozen=True, slots=True)
class Constant:
    """A name for a value. `text` is the value as written on one line, empty for an enumerator that follows the one before it.

    `enum` numbers the enum that it is in (-1: it is a #define), `tag` is that enum's; `after` names the enumerator from which it
    is counted, and `step` says how far; `unsure` that conditions stand between. `params` is None unless it takes arguments.
    """

    name: bytes
    text: bytes
    line: int
    condition: bytes
    params: tuple[bytes, ...] | None = None
    enum: int = -1
    tag: bytes = b""
    after: bytes = b""
    step: int = 0
    unsure: bool = False


def read(seen: View) -> tuple[Constant, ...]:
    """Every #define with a value and every enumerator, by line. Never raises; what is no C gives few or none."""
    return tuple(sorted((*_defines(seen), *_enumerators(seen)), key=lambda constant: constant.line))


def simple(constants: Iterable[Constant]) -> list[Constant]:
    """Those that are constants: no macros with arguments, nothing without a value (a guard, a switch)."""
    return [c for c in constants if c.params is None and (c.text or c.enum >= 0)]


def _defines(seen: View) -> Iterator[Constant]:
    for found in seen.directives:
        if found.word != b"define":
            continue
        match = _DEFINE.match(found.rest)
        if match is None:
            continue
        params = tuple(p.strip() for p in match[3].split(b",")) if match[2] is not None else None
        text = _SPACE.sub(b" ", match[4]).strip()
        yield Constant(match[1], text, seen.lines.line(found.offset), seen.condition(found.offset), params)


def _enumerators(seen: View) -> Iterator[Constant]:
    code = blank(seen.code) if b'"' in seen.code else seen.code
    for number, match in enumerate(_ENUM.finditer(code)):
        at, last, step, unsure = match.start(2), b"", -1, False
        condition = seen.condition(at)
        for piece in _pieces(match[2]):
            entry = _ENTRY.fullmatch(piece)
            start, at = at, at + len(piece) + 1
            if entry is None:
                continue
            place = start + entry.start(1)
            here = seen.condition(place)
            text = _SPACE.sub(b" ", entry[2] or b"").strip()
            unsure = not text and (unsure or here != condition)
            last, step = (entry[1], 0) if text else (last, step + 1)
            yield Constant(
                entry[1], text, seen.lines.line(place), here, None, number, match[1] or b"", b"" if text else last, step, unsure
            )
            unsure = unsure or here != condition  # from here on nobody knows how many came before


def _pieces(body: bytes) -> Iterator[bytes]:
    """The entries of an enum: cut at the commas outside of parentheses."""
    depth, start = 0, 0
    for match in re.finditer(rb"[(),]", body):
        if match.group() == b",":
            if depth == 0:
                yield body[start : match.start()]
                start = match.end()
        else:
            depth = max(0, depth + (1 if match.group() == b"(" else -1))
    yield body[start:]

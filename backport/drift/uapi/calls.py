"""Macro and function calls of a C file with their arguments, those included that the file's own macros make.

`#define KSM_ATTR(_name) static struct kobj_attribute _name##_attr = __ATTR(_name, 0644, ...)` and then `KSM_ATTR(run);` declares
`run_attr` with `__ATTR(run, 0644, ...)`: such calls are expanded, so that patterns find them as if they were written out. Only
macros of the same file are known; one that a header defines (`PMU_FORMAT_ATTR` of a driver's own header) stays unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from backport.csource.tokens import Lines, blank_comments, directives

_DEFINE = re.compile(rb"[ \t]+([A-Za-z_]\w*)\(([^)]*)\)((?:.|\n)*)")
_STRING = re.compile(rb'"(?:[^"\\\n]|\\.)*+"')
_SKIP = re.compile(rb'"(?:[^"\\\n]|\\.)*+"?|\'(?:\\.|[^\'\\\n])\'|[()\[\]{},]')
_DEEP = 4
_MANY = 5000
_LONG = 20_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of code: the file itself, or what one macro call stands for; `line` is that call's (0: count in the text)."""

    text: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its name, arguments as written, line, and where it begins in its segment."""

    name: bytes
    arguments: tuple[bytes, ...]
    line: int
    start: int
    end: int
    segment: Segment


@dataclass(frozen=True, slots=True)
class _Macro:
    params: tuple[bytes, ...]
    body: bytes


class Code:
    """One C file, comments and directives out of the way."""

    def __init__(self, text: bytes) -> None:
        plain = blank_comments(text)
        self._original = text
        self._macros: dict[bytes, _Macro] = {}
        code = bytearray(plain)
        for found in directives(plain):
            code[found.offset : found.end] = b" " * (found.end - found.offset)
            match = _DEFINE.match(found.rest) if found.word == b"define" else None
            if match is not None:
                params = tuple(p.strip() for p in match[2].split(b","))
                self._macros[match[1]] = _Macro(params, re.sub(rb"\\\r?\n", b" ", match[3]))
        # newlines of wiped directives do not matter for lines: those are counted in the original text
        self.text = bytes(code)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._original)

    @cached_property
    def own_macros(self) -> frozenset[bytes]:
        """Function-like macros that the file defines."""
        return frozenset(self._macros)

    def line(self, offset: int) -> int:
        """The 1-based line of a place in `text`."""
        return self._lines.line(offset)

    def segments(self, wanted: frozenset[bytes]) -> list[Segment]:
        """The file itself, and what the calls of its own macros stand for that lead to a wanted name."""
        found = [Segment(self.text, 0)]
        leading = self._leading(wanted)
        if leading:
            for call in self._calls(found[0], leading):
                if len(found) > _MANY:
                    break
                expansion = self._expand(call, leading, 0)
                if expansion:
                    found.append(Segment(expansion, call.line))
        return found

    def calls(self, names: Iterable[bytes], segments: Iterable[Segment]) -> Iterator[Call]:
        """Every call of one of the names in the segments."""
        wanted = frozenset(names)
        for segment in segments:
            yield from self._calls(segment, wanted)

    def _calls(self, segment: Segment, names: frozenset[bytes]) -> Iterator[Call]:
        names = frozenset(name for name in names if name in segment.text)
        if not names:
            return
        pattern = re.compile(rb"\b(" + b"|".join(re.escape(name) for name in sorted(names)) + rb")\s*\(")
        strings = [match.span() for match in _STRING.finditer(segment.text)] if b'"' in segment.text else []
        place = 0
        for match in pattern.finditer(segment.text):
            while place < len(strings) and strings[place][1] <= match.start():
                place += 1
            if place < len(strings) and strings[place][0] <= match.start():
                continue
            arguments, end = split_arguments(segment.text, match.end() - 1)
            if end >= 0:
                line = segment.line or self._lines.line(match.start())
                yield Call(match[1], arguments, line, match.start(), end, segment)

    def _leading(self, wanted: frozenset[bytes]) -> frozenset[bytes]:
        """The file's macros whose body mentions a wanted name, or another such macro."""
        found: set[bytes] = set()
        words = {name: set(re.findall(rb"\w+", macro.body)) for name, macro in self._macros.items()}
        for _ in range(_DEEP):
            found |= {name for name, said in words.items() if said & (wanted | found)}
        return frozenset(found)

    def _expand(self, call: Call, leading: frozenset[bytes], depth: int) -> bytes:
        macro = self._macros[call.name]
        if len(macro.params) != len(call.arguments) and not (macro.params and macro.params[-1].endswith(b"...")):
            return b""
        text = substitute(macro.body, dict(zip(macro.params, call.arguments, strict=False)))
        if depth >= _DEEP or len(text) > _LONG:
            return text[:_LONG]
        pieces, at = [], 0
        for inner in self._calls(Segment(text, call.line), leading):
            if inner.start >= at:
                pieces += [text[at : inner.start], self._expand(inner, leading, depth + 1)]
                at = inner.end
        return b"".join([*pieces, text[at:]])[:_LONG]


def substitute(body: bytes, given: dict[bytes, bytes]) -> bytes:
    """A macro's body with its parameters replaced, `#x` made a string, `a##b` pasted."""
    quoted = re.sub(rb"(?<!#)#\s*(\w+)", lambda m: b'"' + given[m[1]] + b'"' if m[1] in given else m[0], body)
    pieces = re.split(rb'("(?:[^"\\]|\\.)*+")', quoted)
    replaced = [
        piece if i % 2 else re.sub(rb"\b[A-Za-z_]\w*\b", lambda m: given.get(m[0], m[0]), piece) for i, piece in enumerate(pieces)
    ]
    return re.sub(rb"\s*##\s*", b"", b"".join(replaced))


def split_arguments(text: bytes, opening: int) -> tuple[tuple[bytes, ...], int]:
    """The arguments between the parenthesis at `opening` and its partner, and the place behind that one (-1: it has none)."""
    depth, start = 0, opening + 1
    found: list[bytes] = []
    for match in _SKIP.finditer(text, opening, opening + _LONG):
        mark = match.group()
        if mark in (b"(", b"[", b"{"):
            depth += 1
        elif mark in (b")", b"]", b"}"):
            depth -= 1
            if depth == 0:
                found.append(text[start : match.start()])
                return tuple(b" ".join(each.split()) for each in found), match.end()
        elif mark == b"," and depth == 1:
            found.append(text[start : match.start()])
            start = match.end()
    return (), -1


def string(argument: bytes) -> bytes | None:
    """What a string literal says (adjacent ones joined), None for anything else."""
    if not re.fullmatch(rb'(?:\s*"(?:[^"\\]|\\.)*+")+\s*', argument):
        return None
    return b"".join(match[1:-1] for match in _STRING.findall(argument))


def block(text: bytes, opening: int) -> bytes:
    """What stands between the brace at `opening` and its partner; up to the end of what is looked at where it has none."""
    depth = 0
    for match in _SKIP.finditer(text, opening, opening + 200_000):
        depth += (match.group() == b"{") - (match.group() == b"}")
        if depth == 0:
            return text[opening + 1 : match.start()]
    return text[opening + 1 : opening + 200_000]

"""Under which configuration a line of C stands: what the #if lines around it ask of CONFIG_ symbols."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from backport.csource.tokens import Lines, blank, directives

_OPENING = (b"if", b"ifdef", b"ifndef")
_TERM = re.compile(rb"\s*(!?)\s*(?:defined\s*\(?\s*(\w+)\s*\)?|IS_ENABLED\s*\(\s*(\w+)\s*\)|(\w+))\s*$")
Wanted = frozenset[bytes]
"""CONFIG_X: must be set; !CONFIG_X: must not be. What cannot be told (`||`, numbers) is left out."""


class Conditions:
    """The #if lines of one file. Never raises: what is unbalanced counts as far as it goes."""

    def __init__(self, text: bytes) -> None:
        self._starts: list[int] = [0]
        self._wanted: list[Wanted] = [frozenset()]
        if b"CONFIG_" in text:
            self._read(text)

    def at(self, line: int) -> Wanted:
        """What a 1-based line needs."""
        return self._wanted[bisect_right(self._starts, line) - 1]

    def _read(self, text: bytes) -> None:
        plain, lines = blank(text), Lines(text)
        stack: list[Wanted] = []
        for directive in directives(plain):
            word = directive.word
            if word in _OPENING:
                stack.append(_asked(word, directive.rest))
            elif word in (b"elif", b"else") and stack:
                before = stack.pop()
                stack.append(_otherwise(before) if word == b"else" else _asked(b"if", directive.rest))
            elif word == b"endif" and stack:
                stack.pop()
            else:
                continue
            self._starts.append(lines.line(directive.end))
            self._wanted.append(frozenset().union(*stack))


@lru_cache(maxsize=64)  # the headers of a patch are asked about again and again
def conditions(text: bytes) -> Conditions:
    """The conditions of a file."""
    return Conditions(text)


def _asked(word: bytes, rest: bytes) -> Wanted:
    """What one #if needs; a disjunction needs nothing for sure."""
    if b"||" in rest or b"?" in rest:
        return frozenset()
    found = set()
    for part in rest.strip().strip(b"()").split(b"&&") if rest.count(b"(") == 1 else rest.split(b"&&"):
        term = _TERM.match(part)
        name = (term.group(2) or term.group(3) or term.group(4)) if term else b""
        if term and name.startswith(b"CONFIG_"):
            name = name.removesuffix(b"_MODULE")
            found.add(b"!" + name if bool(term.group(1)) != (word == b"ifndef") else name)
    return frozenset(found)


def _otherwise(wanted: Wanted) -> Wanted:
    """What the #else of it needs: known only where it was one symbol."""
    if len(wanted) != 1:
        return frozenset()
    (one,) = wanted
    return frozenset({one[1:] if one.startswith(b"!") else b"!" + one})

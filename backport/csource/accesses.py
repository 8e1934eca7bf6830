"""Which struct members some lines of a C file name, and how many arguments stand in a call: read from the words alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backport.csource.mask import closing
from backport.csource.outline import Declaration
from backport.csource.tokens import KEYWORDS, Lines, directives

_MEMBER = re.compile(rb"(->|(?<![.\d])\.(?!\.))\s*([A-Za-z_]\w*)(?!\s*##)")
_BASE = re.compile(rb"(->|\.|##)?\s*\b([A-Za-z_]\w*)\s*$")
_STRUCT = re.compile(rb"\bstruct\s+(\w+)\s+(?=[*\w])(?=([^;(){}]{0,400}))")
_DECLARATOR = re.compile(rb"^[\s*]*(?:(?:const|volatile|__restrict)\s+)?[\s*]*(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=.*)?$", re.S)
_BRACKETS = re.compile(rb"[()\[\]{},#]")
_LOOK_BACK = 120  # bytes before a member in which its base is sought


@dataclass(frozen=True, slots=True)
class Access:
    """A member's name on a line, behind `->` or `.`, or as the designator of an initialiser (`designator`).

    `tag` is the struct of the variable right before it, where the function declares that variable once as `struct tag *v` or
    `struct tag v`; empty where the base is anything else.
    """

    name: bytes
    line: int
    tag: bytes
    designator: bool


def accesses(plain: bytes, lines: Lines, wanted: Collection[int], functions: Collection[Declaration]) -> Iterator[Access]:
    """The members that the wanted lines of a text (blanked) name, by line; not those inside a #define."""
    closed = {n for d in directives(plain) for n in range(lines.line(d.offset), lines.line(d.end) + 1)}
    tags: dict[Declaration, dict[bytes, bytes]] = {}
    for line in sorted(set(wanted) - closed):
        function = next((f for f in functions if f.line <= line <= f.end), None)
        for match in _MEMBER.finditer(plain, lines.start(line), lines.end(line)):
            before = plain[max(0, match.start() - _LOOK_BACK) : match.start()].rstrip()
            designator = before.endswith((b"{", b",")) and match.group(1) == b"."
            base = _BASE.search(before)
            tag = b""
            if function is not None and base is not None and not base.group(1):
                if function not in tags:
                    tags[function] = struct_variables(plain[lines.start(function.line) : lines.end(function.end)])
                tag = tags[function].get(base.group(2), b"")
            if designator or before[-1:] in (b")", b"]") or base is not None:
                yield Access(match.group(2), line, tag, designator)


def struct_variables(function: bytes) -> dict[bytes, bytes]:
    """The variables and parameters that a function's (blanked) text declares with a struct type, and the struct's tag.

    A name declared twice with different structs is left out. May be wrong where a variable of another kind hides one of these
    in an inner block: `struct page *p; { int p; }` says page for both.
    """
    found: dict[bytes, bytes] = {}
    twice: set[bytes] = set()
    for match in _STRUCT.finditer(function):
        for part in match.group(2).split(b","):
            name = _DECLARATOR.match(part)
            if name is None or name.group(1) in KEYWORDS:
                break
            if found.setdefault(name.group(1), match.group(1)) != match.group(1):
                twice.add(name.group(1))
    return {name: tag for name, tag in found.items() if name not in twice}


def count_arguments(plain: bytes, opening: int) -> int:
    """How many arguments stand in the brackets that open at `opening`; -1 where a directive is among them or nothing closes."""
    end = closing(plain, opening)
    if end < 0:
        return -1
    depth, commas = 0, 0
    for match in _BRACKETS.finditer(plain, opening + 1, end):
        what = match.group()
        if what == b"#":
            return -1
        if what == b",":
            commas += depth == 0
        else:
            depth += 1 if what in b"([{" else -1
    return commas + 1 if plain[opening + 1 : end].strip() else 0

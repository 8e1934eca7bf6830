"""Struct members that stand as arguments of macros: `container_of(p, struct page, lru)`, `list_for_each_entry(page, head, lru)`.

Only words in the macros' names tell that a member is meant: `entry`, `container_of`, `offsetof` and the sizes of fields. The
struct is the one that is written there, or that of the loop's variable. A macro of another name that takes members is not seen;
one with such a name that takes none (a call of its own, `my_entry(dev, struct foo, bar)`) has not been met in 2.6.31.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from backport.csource.accesses import Access, arguments_of, struct_variables
from backport.csource.mask import closing
from backport.csource.outline import Declaration
from backport.csource.tokens import Lines

_CALL = re.compile(rb"\b(\w*entry\w*|container_of\w*|(?:__builtin_)?offsetof\w*|FIELD_SIZEOF|sizeof_field)[ \t]*\(")
_TAG = re.compile(rb"\s*(?:const\s+)?struct\s+(\w+)\s*$")
_MEMBER = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:$|[.\[])")
_VARIABLE = re.compile(rb"\s*([A-Za-z_]\w*)\s*$")
_LOOP = re.compile(rb"list_for_each_entry")
_TALL = 6  # lines that one such call takes at most


def member_arguments(
    plain: bytes, lines: Lines, wanted: Collection[int], functions: Collection[Declaration]
) -> Iterator[tuple[Access, int]]:
    """The members that calls on the wanted lines of a text (blanked) are given, with the offset of the word."""
    here = set(wanted)
    for match in _CALL.finditer(plain):
        line = lines.line(match.start())
        if here.isdisjoint(range(line, line + _TALL)):
            continue
        opening = match.end() - 1
        given = arguments_of(plain, opening)
        member = _MEMBER.match(given[-1]) if len(given) > 1 else None
        if member is None:
            continue
        at = closing(plain, opening) - len(given[-1]) + member.start(1)
        tag, root, function = _base(match.group(1), given, plain, lines, line, functions)
        if tag and lines.line(at) in here:
            yield Access(member.group(1), lines.line(at), tag, False, root, (), function), at


def _base(
    macro: bytes, given: list[bytes], plain: bytes, lines: Lines, line: int, functions: Collection[Declaration]
) -> tuple[bytes, bytes, bytes]:
    """The struct whose member it is, the variable that says so, and the enclosing function; empty where that is not told."""
    function = next((f for f in functions if f.line <= line <= f.end), None)
    where = function.name if function is not None else b""
    typed = _TAG.match(given[-2])
    if typed:
        return typed.group(1), b"", where
    variable = _VARIABLE.match(given[0])
    if variable is None or function is None or not _LOOP.search(macro):
        return b"", b"", where
    tags = struct_variables(plain[lines.start(function.line) : lines.end(function.end)])
    return tags.get(variable.group(1), b""), variable.group(1), where

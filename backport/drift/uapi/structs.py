"""The structs and unions that a header defines, member by member, as they are written.

A small reader of its own, not the syntax tree: a layout needs what is nested in what, which members are bit-fields of how many
bits, and the attributes. It knows no macros that make members; where it meets what it does not understand, the struct is `opaque`
and says so (`struct { __DECLARE_FLEX_ARRAY(int, x); }`), and no size is given for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backport.csource.tokens import Lines, blank
from backport.drift.uapi.view import View

_HEAD = re.compile(
    rb"\b(?:(typedef)\s+)?(struct|union)\b([^;{}()=]*(?:__attribute__\s*\(\([^()]*(?:\([^()]*\))?\)\))?[^;{}()=]*)\{"
)
_ATTRIBUTE = re.compile(
    rb"__attribute(?:__)?\s*\(\(([^()]*(?:\([^()]*\)[^()]*)*)\)\)|\b(__packed|__aligned_u64|__aligned\s*\(([^()]*)\))"
)
_ALIGNED = re.compile(rb"aligned(?:__)?\s*(?:\(([^()]*)\))?")
_POINTER_TO_FUNCTION = re.compile(rb"\(\s*(?:__\w+\s+)*\*\s*(?:const\s+)?(\w*)\s*((?:\[[^\]]*\]\s*)*)\)\s*\(")
_DECLARATOR = re.compile(
    rb"\s*((?:\*\s*(?:const\b|volatile\b|__user\b|__restrict\b)?\s*)*)(\w*)\s*((?:\[[^\[\]]*\]\s*)*)(?::\s*(.+?))?\s*", re.S
)
_QUALIFIER = re.compile(
    rb"\b(?:const|volatile|__user|__force|__iomem|extern|static|__extension__|__volatile__|__const|register)\b"
)
_TYPEDEF = re.compile(rb"\btypedef\b([^;{}]*);")
_TAIL = re.compile(rb"([^;{}]*);")
_DEEP = 12
_LONG = 400_000


@dataclass(frozen=True, slots=True)
class Member:
    """A member: `type` in words (or `inner`, the struct that it is), how often it is pointed at, its dimensions, its bits.

    `name` is empty for an anonymous one; `bits` is the width as written, empty for none; `aligned` an attribute's argument.
    """

    name: bytes
    type: bytes
    pointer: bool
    dimensions: tuple[bytes, ...]
    bits: bytes
    inner: Struct | None = None
    aligned: bytes = b""


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct or union with a body. `name` is its tag, or the name of the typedef of an untagged one.

    `opaque` says that not all members are known, `obstacle` why else its size cannot be told: a #pragma, members under #if.
    """

    kind: str
    name: bytes
    members: tuple[Member, ...]
    packed: bool
    aligned: bytes
    line: int
    condition: bytes
    opaque: bool
    obstacle: bytes = b""


@dataclass(frozen=True, slots=True)
class Alias:
    """A typedef of a type that has a name: what it stands for."""

    name: bytes
    type: bytes
    pointer: bool
    dimensions: tuple[bytes, ...]


def read(seen: View) -> tuple[tuple[Struct, ...], tuple[Alias, ...]]:
    """All structs and unions at file scope, and all typedefs. Never raises."""
    code = blank(seen.code)[:_LONG]
    found: list[Struct] = []
    aliases: list[Alias] = []
    at = 0
    while match := _HEAD.search(code, at):
        end = _closing(code, match.end() - 1)
        if end < 0:
            at = match.end()
            continue
        tail = _TAIL.match(code, end + 1)
        made = _struct(code, match, end, tail[1] if tail else b"", seen.lines, seen.condition(match.start()), 0)
        names = _names(tail[1]) if tail and match[1] else []
        if not made.name and names:
            made = replace(made, name=names[0])
        obstacle = _obstacle(seen, match.start(), end, b"" if match[1] or tail is None else tail[1])
        made = replace(made, obstacle=obstacle) if obstacle else made
        found.append(made)
        aliases += [Alias(name, match[2] + b" " + made.name, False, ()) for name in names if made.name != name]
        at = end
    aliases.extend(_aliases(code))
    return tuple(s for s in found if s.name), tuple(aliases)


def _obstacle(seen: View, start: int, end: int, tail: bytes) -> bytes:
    """Why the size of a struct cannot be told from its members: a word behind it that may be an attribute (EPOLL_PACKED)."""
    if re.search(rb"\b[A-Z_][A-Z0-9_]{2,}\b", _ATTRIBUTE.sub(b" ", tail)):
        return b"a macro behind it"
    if any(start < place < end for place, _ in seen.conditions):
        return b"members under conditions"
    packing = [d.rest for d in seen.directives if d.word == b"pragma" and d.offset < start and b"pack" in d.rest]
    if packing and not re.search(rb"pop|\(\s*\)", packing[-1]):
        return b"#pragma pack"
    return b""


def _struct(code: bytes, match: re.Match[bytes], end: int, tail: bytes, lines: Lines, condition: bytes, deep: int) -> Struct:
    body = code[match.end() : end]
    packed, aligned, _ = _attributes(match[3] + b" " + tail)
    tag = re.search(rb"(\w+)\s*$", _ATTRIBUTE.sub(b" ", match[3]))
    members: list[Member] = []
    opaque = b"#" in body or deep > _DEEP
    try:
        if not opaque:
            members = list(_members(code, match.end(), end, lines, deep))
    except ValueError:
        opaque = True
    return Struct(
        match[2].decode(), tag[1] if tag else b"", tuple(members), packed, aligned, lines.line(match.start()), condition, opaque
    )


def _members(code: bytes, start: int, end: int, lines: Lines, deep: int) -> Iterator[Member]:
    """What stands between two braces; ValueError for what is no plain declaration."""
    at = start
    while code[at:end].strip():
        nested = _HEAD.search(code, at, end)
        semicolon = code.find(b";", at, end)
        if semicolon < 0:
            raise ValueError("no semicolon")
        if nested is not None and nested.start() < semicolon:
            if code[at : nested.start()].translate(None, b" \t\r\n;").replace(b"__extension__", b""):
                raise ValueError("a struct behind something else")
            close = _closing(code, nested.end() - 1)
            if close < 0 or close >= end:
                raise ValueError("no closing brace")
            semicolon = code.find(b";", close, end)
            if semicolon < 0:
                raise ValueError("no semicolon")
            tail = code[close + 1 : semicolon]
            inner = _struct(code, nested, close, b"", lines, b"", deep + 1)
            packed, aligned, rest = _attributes(tail)
            inner = replace(inner, packed=inner.packed or packed)
            yield from _declarators(b"", rest, replace(inner, aligned=inner.aligned or aligned), b"")
        else:
            yield from _plain(code[at:semicolon])
        at = semicolon + 1


def _plain(text: bytes) -> Iterator[Member]:
    _, aligned, text = _attributes(text)
    text = b" ".join(_QUALIFIER.sub(b" ", text).split())
    if not text:
        return
    if pointer := _POINTER_TO_FUNCTION.search(text):
        yield Member(pointer[1], b"void", True, _dimensions(pointer[2]), b"")
        return
    head = re.match(
        rb"((?:struct|union|enum)\s+\w+|(?:(?:unsigned|signed|long|short|int|char|double|__signed__)\b\s*)+|\w+)(.*)", text, re.S
    )
    if head is None or b"(" in text.partition(b":")[0].partition(b"[")[0]:
        raise ValueError("no declaration")
    yield from _declarators(head[1].strip(), head[2], None, aligned)


def _declarators(type_: bytes, text: bytes, inner: Struct | None, aligned: bytes) -> Iterator[Member]:
    for piece in re.split(rb",(?![^\[\(]*[\]\)])", text) if text.strip() else [b""]:
        match = _DECLARATOR.fullmatch(piece)
        if match is None or (not match[2] and inner is None and match[4] is None):
            raise ValueError("no declarator")
        yield Member(match[2], type_, b"*" in match[1], _dimensions(match[3]), (match[4] or b"").strip(), inner, aligned)


def _dimensions(text: bytes) -> tuple[bytes, ...]:
    return tuple(each.strip() for each in re.findall(rb"\[([^\[\]]*)\]", text))


def _attributes(text: bytes) -> tuple[bool, bytes, bytes]:
    """Whether packed, how aligned (an expression), and the text without the attributes."""
    packed, aligned = False, b""
    for match in _ATTRIBUTE.finditer(text):
        said = match[1] if match[1] is not None else match[2]
        packed = packed or b"packed" in said
        found = _ALIGNED.search(said)
        if match[3] is not None:
            aligned = match[3]
        elif match[2] != b"__aligned_u64" and found is not None:
            aligned = found[1] or b"16"
    kept = _ATTRIBUTE.sub(lambda m: m[0] if m[2] == b"__aligned_u64" else b" ", text)
    return packed, aligned.strip(), kept


def _aliases(code: bytes) -> Iterator[Alias]:
    for match in _TYPEDEF.finditer(code):
        try:
            for member in _plain(match[1]):
                yield Alias(member.name, member.type, member.pointer, member.dimensions)
        except ValueError:
            continue


def _names(tail: bytes) -> list[bytes]:
    """Names of a typedef behind its body; those of pointers to it are of no use here."""
    return [piece.strip() for piece in _ATTRIBUTE.sub(b" ", tail).split(b",") if re.fullmatch(rb"\s*\w+\s*", piece)]


def _closing(code: bytes, opening: int) -> int:
    depth = 0
    for match in re.compile(rb"[{}]").finditer(code, opening, opening + 100_000):
        depth += 1 if match.group() == b"{" else -1
        if depth == 0:
            return match.start()
    return -1

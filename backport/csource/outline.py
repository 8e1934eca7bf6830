"""A quick reading of what a C file declares: one pass of patterns over its outermost level, ten times faster than a parse.

Headers are read by the thousand to answer "is this name declared", so this reader knows only names, kinds, lines and heads.
Every branch of `#if` counts: whether a name is there under this configuration is not asked here. What is inside functions
is for `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from backport.csource.declarator import names_declared
from backport.csource.tokens import Directive, Lines, blank, directives

_INCLUDE = re.compile(rb'^[ \t\f]*#[ \t]*(?:include|include_next|import)[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|([^\n]*))', re.M)
_EVENT = re.compile(rb"[{};\x01\x02\x03]")
_INSIDE = re.compile(rb"[{}\x01\x02\x03]")  # of braces: what a `;` ends there is nothing of ours
_MACRO = re.compile(rb"[ \t]+([A-Za-z_$][\w$]*)(\([^)]*\))?")
_MARK = {b"if": b"\1", b"ifdef": b"\1", b"ifndef": b"\1", b"else": b"\2", b"elif": b"\2", b"endif": b"\3"}
_KEEP = bytes(b if b in b"\n\r" else 0x20 for b in range(256))
_SIGNATURE = 240  # bytes kept of a head; the longest prototype of 2.6.31 has 400, and only its shape is compared


@dataclass(frozen=True, slots=True)
class Declaration:
    """A name that a file declares at its outermost level (or a member or constant inside such a type).

    `kind`: function (with a body), prototype, macro, struct, union, enum, typedef, constant (an enumerator), member, variable,
    extern, made (a plain argument of a macro call such as DEFINE_MUTEX: it may be declared by it). `line` to `end` are 1-based;
    `signature` is the head, on one line and cut at 240 bytes; for a constant the enum it is in, for a member the tag of the
    outermost struct, a NUL, and how it is declared (see `owner` and `spelled`).
    """

    name: bytes
    kind: str
    line: int
    end: int
    signature: bytes

    @property
    def owner(self) -> bytes:
        """The tag of the struct that a member is in."""
        return self.signature.partition(b"\0")[0]

    @property
    def spelled(self) -> bytes:
        """How it is declared: for a member its type with its name."""
        return self.signature.rpartition(b"\0")[2]


@dataclass(frozen=True, slots=True)
class Include:
    """An #include: the path as written, whether in <>, its line. A computed one (a macro) has its text and `computed`."""

    path: bytes
    system: bool
    line: int
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file declares and includes. `closed` is false where it begins or ends inside of something.

    Names may then be missing; and a piece of a file that is closed says what the file says of it, whatever stands around it.
    """

    declarations: tuple[Declaration, ...]
    includes: tuple[Include, ...]
    closed: bool


@lru_cache(maxsize=64)  # one file of a patch is asked about several times in a row
def outline(text: bytes) -> Outline:
    """Read a file. Never raises; what is no C gives few names."""
    plain = blank(text)
    lines = Lines(text)
    found = directives(plain)
    declarations = list(_macros(text, found, lines))
    code = _without_directives(plain, found)
    chunks, closed = _chunks(code)
    for chunk in chunks:
        declarations.extend(_declared(code, chunk, lines))
    return Outline(tuple(sorted(declarations, key=lambda d: d.line)), includes(text), closed)


@lru_cache(maxsize=64)
def includes(text: bytes) -> tuple[Include, ...]:
    """The #include lines of a file, those inside comments left out. Read no further than the last line that looks like one."""
    matches = [match for start in _heads(text) if (match := _INCLUDE.match(text, start))]
    plain = blank(text[: matches[-1].end()]) if matches else b""
    found = []
    line, counted = 1, 0
    for match in matches:
        if plain[text.index(b"#", match.start())] != 0x23:
            continue
        line, counted = line + text.count(b"\n", counted, match.end()), match.end()
        if match.group(3) is None:
            found.append(Include(match.group(1) or match.group(2), match.group(2) is not None, line))
        elif match.group(3).strip():
            found.append(Include(match.group(3).strip(), False, line, True))
    return tuple(found)


def _heads(text: bytes) -> list[int]:
    """Where lines begin that have one of the words: few do, and a pattern tried on each line takes much longer."""
    starts = set()
    for word in (b"include", b"import"):
        at = -1
        while (at := text.find(word, at + 1)) >= 0:
            starts.add(text.rfind(b"\n", 0, at) + 1)
    return sorted(starts)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One outermost construct: head from `start` to `head_end`; where it has braces, they open there and close at `end`."""

    start: int
    head_end: int
    end: int
    braces: bool
    tail_end: int


def _macros(text: bytes, found: list[Directive], lines: Lines) -> Iterator[Declaration]:
    for directive in found:
        if directive.word != b"define":
            continue
        match = _MACRO.match(directive.rest)
        if match:
            signature = b" ".join(text[directive.offset : min(directive.end, directive.offset + _SIGNATURE)].split())
            line = lines.line(directive.offset)
            last = line if b"\n" not in directive.rest else lines.line(directive.end)
            yield Declaration(match.group(1), "macro", line, last, signature)


def _without_directives(plain: bytes, found: list[Directive]) -> bytes:
    """Directive lines blanked; #if, #else and #endif leave the bytes 1, 2 and 3 in place of their '#'."""
    code = bytearray(plain.translate(_NO_MARKS))
    for directive in found:
        mark = _MARK.get(directive.word, b" ")
        code[directive.offset : directive.end] = mark + code[directive.offset : directive.end].translate(_KEEP)[1:]
    return bytes(code)


_NO_MARKS = bytes(0x20 if b < 5 else b for b in range(256))
_NOTHING = b" \t\r\n\f\v\1\2\3\\"


def _chunks(code: bytes) -> tuple[list[Chunk], bool]:
    """Cut at the outermost `;` and braces, and whether nothing is left open. A branch of #if starts at the depth of its #if, as
    ctags does it; one whose #if is not here tells nothing, so it must be at the outermost level.
    """
    chunks: list[Chunk] = []
    depth, start, opened, closed = 0, 0, -1, -1
    branches: list[tuple[int, int]] = []  # depth at #if; depth at the end of the first branch, -1 before it
    closes = True
    at = -1
    while match := (_INSIDE if depth else _EVENT).search(code, at + 1):
        event, at = match.group(), match.start()
        if event == b"{":
            if depth == 0 and opened < 0:
                opened = at
            depth += 1
        elif event == b"}":
            closes = closes and depth > 0
            depth = max(0, depth - 1)
            if depth == 0 and opened >= 0:
                closed = at
                if _ends_here(code[start:opened]):
                    chunks.append(Chunk(start, opened, at, True, at))
                    start, opened, closed = at + 1, -1, -1
        elif event == b";":
            chunks.append(Chunk(start, opened if opened >= 0 else at, max(closed, opened), opened >= 0, at))
            start, opened, closed = at + 1, -1, -1
        elif event == b"\1":
            branches.append((depth, -1))
        elif event == b"\2" and branches:
            before, first = branches.pop()
            branches.append((before, depth if first < 0 else first))
            depth = before
        elif event == b"\3" and branches:
            before, first = branches.pop()
            depth = depth if first < 0 else first
        else:
            closes = closes and depth == 0
    left = opened >= 0 or code[start:].strip(_NOTHING) or any(before or first > 0 for before, first in branches)
    return chunks, closes and depth == 0 and not left


_TYPE_HEAD = re.compile(rb"\b(?:struct|union|enum)\b[^()=]*$")
_INITIALISER = re.compile(rb"=[^()]*$|=\s*\(")


def _ends_here(head: bytes) -> bool:
    """Whether a closing brace ends the construct (a function, extern "C") or a `;` is still to come (a type, an initialiser)."""
    head = head[-2000:]
    return not (_TYPE_HEAD.search(head) or _INITIALISER.search(head))


def _declared(code: bytes, chunk: Chunk, lines: Lines) -> Iterator[Declaration]:
    raw = code[chunk.start : chunk.head_end]
    head = _one_line(raw[-4000:])
    tail = _one_line(code[chunk.end + 1 : chunk.tail_end]) if chunk.braces else b""
    body = code[chunk.head_end + 1 : chunk.end] if chunk.braces else None
    if not head and not tail:
        return
    first = lines.line(chunk.start + len(raw) - len(raw.lstrip(b" \t\r\n\f\1\2\3\\")))
    last = lines.line(chunk.tail_end)
    for name, kind, offset, signature in names_declared(head, body, tail):
        if offset >= 0:  # inside the braces
            line = lines.line(chunk.head_end + 1 + offset)
            yield Declaration(name, kind, line, line, signature[:_SIGNATURE])
        else:
            line = _line_of(raw, name, chunk.start, lines) if kind not in ("typedef", "made") or not body else last
            yield Declaration(name, kind, line or first, last, signature[:_SIGNATURE])


def _one_line(text: bytes) -> bytes:
    return b" ".join(text.translate(_NO_MARKS, b"\\").split())


def _line_of(raw: bytes, name: bytes, start: int, lines: Lines) -> int:
    """The line of the last whole-word occurrence of a name in a head (that of the declarator, not of a type before it)."""
    at = len(raw)
    while (at := raw.rfind(name, 0, at)) >= 0:
        if not (raw[at - 1 : at] + raw[at + len(name) : at + len(name) + 1]).strip(_NOT_WORD):
            return lines.line(start + at)
    return 0


_NOT_WORD = bytes(b for b in range(256) if not (chr(b).isalnum() and b < 128) and b not in b"_$")

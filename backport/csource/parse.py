"""Reads one C file in full: masked, parsed by tree-sitter, and told in the terms of `source`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from tree_sitter import Language, Node, Parser

from backport.csource import symbols
from backport.csource.mask import mask
from backport.csource.outline import outline
from backport.csource.source import Source, Span

_DEFINITION = re.compile(rb"^(?!typedef\b|else\b|return\b)(?:[A-Za-z_][^;={}\n]*?)?\b([A-Za-z_]\w*)[ \t]*\(", re.M)
_SYSCALL = re.compile(rb"^(?:COMPAT_)?SYSCALL\w*DEFINE\w*\(\s*(\w+)")
_MARKERS = re.compile(rb"^(?:<{7}|\|{7}|={7}|>{7})(?: [^\n]*)?$", re.M)


def parse(text: bytes) -> Source:
    """Everything that a file declares. Never raises: what cannot be read is in `errors`."""
    masked = mask(text)
    root = _parser().parse(masked).root_node
    return symbols.collect(root, text, masked, tuple(_errors(root)))


def parse_function(text: bytes, start: int, end: int, line: int) -> Source:
    """The same for one piece of a file, `text[start:end]`, which begins on the 1-based `line`: ten times cheaper than all of it.

    Offsets are within the piece; lines are those of the file.
    """
    piece = text[start:end]
    masked = mask(piece)
    root = _parser().parse(masked).root_node
    return symbols.collect(root, piece, masked, tuple(_errors(root)), line - 1)


@lru_cache(maxsize=64)
def faults(text: bytes) -> tuple[Span, ...]:
    """What the parser could not make sense of in a piece of a file: the `errors` of `parse_function` alone."""
    return tuple(_errors(_parser().parse(mask(text)).root_node))


def function_at(text: bytes, line: int) -> bytes:
    """The name of the function that holds a 1-based line, empty outside of any.

    Reads text with conflict markers and halves of functions too: braces are counted first (each side of a conflict may open or
    close what the other does as well), and where they do not add up, the last line in column one that looks like the head of
    a function is taken, unless a closing brace in column one follows it. That may be wrong for a definition by a macro
    that gives no name: `BUILD_LOCK_OPS(spin, spinlock);` of kernel/spinlock.c holds functions and names none.
    """
    clean = _as_branches(text)
    for found in outline(clean).declarations:
        if found.kind == "function" and found.line <= line <= found.end:
            return found.name
    return _above(text, line)


def _as_branches(text: bytes) -> bytes:
    """Conflict markers as the branches of an #if, on which the outline counts braces side by side."""
    if b"<<<<<<<" not in text:
        return text
    words = {b"<": b"#if 0", b"|": b"#else", b"=": b"#else", b">": b"#endif"}
    return _MARKERS.sub(lambda match: words[match.group()[:1]], text)


def _above(text: bytes, line: int) -> bytes:
    lines = text.split(b"\n")[: max(0, line)]
    for number in range(len(lines) - 1, -1, -1):
        row = lines[number]
        if row.startswith(b"}") and number < line - 1:
            return b""
        syscall = _SYSCALL.match(row)
        if syscall:
            return b"sys_" + syscall.group(1)
        match = _DEFINITION.match(row)
        if match and not row.rstrip().endswith((b";", b":")) and any(r.startswith(b"{") for r in lines[number:]):
            return match.group(1)
    return b""


@cache
def _parser() -> Parser:
    """One parser a process; made when it is first needed, because loading the grammar takes 10 ms."""
    import tree_sitter_c

    return Parser(Language(tree_sitter_c.language()))


def _errors(root: Node) -> Iterator[Span]:
    """The outermost nodes that the parser could not make sense of."""
    pending = [root] if root.has_error else []
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            yield Span(node.start_byte, node.end_byte, node.start_point.row + 1, node.end_point.row + 1)
        else:
            pending.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)

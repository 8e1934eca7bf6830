"""What a C file exports to modules, and the shapes of functions and variables: two versions of a file compared."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backport.csource.mask import without_annotations
from backport.csource.outline import outline
from backport.csource.parse import parse_function
from backport.csource.tokens import blank

_EXPORT = re.compile(rb"^[ \t]*(EXPORT_(?:UNUSED_|PER_CPU_)?SYMBOL\w*)[ \t]*\(\s*(\w+)", re.M)
_BOUNDARY = re.compile(rb"[;{}]|^[ \t]*#(?:[^\\\n]|\\\n|\\)*+", re.M)
_CALL = re.compile(rb"^\s*(?:(?:EXPORT|MODULE)_\w+\s*\([^)]*\)\s*)+")
_STORAGE = re.compile(rb"\b(?:extern|static|__inline__|__inline|inline|register|asmlinkage)\b")
_ROWS = 12  # lines of a declaration that are kept to find its place among the added lines


@dataclass(frozen=True, slots=True)
class Shape:
    """How something is declared. `key` is equal for equal shapes whatever the parameters are called; `text` is for people.

    `rows` are the lines of the declaration as they stand in the file, from the one with the name on.
    """

    key: tuple[bytes, ...]
    text: str
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """One declaration: the text up to its `;` or `{`, annotations taken out, and the offset of its first line with the name."""

    kind: str
    text: bytes
    at: int
    stop: int
    line: int


def exported(text: bytes) -> dict[bytes, bytes]:
    """Each symbol that a file exports, with the macro that does it."""
    if b"EXPORT_" not in text:
        return {}
    return {match.group(2): match.group(1) for match in _EXPORT.finditer(blank(text))}


def differing(
    old: bytes, new: bytes, kinds: Collection[str], names: Collection[bytes] | None = None
) -> Iterator[tuple[bytes, Shape, Shape]]:
    """Every name that both versions declare as one of the kinds (function, prototype, variable, extern), and not alike.

    Storage, annotations and names of parameters do not count. Where #if gives a name several declarations, all of them together
    are its shape, so that one more branch makes a difference. A function that a macro makes (BUFFER_FNS) is not seen, and a
    typedef that only changes its name counts as another type: `mode_t` for `umode_t`.
    """
    before, after = _heads(old, kinds, names), _heads(new, kinds, names)
    for name, was in before.items():
        now = after.get(name)
        if now is None or [b"".join(h.text.split()) for h in was] == [b"".join(h.text.split()) for h in now]:
            continue
        mine, theirs = _shape(name, was, old), _shape(name, now, new)
        if mine.key != theirs.key:
            yield name, mine, theirs


def _heads(text: bytes, kinds: Collection[str], names: Collection[bytes] | None) -> dict[bytes, list[_Head]]:
    plain = blank(text)
    bounds = list(_BOUNDARY.finditer(plain))
    begins, ends = [b.start() for b in bounds], [b.end() for b in bounds]
    lines = [0, *(match.end() for match in re.finditer(rb"\n", text))]
    found: dict[bytes, list[_Head]] = {}
    for declared in outline(text).declarations:
        if declared.kind not in kinds or (names is not None and declared.name not in names):
            continue
        at = plain.find(declared.name, lines[min(declared.line, len(lines)) - 1])
        before, after = bisect_right(ends, at), bisect_left(begins, at)
        start = ends[before - 1] if before else 0
        stop = begins[after] if after < len(begins) else len(plain)
        head = _CALL.sub(b"", without_annotations(plain[start:stop])).strip()
        head = head if declared.kind in ("function", "prototype") else head.split(b"=", 1)[0]
        found.setdefault(declared.name, []).append(_Head(declared.kind, head, at, stop, declared.line))
    return found


def _shape(name: bytes, heads: list[_Head], text: bytes) -> Shape:
    key = tuple(part for head in heads for part in (*_key(name, head), b"|"))
    first = heads[0]
    row = text.rfind(b"\n", 0, first.at) + 1
    rows = tuple(text[row : first.stop].split(b"\n")[:_ROWS])
    return Shape(key, b" ".join(first.text.split()).decode("utf-8", "backslashreplace"), rows)


def _key(name: bytes, head: _Head) -> tuple[bytes, ...]:
    if head.kind in ("function", "prototype"):
        source = parse_function(head.text + b";", 0, len(head.text) + 1, head.line)
        function = next((f for f in source.prototypes if f.name == name), None)
        if function is not None and not source.errors:
            types = tuple(_squeezed(p.type) for p in function.params)
            return (_squeezed(function.returns), *types, b"..." if function.variadic else b"")
    return (_squeezed(head.text),)


def _squeezed(text: bytes) -> bytes:
    return re.sub(rb"\s*([^\w\s])\s*", rb"\1", b" ".join(_STORAGE.sub(b" ", text).split()))

"""Names that macros make by pasting words together: `PAGEFLAG(Dirty, dirty)` declares PageDirty, SetPageDirty, ClearPageDirty.

The makers are learned from the files themselves: a macro whose body pastes a parameter into what looks like the name of a
function, a variable or a type, or which calls such a macro. No name of the kernel's is known here. May be wrong for a macro whose
body is chosen by #if: then what any of the bodies makes is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.index import Index
from backport.csource.tokens import blank, directives

_HEAD = re.compile(rb"[ \t]+([A-Za-z_]\w*)\(([^()]*)\)")
_PASTED = re.compile(
    rb"\b([A-Za-z_]\w*)[\s*]+(\w*(?:\s*##\s*\w+)+)\s*(?=[({;=\[]|$)"  # behind a type or a star, before what follows a declarator
)
_CALL = re.compile(rb"\b([A-Za-z_]\w*)[ \t]*\(([^(){};]*)\)")
_EVENT = re.compile(rb"[{}]|\b([A-Za-z_]\w*)[ \t]*\(([^(){};]*)\)")
_TYPED = re.compile(rb"(?:\*|\b(?!static\b|extern\b|const\b)[A-Za-z_]\w*)\s*$")
_NO_TYPE = frozenset(b"return else goto case define sizeof do if while in".split())
_TOPIC = "made-1"  # raise the number with what `made_in` finds
_DEEP = 4  # macros that call macros: PAGEFLAG calls SETPAGEFLAG
_WIDE = 400  # names that one call may make: more is a table and no declaration


@dataclass(frozen=True, slots=True)
class Maker:
    """A macro that declares: `made` are names with `##` still in them, `calls` other macros with their arguments."""

    name: bytes
    params: tuple[bytes, ...]
    made: tuple[bytes, ...]
    calls: tuple[tuple[bytes, tuple[bytes, ...]], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A macro call at file scope."""

    name: bytes
    arguments: tuple[bytes, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Made:
    """What one file brings: makers, and the calls at file scope of which some may be of makers."""

    makers: tuple[Maker, ...]
    calls: tuple[Call, ...]


def made_in(text: bytes) -> Made:
    """The makers and the calls of one file. Never raises."""
    plain = blank(text)
    found = directives(plain)
    makers = tuple(maker for d in found if d.word == b"define" and (maker := _maker(d.rest)) is not None)
    code = bytearray(plain)
    for directive in found:
        code[directive.offset : directive.end] = re.sub(rb"[^\n]", b" ", plain[directive.offset : directive.end])
    return Made(makers, tuple(_calls(bytes(code))))


class Makers:
    """What the files of blobs bring, kept in the index, and in memory for as long as this lives: headers are asked for again."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, Made] = {}

    def of(self, oids: Collection[str]) -> dict[str, Made]:
        """What each blob brings."""
        wanted = [oid for oid in oids if oid not in self._known]
        kept = self._index.recall_all(_TOPIC, map(bytes.fromhex, wanted)) if wanted else {}
        self._known.update((raw.hex(), _load(value)) for raw, value in kept.items())
        fresh = {oid: made_in(self._index.text(oid)) for oid in wanted if oid not in self._known}
        self._index.remember(_TOPIC, ((bytes.fromhex(oid), _dump(made)) for oid, made in fresh.items()))
        self._known.update(fresh)
        return {oid: self._known[oid] for oid in oids}


def _dump(made: Made) -> bytes:
    makers = [[m.name, m.params, m.made, m.calls] for m in made.makers]
    calls = [[c.name, c.arguments, c.line] for c in made.calls]
    return json.dumps([makers, calls], default=lambda raw: raw.decode("latin-1"), separators=(",", ":")).encode()


def _load(kept: bytes) -> Made:
    makers, calls = json.loads(kept)
    return Made(
        tuple(Maker(_raw(n), _raws(p), _raws(m), tuple((_raw(c), _raws(a)) for c, a in inner)) for n, p, m, inner in makers),
        tuple(Call(_raw(name), _raws(arguments), line) for name, arguments, line in calls),
    )


def names_made(files: Iterable[tuple[bytes, Made]]) -> dict[bytes, tuple[bytes, Call]]:
    """Every name that the calls of some files make with the makers of all of them, with the file and the call that does it."""
    files = list(files)
    makers: dict[bytes, list[Maker]] = {}
    for _, made in files:
        for maker in made.makers:
            makers.setdefault(maker.name, []).append(maker)
    found: dict[bytes, tuple[bytes, Call]] = {}
    for path, made in files:
        for call in made.calls:
            if call.name in makers:
                for name in _expanded(call.name, call.arguments, makers, _DEEP):
                    found.setdefault(name, (path, call))
    return found


def _maker(rest: bytes) -> Maker | None:
    head = _HEAD.match(rest)
    if head is None:
        return None
    body = rest[head.end() :].replace(b"\\\n", b" \n").replace(b"\\\r\n", b" \n")
    params = tuple(param.strip() for param in head.group(2).split(b","))
    made = [b"".join(m.group(2).split()) for m in _PASTED.finditer(body) if m.group(1) not in _NO_TYPE] if b"##" in body else []
    calls = [(m.group(1), _arguments(m.group(2))) for m in _CALL.finditer(body) if not set(params).isdisjoint(_words(m.group(2)))]
    outer = [call for call in calls if call[0].isupper() or b"##" not in body]
    return Maker(head.group(1), params, tuple(dict.fromkeys(made)), tuple(outer)) if made or outer else None


def _calls(code: bytes) -> Iterator[Call]:
    """The macro calls outside of all braces: no word but a storage class stands before them, or it would be a prototype."""
    depth, line, at = 0, 1, 0
    for match in _EVENT.finditer(code):
        if match.group() == b"{":
            depth += 1
        elif match.group() == b"}":
            depth = max(0, depth - 1)
        elif depth == 0 and not _TYPED.search(code, max(0, match.start() - 80), match.start()):
            line += code.count(b"\n", at, match.start())
            at = match.start()
            yield Call(match.group(1), _arguments(match.group(2)), line)


def _expanded(name: bytes, arguments: Sequence[bytes], makers: Mapping[bytes, Sequence[Maker]], depth: int) -> set[bytes]:
    """What one call makes, all definitions of the macro taken together."""
    found: set[bytes] = set()
    for maker in makers.get(name, ()):
        if depth == 0 or len(found) > _WIDE:
            break
        values = dict(zip(maker.params, arguments, strict=False))
        found.update(_filled(made, values) for made in maker.made)
        for called, given in maker.calls:
            if called in makers and called != name:
                found |= _expanded(called, [_filled(each, values) for each in given], makers, depth - 1)
    return found


def _filled(text: bytes, values: Mapping[bytes, bytes]) -> bytes:
    return b"".join(values.get(part.strip(), part.strip()) for part in text.split(b"##"))


def _arguments(inside: bytes) -> tuple[bytes, ...]:
    return tuple(b" ".join(part.split()) for part in inside.split(b","))


def _raw(text: str) -> bytes:
    return text.encode("latin-1")


def _raws(texts: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(text.encode("latin-1") for text in texts)


def _words(text: bytes) -> list[bytes]:
    return re.findall(rb"\w+", text)

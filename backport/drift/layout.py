"""Two versions of a struct, member by member: what moved, and whether anything compiled against the old one would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.csource.outline import outline
from backport.csource.parse import parse
from backport.csource.source import Member
from backport.csource.tokens import Lines, blank

_LP64 = {"pointer": 8, "long": 8}
_ILP32 = {"pointer": 4, "long": 4}
_FIXED = re.compile(rb"(?:u|s|__u|__s|__le|__be|u?int)(8|16|32|64)(?:_t)?")
_COUNT = re.compile(rb"\[\s*(\d+)\s*\]")
_PARAMETER = re.compile(rb"(?<=[\w*])\s*\b(?!(?:int|char|long|short|unsigned|signed|void|float|double)\b)[a-z_]\w*\s*(?=[,)])")
_WORDS = {b"char": 1, b"short": 2, b"int": 4, b"float": 4, b"double": 8, b"bool": 1, b"_Bool": 1, b"atomic_t": 4}
_LONG = (b"size_t", b"ssize_t", b"pgoff_t", b"loff_t")


def bodies(text: bytes) -> dict[bytes, bytes]:
    """The text of every struct and union of a file by its name, comments blanked; those of several #if branches joined."""
    plain, lines = blank(text), Lines(text)
    found: dict[bytes, bytes] = {}
    for declaration in outline(text).declarations:
        if declaration.kind in ("struct", "union", "typedef"):
            piece = plain[lines.start(declaration.line) : lines.end(declaration.end)]
            if declaration.kind == "typedef":
                piece = _untagged(plain, lines, declaration.end)
            if b"{" in piece:
                found[declaration.name] = found.get(declaration.name, b"") + piece
    return found


def _untagged(plain: bytes, lines: Lines, end: int) -> bytes:
    """The `typedef struct { ... } name;` that ends on a line; empty where it is another typedef."""
    stop = lines.end(end)
    start = plain.rfind(b"typedef", 0, stop)
    piece = plain[start:stop] if start >= 0 else b""
    return piece if re.match(rb"typedef\s+(?:struct|union)\s*\{", piece) else b""


def members(piece: bytes) -> list[Member] | None:
    """The members of the outermost type, None where the parser does not understand it."""
    source = parse(piece)
    types = [found for found in source.types if found.kind in ("struct", "union")]
    if not types or source.errors:
        return None
    return [member for found in types for member in found.members]


@dataclass(frozen=True, slots=True)
class Shift:
    """One difference. `what`: "removed", "type", "moved", "middle" (added between others), "hole" (nothing else moves), "end".

    `line` counts from the first line of the type, 0 where the new version has no such line.
    """

    what: str
    member: bytes
    detail: str
    line: int


def compare(old: Sequence[Member], new: Sequence[Member]) -> list[Shift]:
    """Every difference between two versions of a struct, removals first; what the parameters in it are called does not count.

    May be wrong about a hole where a type's size is not in its little table; it then says "middle", the worse of both:
    an `int` behind a `spinlock_t` (4 bytes, or 72 with lock debugging) may well fill a hole. Members under #ifdef
    are all taken to be there.
    """
    before, after = {m.path: m for m in old}, {m.path: m for m in new}
    found = [Shift("removed", b".".join(m.path), _spelled(m), 0) for m in old if m.path not in after]
    found += (Shift("moved", b".".join(path), "another place", after[path].line) for path in _moved(before, after))
    for number, member in enumerate(new):
        name = b".".join(member.path)
        known = before.get(member.path)
        if known is None:
            found.append(Shift(_where(number, old, new), name, _after(number, new), member.line))
        elif (_shape(known), known.bits) != (_shape(member), member.bits):
            found.append(Shift("type", name, f"{_spelled(known)} became {_spelled(member)}", member.line))
    return found


def is_operations(members: Sequence[Member]) -> bool:
    """Whether a struct is a table of functions: modules fill those in, so that even its length is part of the interface."""
    pointers = sum(b"(" in m.type and b"*" in m.type for m in members)
    return pointers * 2 > len(members)


def _moved(before: dict[tuple[bytes, ...], Member], after: dict[tuple[bytes, ...], Member]) -> Iterator[tuple[bytes, ...]]:
    """The members of both whose order differs: those that are not in the longest run that kept it."""
    old_order = {path: number for number, path in enumerate(path for path in before if path in after)}
    new_order = [path for path in after if path in before]
    if list(old_order) == new_order:
        return
    best: list[tuple[int, int]] = []  # (length of the longest rising run that ends here, its predecessor)
    for at, path in enumerate(new_order[:2000]):
        longest = max(((best[i][0], i) for i in range(at) if old_order[new_order[i]] < old_order[path]), default=(0, -1))
        best.append((longest[0] + 1, longest[1]))
    at = max(range(len(best)), key=lambda i: best[i][0])
    kept = set()
    while at >= 0:
        kept.add(new_order[at])
        at = best[at][1]
    yield from (path for path in new_order if path not in kept)


def _where(number: int, old: Sequence[Member], new: Sequence[Member]) -> str:
    known = {m.path for m in old}
    if all(m.path not in known for m in new[number:]) and len(new[number].path) == 1:
        return "end"
    ours = [new[number] if i == number else m for i, m in enumerate(new) if i == number or m.path in known]
    return "hole" if all(_unmoved(old, ours, model) for model in (_LP64, _ILP32)) else "middle"


def _after(number: int, new: Sequence[Member]) -> str:
    return f"behind {b'.'.join(new[number - 1].path).decode('ascii', 'replace')}" if number else "as the first member"


def _unmoved(old: Sequence[Member], new: Sequence[Member], model: dict[str, int]) -> bool:
    """Whether every member of the old version keeps its offset in the new one, as far as sizes are known up to the last."""
    before, after = _offsets(old, model), _offsets(new, model)
    return before is not None and after is not None and all(after.get(path) == at for path, at in before.items())


def _offsets(members: Sequence[Member], model: dict[str, int]) -> dict[tuple[bytes, ...], int] | None:
    """Offsets by path, the total under (); None where a size is not known."""
    offsets: dict[tuple[bytes, ...], int] = {}
    at, widest = 0, 1
    for member in members:
        size, align = _size(member, model)
        if not size or len(member.path) > 1 or member.bits >= 0:
            return None
        at += -at % align
        offsets[member.path] = at
        at, widest = at + size, max(widest, align)
    offsets[()] = at + -at % widest
    return offsets


def _size(member: Member, model: dict[str, int]) -> tuple[int, int]:
    """Size and alignment of a member, (0, 1) where they are not known."""
    spelled, count = member.type, 1
    for digits in _COUNT.findall(spelled):
        count *= int(digits)
    if spelled.count(b"[") != len(_COUNT.findall(spelled)):
        return 0, 1
    words = set(re.findall(rb"\w+", _COUNT.sub(b"", spelled))) - {b"const", b"volatile", b"unsigned", b"signed"}
    fixed = [match for word in words if (match := _FIXED.fullmatch(word))]
    if b"*" in spelled:
        size = model["pointer"]
    elif b"struct" in words or b"union" in words:
        size = 0
    elif fixed:
        size = int(fixed[0].group(1)) // 8
    elif b"long" in words:
        size = 0 if spelled.count(b"long") > 1 else model["long"]
    elif b"enum" in words or not words:
        size = 4
    elif words & set(_LONG):
        size = model["long"] if b"loff_t" not in words else 8
    else:
        size = min((_WORDS.get(word, 0) for word in words), default=0)
    align = size if size < 8 or model is _LP64 else 4
    return size * count, align or 1


def _shape(member: Member) -> bytes:
    """A type without blanks and, in a function pointer, without the names of its parameters."""
    spelled = _PARAMETER.sub(_unnamed, b" ".join(member.type.split()))
    return re.sub(rb"\s*([^\w])\s*", rb"\1", spelled)


def _unnamed(match: re.Match[bytes]) -> bytes:
    """Drop a parameter's name, keep a type's: `struct page)` ends in a type, `struct page *page)` in a name."""
    before = match.string[: match.start()].rstrip()
    word = re.search(rb"(\w+)$", before)
    if before.endswith(b"*") or (word and word.group(1) not in (b"struct", b"union", b"enum", b"const", b"volatile")):
        return b""
    return match.group()


def _spelled(member: Member) -> str:
    shown = " ".join(member.type.decode("utf-8", "backslashreplace").split())
    return shown + (f" : {member.bits}" if member.bits >= 0 else "")

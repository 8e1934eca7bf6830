"""Which struct members some lines of a C file name, and how many arguments stand in a call: read from the words alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backport.csource.mask import closing
from backport.csource.outline import Declaration
from backport.csource.tokens import KEYWORDS, Lines, directives

_MEMBER = re.compile(rb"(->|(?<![.\d])\.(?!\.))\s*([A-Za-z_]\w*)(?!\s*##)")
_STEP = re.compile(rb"(->|\.|##)?\s*\b([A-Za-z_]\w*)\s*$")
_STRUCT = re.compile(rb"\bstruct\s+(\w+)\s+(?=[*\w])(?=([^;(){}]{0,400}))")
_DECLARATOR = re.compile(rb"^[\s*]*(?:(?:const|volatile|__restrict)\s+)?[\s*]*(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=.*)?$", re.S)
_BRACKETS = re.compile(rb"[()\[\]{},#]")
_LOOK_BACK = 200  # bytes before a member in which its base is sought
_INITIALISED = re.compile(
    rb"\bstruct\s+(\w+)\s+\w+\s*(\[[^\]]*\]\s*)*(?:__\w+(?:\([^()]*\))?\s*)*=\s*$"
    rb"|\(\s*(?:const\s+)?struct\s+(\w+)\s*(\[[^\]]*\]\s*)?\)\s*$"
)
_INNER = re.compile(rb"\.\s*(\w+)\s*=\s*$")
_ELEMENT = re.compile(rb"(?:[{,]|\]\s*=)\s*$")


@dataclass(frozen=True, slots=True)
class Access:
    """A member's name on a line, behind `->` or `.`, or as the designator of an initialiser (`designator`).

    `root` is the variable at the start of the chain and `path` the members between: arch and apic in `vcpu->arch.apic->lapic`.
    `tag` is the struct of the root, where the function declares that variable once as `struct tag *v` or `struct tag v`; of a
    designator, the struct that is initialised. All are empty where the base is anything else (a call, a cast).
    """

    name: bytes
    line: int
    tag: bytes
    designator: bool
    root: bytes = b""
    path: tuple[bytes, ...] = ()
    function: bytes = b""


def accesses(plain: bytes, lines: Lines, wanted: Collection[int], functions: Collection[Declaration]) -> Iterator[Access]:
    """The members that the wanted lines of a text (blanked) name, by line; not those inside a #define."""
    closed = {n for d in directives(plain) for n in range(lines.line(d.offset), lines.line(d.end) + 1)}
    tags: dict[Declaration, dict[bytes, bytes]] = {}
    for line in sorted(set(wanted) - closed):
        function = next((f for f in functions if f.line <= line <= f.end), None)
        if function is not None and function not in tags:
            tags[function] = struct_variables(plain[lines.start(function.line) : lines.end(function.end)])
        where = function.name if function is not None else b""
        for match in _MEMBER.finditer(plain, lines.start(line), lines.end(line)):
            before = plain[max(0, match.start() - _LOOK_BACK) : match.start()].rstrip()
            if match.group(1) == b"." and before.endswith((b"{", b",")):
                tag, path, _ = _initialised(plain, match.start())
                yield Access(match.group(2), line, tag, True, path=path, function=where)
                continue
            root, path = _chain(before)
            tag = tags[function].get(root, b"") if function is not None else b""
            if before[-1:] in (b")", b"]") or root:
                yield Access(match.group(2), line, tag, False, root, path, where)


def _chain(before: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The variable and the members that stand right before a `->`: `a->b[i].c` gives a, and b and c. Empty: something else."""
    path: list[bytes] = []
    while True:
        before = before.rstrip()
        while before.endswith(b"]"):
            before = before[: _opening(before)].rstrip()
        step = _STEP.search(before)
        if step is None or step.group(1) == b"##":
            return b"", ()
        if step.group(1) is None:
            return step.group(2), tuple(reversed(path))
        path.append(step.group(2))
        before = before[: step.start()]


def _opening(text: bytes) -> int:
    """Where the bracket opens that closes at the end of a text; 0 where it does not."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == 0x5D) - (text[at] == 0x5B)
        if depth == 0:
            return at
    return 0


def _initialised(plain: bytes, at: int) -> tuple[bytes, tuple[bytes, ...], bool]:
    """The struct that the braces around an offset initialise, the members that lead to it, and whether it is an array's element.

    May be wrong where braces stand for the first member of a struct without a name: `struct s x[] = { { { .a = 1 } } }`.
    """
    depth, start = 0, max(0, at - 20000)
    for brace in reversed(list(re.finditer(rb"[{}]", plain[start:at]))):
        depth += 1 if brace.group() == b"}" else -1
        if depth < 0:
            break
    else:
        return b"", (), False
    opening = start + brace.start()
    head = plain[max(0, opening - 300) : opening]
    if found := _INITIALISED.search(head):
        return found.group(1) or found.group(3), (), bool(found.group(2) or found.group(4))
    if found := _INNER.search(head):
        tag, path, _ = _initialised(plain, opening - len(head) + found.start())
        return tag, (*path, found.group(1)) if tag else (), False
    if _ELEMENT.search(head):
        tag, path, array = _initialised(plain, opening)
        return (tag, path, False) if array or path else (b"", (), False)
    return b"", (), False


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


def arguments_of(plain: bytes, opening: int) -> list[bytes]:
    """The arguments in the brackets that open at `opening`; none where a directive is among them or nothing closes."""
    end = closing(plain, opening)
    found, depth, start = [], 0, opening + 1
    for match in _BRACKETS.finditer(plain, opening + 1, max(end, opening)):
        what = match.group()
        if what == b"#":
            return []
        if what != b",":
            depth += 1 if what in b"([{" else -1
        elif depth == 0:
            found.append(plain[start : match.start()])
            start = match.end()
    return [*found, plain[start:end]] if end >= 0 and (found or plain[start:end].strip()) else []


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

"""Which names some lines of a C file use, and which they declare: what a change asks of the tree it lands in.

Members (behind `.` and `->`, or given to container_of and its like) and designators are listed apart; pasted words, #if
conditions and include paths are left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backport.csource.accesses import Access, accesses, count_arguments
from backport.csource.memberargs import member_arguments
from backport.csource.outline import Declaration, Include, outline
from backport.csource.parse import parse_function
from backport.csource.tokens import KEYWORDS, Directive, Lines, blank, directives, words

_TAG_WORDS = (b"struct", b"union", b"enum")
_LAST_WORD = re.compile(rb"([A-Za-z_]\w*)\s*$")
_MACRO_PARAMS = re.compile(rb"#\s*define\s+\w+\(([^)]*)\)")
_SYSCALL = re.compile(rb"SYSCALL\w*DEFINE\w*\s*\($")
_LOOK_BACK = 200  # bytes: far enough for `struct` and a line break before a tag


@dataclass(frozen=True, slots=True)
class Use:
    """A name on one of the lines.

    `role`: "call" (a bracket follows), "tag" (behind struct, union, enum), "label" (behind goto), "name". `function` is the
    enclosing one, empty at file scope. `scope` says that the function itself declares the name, on a line that is not among
    the asked ones: "parameter", "local", "label", or the kind of a local type; empty: something outside does. `arguments` counts
    those of a call, -1 where they cannot be counted.
    """

    name: bytes
    line: int
    role: str
    function: bytes
    scope: str
    arguments: int = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """What the lines use and declare. `locals` are (function, name) pairs; `declares` what is visible outside of functions.

    `reshaped` are functions and macros of whose head any line is among them. `broken` names functions in which the parser met
    something unknown: their locals may be incomplete.
    """

    uses: tuple[Use, ...]
    declares: tuple[Declaration, ...]
    locals: frozenset[tuple[bytes, bytes]]
    includes: tuple[Include, ...]
    broken: tuple[bytes, ...]
    members: tuple[Access, ...] = ()
    reshaped: frozenset[bytes] = frozenset()


def asked(text: bytes, lines: Collection[int]) -> Asked:
    """What the given 1-based lines of a file use and declare."""
    wanted = sorted(set(lines))
    plain, offsets, found = blank(text), Lines(text), outline(text)
    here = set(wanted)
    declares = tuple(d for d in found.declarations if d.line in here)
    functions = [d for d in found.declarations if d.kind == "function"]
    scopes = _Scopes(text, plain, offsets, functions, here)
    given = {at: access for access, at in member_arguments(plain, offsets, here, functions)}
    preprocessor = _Preprocessor(plain, offsets)
    scopes.visit()
    uses = []
    own = {d.name for d in declares if d.kind != "made"}
    for line in wanted:
        directive = preprocessor.at(line)
        if directive is not None and directive.word != b"define":
            continue
        params = preprocessor.params(directive) if directive is not None else frozenset()
        for name, offset in words(plain, offsets.start(line), offsets.end(line)):
            if name in KEYWORDS or name in params or offset in given or (directive is not None and name == b"define"):
                continue
            role = _role(plain, offset, offset + len(name))
            if not role or (name in own and role != "label"):
                continue
            function, scope, new = scopes.scope(name, line) if directive is None else (b"", "", False)
            if new or (not function and role == "name" and _is_parameter(plain, offset, offset + len(name))):
                continue
            count = _arguments(plain, offset + len(name)) if role == "call" and directive is None else -1
            uses.append(Use(name, line, role, function, scope, count))
    includes = tuple(include for include in found.includes if include.line in here)
    members = (*accesses(plain, offsets, here, functions), *given.values())
    return Asked(
        tuple(uses),
        declares,
        frozenset(scopes.declared),
        includes,
        tuple(scopes.broken),
        members,
        _reshaped(found.declarations, plain, offsets, here),
    )


def _reshaped(declared: Collection[Declaration], plain: bytes, offsets: Lines, here: set[int]) -> frozenset[bytes]:
    """What has an asked line between the line of its name and its body: its parameters may be new."""
    found = set()
    for declaration in declared:
        last = declaration.end
        if declaration.kind == "function":
            brace = plain.find(b"{", offsets.start(declaration.line))
            last = min(last, offsets.line(brace)) if brace >= 0 else last
        elif declaration.kind not in ("prototype", "macro"):
            continue
        if any(line in here for line in range(declaration.line, last + 1)):
            found.add(declaration.name)
    return frozenset(found)


def _arguments(plain: bytes, end: int) -> int:
    opening = plain.find(b"(", end, end + 80)
    return count_arguments(plain, opening) if opening >= 0 else -1


def _role(plain: bytes, start: int, end: int) -> str:
    """What a word is used as, empty where it is a member, a designator, a label's place or half of a pasted word."""
    before = plain[max(0, start - _LOOK_BACK) : start].rstrip()
    after = plain[end : end + 80].lstrip()
    if before.endswith((b"->", b"##")) or after.startswith(b"##") or (before.endswith(b".") and not before.endswith(b"...")):
        return ""
    if before.endswith((b"{", b"}", b";", b",", b":", b"/")) and after.startswith(b":") and not after.startswith(b"::"):
        return ""  # a label, or the old designator `read: my_read`
    if before.endswith(b"(") and _SYSCALL.search(before):
        return ""  # SYSCALL_DEFINE2(mmap, ...) declares sys_mmap
    word = _LAST_WORD.search(before)
    if word and word.group(1) in _TAG_WORDS:
        return "" if after.startswith(b"{") else "tag"
    if word and word.group(1) == b"goto":
        return "label"
    return "call" if after.startswith(b"(") else "name"


def _is_parameter(plain: bytes, start: int, end: int) -> bool:
    """Whether a word outside of functions is a parameter's own name in a prototype: behind a type, before a comma or a bracket.

    May be wrong for a type behind another word, `int f(noinline_t pfn_t)`; then the type is not asked about.
    """
    if plain[end : end + 80].lstrip()[:1] not in (b",", b")", b"["):
        return False
    before = plain[max(0, start - _LOOK_BACK) : start].rstrip()
    word = _LAST_WORD.search(before)
    return before.endswith(b"*") or (word is not None and word.group(1) not in (b"const", b"volatile"))


class _Preprocessor:
    """Which directive a line belongs to, continuation lines included."""

    def __init__(self, plain: bytes, offsets: Lines) -> None:
        self._plain = plain
        self._found = directives(plain)
        self._first = [offsets.line(d.offset) for d in self._found]
        self._last = [offsets.line(d.end) for d in self._found]

    def at(self, line: int) -> Directive | None:
        """The directive on a 1-based line."""
        at = bisect_right(self._first, line) - 1
        return self._found[at] if at >= 0 and line <= self._last[at] else None

    def params(self, directive: Directive) -> frozenset[bytes]:
        """The parameters of a function-like macro."""
        match = _MACRO_PARAMS.search(self._plain, directive.offset, directive.end)
        return frozenset(name for name, _ in words(match.group(1))) if match else frozenset()


class _Scopes:
    """The functions of a file, each parsed when a line of it is first asked about."""

    def __init__(self, text: bytes, plain: bytes, offsets: Lines, functions: list[Declaration], here: set[int]) -> None:
        self._text = text
        self._plain = plain
        self._offsets = offsets
        self._functions = functions
        self._here = here
        self._parsed: dict[Declaration, dict[bytes, list[tuple[str, int]]]] = {}
        self.declared: set[tuple[bytes, bytes]] = set()
        self.broken: list[bytes] = []

    def visit(self) -> None:
        """Parse every function that an asked line is in: a line may declare what no asked line uses, a label say."""
        for function in self._functions:
            if any(function.line <= line <= function.end for line in self._here):
                self._locals(function)

    def scope(self, name: bytes, line: int) -> tuple[bytes, str, bool]:
        """The enclosing function, the kind of the local that a name is there, and whether an asked line declares that."""
        function = next((f for f in self._functions if f.line <= line <= f.end), None)
        if function is None:
            return b"", "", False
        found = self._locals(function).get(name, [])
        if any(at in self._here for _, at in found):
            return function.name, found[0][0], True
        return function.name, found[0][0] if found else "", False

    def _head(self, line: int) -> int:
        """Where the head of a function begins whose name is on `line`: its type may stand on the lines above."""
        while line > 1:
            above = self._plain[self._offsets.start(line - 1) : self._offsets.end(line - 1)].strip()
            if not above or above.startswith(b"#") or above.endswith((b";", b"}", b")", b"\\")):
                break
            line -= 1
        return line

    def _locals(self, function: Declaration) -> dict[bytes, list[tuple[str, int]]]:
        if function not in self._parsed:
            first = self._head(function.line)
            source = parse_function(self._text, self._offsets.start(first), self._offsets.end(function.end), first)
            table: dict[bytes, list[tuple[str, int]]] = {}
            for parsed in source.functions:
                for local in parsed.locals:
                    table.setdefault(local.name, []).append((local.kind, local.line))
                    if local.line in self._here:
                        self.declared.add((function.name, local.name))
            if source.errors:
                self.broken.append(function.name)
            self._parsed[function] = table
        return self._parsed[function]


def functions_of(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every function of a file with its code (comments and literals blanked), head included."""
    plain, offsets = blank(text), Lines(text)
    for found in outline(text).declarations:
        if found.kind == "function":
            yield found.name, plain[offsets.start(found.line) : offsets.end(found.end)]

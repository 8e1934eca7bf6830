"""A spec file as lines that know where they stand: section, conditions, macro bodies. Nothing is expanded, nothing is run.

The bytes are kept as they are, so that an edit touches nothing but what it writes: any encoding, any line end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import InputError

_LONGEST = 8 << 20  # Fedora's longest kernel.spec has 350 KB; tens of MB are something else
_SECTION = re.compile(
    rb"%(package|description|prep|generate_buildrequires|conf|build|install|check|clean|pre|post|preun|postun|pretrans|posttrans"
    rb"|preuntrans|postuntrans|trigger\w*|(?:file|trans)trigger\w*|verifyscript|files|changelog|sourcelist|patchlist)(?=\s|$)"
)
_IF = re.compile(rb"\s*%(if|ifarch|ifnarch|ifos|ifnos)(?=[\s(!\"%]|$)(.*)")
_ELSE = re.compile(rb"\s*%(else|elif|elifarch|elifos)(?=[\s(!\"%]|$)(.*)")
_ENDIF = re.compile(rb"\s*%endif(?=\W|$)")
_BRACKET = re.compile(rb"\\.?|%[{(\[%]|[{}()\[\]]", re.DOTALL)
_CLOSED_BY = {b"{": b"}", b"(": b")", b"[": b"]"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One `%if` that a line stands in: keyword, expression, the line it is on, and which of its branches (0: the first)."""

    keyword: bytes
    expression: bytes
    line: int
    branch: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its bytes without the line end, and that; `body` marks a line inside a macro's definition."""

    number: int
    text: bytes
    end: bytes
    section: str
    conditions: tuple[Condition, ...]
    body: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole spec. `where` names it in messages; `encoding` is UTF-8, else latin-1, in which every byte is some letter."""

    where: str
    data: bytes
    lines: tuple[Line, ...]
    encoding: str = "utf-8"

    def section(self, name: str) -> Iterator[Line]:
        """The lines of one section in order ('' is the preamble before the first), macro bodies left out."""
        return (line for line in self.lines if line.section == name and not line.body)

    def matching(self, pattern: re.Pattern[bytes], section: str) -> list[Line]:
        """The lines of a section that the pattern matches from their beginning."""
        return [line for line in self.section(section) if pattern.match(line.text)]

    def anchor(self, pattern: re.Pattern[bytes], section: str, what: str) -> Line:
        """The one line of the section that matches; InputError quoting what was found where there is none, or more."""
        return self.only(self.matching(pattern, section), what)

    def only(self, found: Sequence[Line], what: str) -> Line:
        """The one line of `found`; InputError quoting all of them where it is not one."""
        if len(found) == 1:
            return found[0]
        if not found:
            then = "nothing was written; is this the spec that you meant, and is it whole?"
            raise InputError(f"the spec has no {what}", where=self.where, then=then)
        quoted = "; ".join(f"line {line.number}: {show(line.text)}" for line in found[:5])
        raise InputError(
            f"the spec has {len(found)} candidates for {what}: {quoted}", where=self.where, then="nothing was written; leave one"
        )

    def offset(self, number: int) -> int:
        """Where line `number` begins, in bytes; one past the last line is the end."""
        return sum(len(line.text) + len(line.end) for line in self.lines[: number - 1])


def read(path: Path) -> Document:
    """The spec at `path`; InputError where it cannot be read."""
    try:
        if path.stat().st_size > _LONGEST:
            size = path.stat().st_size / 1e6
            raise InputError(f"the spec is {size:.0f} MB long, which no spec is", where=str(path), then="give the spec itself")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the spec cannot be read: {error.strerror}", where=str(path), then="check its name") from error
    return parse(data, str(path))


def parse(data: bytes, where: str = "kernel.spec") -> Document:
    """The lines of a spec. InputError for one that is cut off (an `%if` or a macro without end) or is no text."""
    if len(data) > _LONGEST:
        raise InputError(f"the spec is {len(data) / 1e6:.0f} MB long, which no spec is", where=where, then="give the spec itself")
    if b"\0" in data:
        raise InputError("the spec holds a NUL byte: it is no text", where=where, then="give another file")
    reader = _Reader(where)
    lines = tuple(reader.take(number, raw) for number, raw in enumerate(_split(data), 1))
    reader.end()
    return Document(where, data, lines, _encoding(data))


def show(text: bytes) -> str:
    """A line of a spec for a message: at most 100 characters, nothing that a terminal obeys."""
    plain = "".join(c if c.isprintable() else "?" for c in text.decode("utf-8", "replace").strip())
    return plain if len(plain) <= 100 else plain[:97] + "..."


def _encoding(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _split(data: bytes) -> list[bytes]:
    """Lines end in LF only, as rpm has it: bytes.splitlines() would also end one at a lone CR."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


class _Reader:
    """Follows sections, conditions and macro bodies down the file."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._section = ""
        self._conditions: list[Condition] = []
        self._open = dict.fromkeys(_CLOSED_BY, 0)
        self._continued = False
        self._began = 0

    def take(self, number: int, raw: bytes) -> Line:
        """The next line."""
        text = raw.rstrip(b"\r\n")
        end = raw[len(text) :]
        if self._continued:
            line = Line(number, text, end, self._section, tuple(self._conditions), body=True)
        else:
            self._began = number
            line = self._outside(number, text, end)
        self._follow(text)
        return line

    def end(self) -> None:
        """InputError where something is still open at the end of the file."""
        if self._continued:
            raise self._cut_off(f"the macro or continued line that begins in line {self._began} does not end")
        if self._conditions:
            last = self._conditions[-1]
            raise self._cut_off(f"the %{last.keyword.decode()} in line {last.line} has no %endif")

    def _outside(self, number: int, text: bytes, end: bytes) -> Line:
        if text.startswith(b"%") and (found := _SECTION.match(text)):
            self._section = found[1].decode()
        before = tuple(self._conditions)
        if b"%" not in text:
            return Line(number, text, end, self._section, before)
        if found := _IF.match(text):
            self._conditions.append(Condition(found[1], found[2].strip(), number))
        elif found := _ELSE.match(text):
            last = self._last(number, text)
            self._conditions[-1] = Condition(last.keyword, last.expression, last.line, last.branch + 1)
        elif _ENDIF.match(text):
            self._last(number, text)
            self._conditions.pop()
        return Line(number, text, end, self._section, before)

    def _last(self, number: int, text: bytes) -> Condition:
        if not self._conditions:
            raise self._cut_off(f"line {number} ({show(text)}) has no %if")
        return self._conditions[-1]

    def _follow(self, text: bytes) -> None:
        """rpm reads on while a backslash ends the line or a macro's bracket is open (parseSpec.c, copyNextLineFromOFI)."""
        if b"%" not in text and b"\\" not in text and not self._continued:
            return
        backslash = False
        for token in _BRACKET.findall(text):
            backslash = token == b"\\"
            bracket = token[-1:]
            if token[:1] == b"%" and bracket != b"%":
                self._open[bracket] += 1
            elif token in _CLOSED_BY and self._open[token]:
                self._open[token] += 1
            else:
                opened = next((o for o, c in _CLOSED_BY.items() if c == token), None)
                if opened is not None and self._open[opened]:
                    self._open[opened] -= 1
        self._continued = backslash or any(self._open.values())

    def _cut_off(self, what: str) -> InputError:
        return InputError(f"{what}: the spec is cut off or damaged", where=self._where, then="get it again; nothing was written")

"""Reads what a spec says for one architecture without running any of it: `%if`, `%define`, `%{name}`, and no more.

Parsing with rpm runs whatever a spec holds. For the questions that an edit or an import asks (which lines count on x86_64
with --with vanilla? what are version and release?) a few rules are enough. What they cannot know (`%(shell)`, `%{lua:...}`,
macros of the distribution) is unknown, and an answer that would need it is refused with the line that stands in the way.
On Fedora 12's kernel.spec the answers are rpmspec's own (tests/kernel/test_f12_spec.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from backport.model.errors import InputError
from backport.package import expression
from backport.package.document import Document, Line, show

_DEFINE = re.compile(r"\s*%(define|global)\s+(\w+)(\([^)]*\))?\s+(.*)", re.DOTALL)
_UNDEFINE = re.compile(r"\s*%undefine\s+(\w+)")
_BCOND = re.compile(r"\s*%bcond(_with|_without)?\s+(\w+)\s*(.*)")
_TAG = re.compile(r"(Name|Version|Release|Epoch)\s*:\s*(.*)", re.IGNORECASE)
_MACRO = re.compile(r"%(?:(%)|([{(\[])|([!?]*)(\w+|\*+|#))")
_CALL = re.compile(r"([!?]*)(-?\w+\*?|\*\*?|#)(?::(.*)|\s+(.*))?", re.DOTALL)
_ARITHMETIC = re.compile(r"\s*echo\s+\$\(\(([-+*\d\s()]+)\)\)\s*")
_CLOSING = {"{": "}", "(": ")", "[": "]"}
_DEEPEST = 32
_GROUPS = {
    "ix86": "i386 i486 i586 i686 pentium3 pentium4 athlon geode",
    "arm": "armv3l armv4b armv4l armv5tl armv5tel armv5tejl armv6l armv6hl armv7l armv7hl armv7hnl",
    "sparc": "sparc sparcv8 sparcv9 sparcv9v sparc64 sparc64v",
    "alpha": "alpha alphaev56 alphaev6 alphaev67",
}


class UnknownError(Exception):
    """What the rules here cannot know; the message says which macro."""


@dataclass(slots=True)
class Macros:
    """The macros defined so far. A value of None is one that is defined but cannot be known here."""

    cpu: str
    values: dict[str, str | None] = field(default_factory=dict)
    parametric: set[str] = field(default_factory=set)

    def expand(self, text: str, depth: int = 0) -> str:
        """The text with its macros expanded; UnknownError where that cannot be known."""
        if depth > _DEEPEST:
            raise UnknownError("macros that expand to themselves")
        out, position = [], 0
        while found := _MACRO.search(text, position):
            out.append(text[position : found.start()])
            position = found.end()
            if found[1]:
                out.append("%")
            elif found[2]:
                position = _closing(text, found.end() - 1)
                out.append(self._bracket(found[2], text[found.end() : position - 1], depth))
            else:
                out.append(self._named(found[3], found[4], None, found[0], depth))
        return "".join([*out, text[position:]])

    def _bracket(self, kind: str, inner: str, depth: int) -> str:
        if kind == "(":
            return _arithmetic(self.expand(inner, depth + 1))
        if kind == "[":
            return _expression(self.expand(inner, depth + 1))
        call = _CALL.fullmatch(inner)
        if call is None:
            raise UnknownError(f"%{{{inner[:30]}}}")
        marks, name, text, argument = call.groups()
        if name in ("with", "without") and argument:
            return str(int((f"with_{argument.strip()}" in self.values) == (name == "with")))
        if (text is not None and not marks) or argument:  # %{lua:...}, %{expand:...}, %{macro arguments}
            raise UnknownError(f"%{{{name}...}}")
        return self._named(marks, name, text, f"%{{{inner}}}", depth)

    def _named(self, marks: str, name: str, text: str | None, raw: str, depth: int) -> str:
        defined = name in self.values or name in ("nil", "_target_cpu")
        if marks:
            if defined == ("!" in marks):
                return ""
            if text is not None:
                return self.expand(text, depth + 1)
            if not defined:
                return ""
        if name == "_target_cpu":
            return self.cpu
        if name in self.parametric:
            raise UnknownError(f"%{name}")
        if name == "nil" or not defined:
            return "" if defined else raw
        value = self.values[name]
        if value is None:
            raise UnknownError(f"%{{{name}}}")
        return self.expand(value, depth + 1)

    def define(self, eager: bool, name: str, options: str | None, body: str) -> None:
        """Take a definition; `%global` expands its body at once."""
        (self.parametric.discard if options is None else self.parametric.add)(name)
        value: str | None = body
        if eager and options is None:
            try:
                value = self.expand(body).replace("%", "%%")
            except UnknownError:
                value = None
        self.values[name] = value


@dataclass(frozen=True, slots=True)
class Active:
    """A line that counts, as it reads after expansion; `text` is None where that cannot be known."""

    line: Line
    text: str | None


def active(document: Document, cpu: str, presets: Mapping[str, str | None]) -> Iterator[Active]:
    """The lines of preamble and %prep that count for the architecture `cpu`, with `presets` defined beforehand.

    A preset has the last word on its name (in rpm the spec overrides `--define`; here it stands for what only a shell could say).
    InputError where a condition cannot be evaluated, quoting it.
    """
    macros = Macros(cpu, dict(presets))
    taken: dict[int, int] = {}  # the branch that counts, by the line of its %if; -1: none so far
    joined: list[Line] = []
    for line in (*document.lines, None):
        if joined and (line is None or not line.body):
            yield from _take(document, joined, macros, presets, taken)
            joined = []
        if line is not None and line.section in ("", "prep", "package"):
            joined.append(line)


def tags(document: Document, cpu: str, presets: Mapping[str, str | None]) -> dict[str, str]:
    """Version and Release of the main package, expanded, and the tags before them; one that cannot be known is left out."""
    found: dict[str, str] = {}
    for item in active(document, cpu, presets):
        if item.line.section == "" and item.text is not None and (match := _TAG.match(item.text)):
            found.setdefault(match[1].capitalize(), match[2].strip())
            if "Version" in found and "Release" in found:
                break
    return found


def _take(
    document: Document, joined: list[Line], macros: Macros, presets: Mapping[str, str | None], taken: dict[int, int]
) -> Iterator[Active]:
    line = joined[0]
    text = "\n".join(part.text.decode(document.encoding) for part in joined)
    word = re.match(r"\s*%(if\w*|elif\w*|else|endif)\b", text)
    if word is None and any(taken.get(c.line, -1) != c.branch for c in line.conditions):
        return
    if word is not None:
        _branch(document, line, word[1], text[word.end() :], macros, taken)
    elif found := _DEFINE.match(text):
        if found[2] not in presets:
            macros.define(found[1] == "global", found[2], found[3], found[4].replace("\\\n", "\n").rstrip("\\"))
    elif found := _UNDEFINE.match(text):
        macros.values.pop(found[1], None)
    elif found := _BCOND.match(text):
        _bcond(macros, found[1], found[2], found[3])
    else:
        try:
            expanded: str | None = text if text.lstrip().startswith("#") else macros.expand(text)
        except UnknownError:
            expanded = None
        if found := _TAG.match(expanded or "") if line.section == "" else None:
            macros.values.setdefault(found[1].lower(), found[2].strip())
        yield Active(line, expanded)


def _branch(document: Document, line: Line, word: str, rest: str, macros: Macros, taken: dict[int, int]) -> None:
    """A line of %if, %else or %endif: note which branch of its condition counts."""
    if word.startswith("if"):
        outer = all(taken.get(c.line, -1) == c.branch for c in line.conditions)
        taken[line.number] = 0 if outer and _holds(document, line, word, rest, macros) else (-1 if outer else -2)
        return
    condition = line.conditions[-1]
    if word == "endif":
        taken.pop(condition.line, None)
    elif taken.get(condition.line, -1) == -1 and (
        word == "else" or _holds(document, line, word.removeprefix("el"), rest, macros)
    ):
        taken[condition.line] = condition.branch + 1


def _holds(document: Document, line: Line, word: str, rest: str, macros: Macros) -> bool:
    try:
        text = macros.expand(_without_comment(rest))
        if word in ("ifarch", "ifnarch"):
            return (macros.cpu in _architectures(text)) == (word == "ifarch")
        if word in ("ifos", "ifnos"):
            return ("linux" in text.split()) == (word == "ifos")
        return expression.truth(text)
    except (UnknownError, ValueError) as error:
        raise InputError(
            f"line {line.number} ({show(line.text)}) cannot be decided without running the spec: {error}",
            where=document.where,
            then="define what it asks for with --define 'NAME VALUE'",
        ) from error


def _without_comment(text: str) -> str:
    return re.sub(r"\s#.*$", "", text)


def _architectures(text: str) -> set[str]:
    """The names behind %ifarch; rpm's own groups (`%{ix86}`) are known by name."""
    names: set[str] = set()
    for word in text.split():
        group = word.removeprefix("%{").removesuffix("}").removeprefix("%")
        names |= set(_GROUPS[group].split()) if group in _GROUPS and word != group else {word}
    return names


def _bcond(macros: Macros, kind: str | None, name: str, default: str) -> None:
    on, off = f"_with_{name}" in macros.values, f"_without_{name}" in macros.values
    try:
        usual = kind == "_without" or (kind is None and expression.truth(macros.expand(default)))
    except (UnknownError, ValueError):
        return
    if (usual and not off) or (not usual and on):
        macros.values[f"with_{name}"] = "1"


def _closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`; UnknownError where there is none."""
    opening = text[start]
    closing, depth = _CLOSING[opening], 0
    for position in range(start, len(text)):
        depth += (text[position] == opening) - (text[position] == closing)
        if depth == 0:
            return position + 1
    raise UnknownError(f"a macro that is not closed: {text[start : start + 20]!r}")


def _arithmetic(command: str) -> str:
    """`echo $((31 + 1))` is the one command whose answer is known without a shell."""
    found = _ARITHMETIC.fullmatch(command)
    if found is None:
        raise UnknownError(f"%({command[:30]}...), which only a shell can answer")
    return _expression(found[1])


def _expression(text: str) -> str:
    try:
        return str(expression.value(text))
    except ValueError as error:
        raise UnknownError(f"the expression {text[:30]!r}: {error}") from error

"""One Kconfig file as blocks of lines: what each defines, needs and selects. No value is computed here.

Text and paths are latin-1 strings: every byte is one character, so that nothing is lost and nothing can fail to decode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

_KEYWORDS = (
    r"menuconfig|config|endchoice|choice|endmenu|menu|endif|if|o?r?source|comment|mainmenu|depends|requires|select|imply|default|def_bool"
    r"|def_tristate|prompt|boolean|bool|tristate|int|hex|string|range|visible|option|optional"
)
_LINE = re.compile(
    rf"^[ \t]*(?:({_KEYWORDS})\b((?:[^\\\n]|\\\n|\\)*+)|(-*help-*)[ \t\r]*$|([\w-]+[ \t]*(?::=|\+=|=)(?:[^\\\n]|\\\n|\\)*+))",
    re.M,
)
_INDENT = re.compile(r"(?:[ \t\r\f]*\n)*([ \t]*)\S")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*+"?|' + r"'(?:[^'\\\n]|\\.)*+'?")
_COMMENT = re.compile(r"#.*")
_WORD = re.compile(r"\w+")
_PATH = re.compile(r'[ \t]*(?:"([^"\n]*)"|' + r"'([^'\n]*)'|(\S+))")
_MACHINE = re.compile(r"0[xX][0-9a-fA-F]+|\d+|[ynm]|if|on")
TYPES = {"bool": "bool", "boolean": "bool", "def_bool": "bool", "tristate": "tristate", "def_tristate": "tristate",
         "int": "int", "hex": "hex", "string": "string"}  # fmt: skip
_DEFINES = ("config", "menuconfig")
_SOURCES = ("source", "rsource", "osource", "orsource")
_CONTAINERS = {"endif": "if", "endmenu": "menu", "endchoice": "choice"}


@dataclass(frozen=True, slots=True)
class Property:
    """One line of a block: `depends on X`, with its 1-based line. `rest` is what follows the keyword, line breaks joined."""

    keyword: str
    rest: str
    line: int


@dataclass(slots=True)
class Block:
    """`config`, `choice`, `menu`, `if`, `source`, `macro` (an assignment). Lines `line` to `last`, closed (a container) on `end`.

    `name` is the symbol, or the path that is sourced; `parent` the number of the enclosing container, -1 for none.
    """

    kind: str
    name: str
    line: int
    parent: int
    last: int = 0
    end: int = 0
    properties: list[Property] = field(default_factory=list)

    def needs(self) -> set[str]:
        """Every name that its value may depend on; what it selects is left out: that changes others."""
        found = [p.rest for p in self.properties if p.keyword not in ("select", "imply")]
        return {name for rest in found for name in names(rest)}

    def selects(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Each symbol that it selects or implies, with the names of the condition."""
        return (_selected(found.rest) for found in self.properties if found.keyword in ("select", "imply"))


@lru_cache(maxsize=1 << 14)  # 2.6.31 has 3,000, and each is asked about once for every machine, before and after
def _selected(rest: str) -> tuple[str, frozenset[str]]:
    first, *more = _words(rest) or [""]
    return first, frozenset(name for name in more if not _MACHINE.fullmatch(name))


@dataclass(frozen=True, slots=True)
class File:
    """The blocks of one file in their order, and its text."""

    text: str
    blocks: tuple[Block, ...]

    def definitions(self) -> Iterator[Block]:
        """Every place where it defines a symbol."""
        return (block for block in self.blocks if block.kind == "config")


def names(rest: str) -> set[str]:
    """The symbols in an expression; quoted words are constants or prompts, `y`, numbers and `if` are none."""
    return {word for word in _words(rest) if not _MACHINE.fullmatch(word)}


def _words(rest: str) -> list[str]:
    return _WORD.findall(_COMMENT.sub("", _STRING.sub(" ", rest)))


def quoted(rest: str) -> str:
    """The first quoted text of a line (a prompt, a path), empty where there is none."""
    match = _STRING.search(rest)
    return match.group()[1:].rstrip("\"'") if match else ""


def scan(text: str) -> File:
    """Cut a file into blocks. Never raises; lines that are no Kconfig belong to the block before them, or to none.

    Help texts are found by their indentation, as every kconf did it.
    """
    blocks: list[Block] = []
    open_: list[int] = []
    current: Block | None = None
    line, counted, position = 1, 0, 0
    while match := _LINE.search(text, position):
        line, counted = line + text.count("\n", counted, match.start()), match.start()
        keyword, rest, help_, macro = match.groups()
        position = _help_end(text, match.end()) if help_ is not None else match.end()
        if help_ is not None:
            continue
        if macro is None and keyword not in _STRUCTURE:
            if current is not None:
                current.properties.append(Property(keyword, rest.replace("\\\n", " "), line))
            continue
        if blocks:
            blocks[-1].last = blocks[-1].last or line - 1
        current = _begin(keyword, rest, line, open_, blocks)
    _close(blocks, text.count("\n") + 1)
    return File(text, tuple(blocks))


_STRUCTURE = frozenset((*_DEFINES, *_CONTAINERS, *_CONTAINERS.values(), *_SOURCES, "comment", "mainmenu"))


def _begin(keyword: str | None, rest: str, line: int, open_: list[int], blocks: list[Block]) -> Block | None:
    """Open or close a block; what the following properties belong to."""
    parent = open_[-1] if open_ else -1
    if keyword is None:
        blocks.append(Block("macro", "", line, parent, line + rest.count("\n") if rest else line))
        return None
    if keyword in _CONTAINERS:
        while open_:
            number = open_.pop()
            blocks[number].end = line
            if blocks[number].kind == _CONTAINERS[keyword]:
                break
        blocks.append(Block("end", "", line, parent, line))
        return None
    kind = "config" if keyword in _DEFINES else "source" if keyword.endswith("source") else keyword
    name = (_words(rest) or [""])[0] if kind == "config" else ""
    block = Block(kind, name, line, parent)
    if kind == "source":
        path = _PATH.match(rest)
        block.name = next(filter(None, path.groups()), "") if path else ""
    if kind in ("if", "source"):
        block.properties.append(Property(keyword, rest.replace("\\\n", " "), line))
        block.last = line + rest.count("\n")
    blocks.append(block)
    if kind in ("if", "menu", "choice"):
        open_.append(len(blocks) - 1)
    return block if kind != "source" else None


def _close(blocks: list[Block], lines: int) -> None:
    """What is still open at the end of the file ends there."""
    for block in blocks:
        block.last = block.last or lines
        if block.kind in ("if", "menu", "choice") and not block.end:
            block.end = lines


def _help_end(text: str, position: int) -> int:
    """The offset behind a help text: its first line sets the indentation, the first line with less ends it."""
    start = text.find("\n", position) + 1
    first = _INDENT.match(text, start) if start else None
    if first is None:
        return len(text)
    indent = len(first.group(1).expandtabs())
    if not indent:
        return start
    same = _same_indent(first.group(1))
    while start:
        run = same.match(text, start)
        start = run.end() if run is not None else start
        end = text.find("\n", start)
        row = text[start : end if end >= 0 else len(text)]
        if row.strip() and _width(row) < indent:
            return start
        start = end + 1
    return len(text)


@cache
def _same_indent(spaces: str) -> re.Pattern[str]:
    """Lines that begin with the very same blanks, and blank lines: they are in the help text for sure."""
    return re.compile(rf"(?:{spaces}[^\n]*+\n|[ \t\r\f]*+\n)*+")


def _width(row: str) -> int:
    return len(row[: len(row) - len(row.lstrip())].expandtabs())

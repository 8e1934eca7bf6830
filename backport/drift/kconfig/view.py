"""What one architecture sees of a tree's Kconfig, and the part of it on which some symbols depend.

A real parse of all of 2.6.31 takes 0.7 s for each of eight architectures; KSM depends on a dozen lines. So the parser is
given the same files with every line blanked that cannot change the value of the symbols asked about: all definitions of
those symbols and, again and again, of whatever these name or are selected by, with the `if`, `menu` and `choice` around
them and the chain of `source` that leads there. Lines keep their numbers.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backport.drift.kconfig.blocks import Block
from backport.drift.kconfig.files import KconfigTree

_VARIABLE = re.compile(r"\$\((\w+)\)|\$\{(\w+)\}|\$(\w+)")
_GLOB = re.compile(r"[*?\[]")
_MOST_FILES = 20_000  # `source` lines followed; 6.x has 1,500


@dataclass(frozen=True, slots=True)
class Missing:
    """A `source` line that leads nowhere in the tree."""

    path: str
    line: int
    wanted: str


class View:
    """The files that the root file sources under one environment (ARCH, SRCARCH, ...)."""

    def __init__(self, tree: KconfigTree, root: str, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = environment
        self.missing: list[Missing] = []
        self._tree = tree
        self._paths: dict[str, list[str]] = {}
        self._sourced: dict[str, list[tuple[str, Block]]] = {root: []}
        self._defined: dict[str, list[tuple[str, Block]]] = {}
        self._selected: dict[str, list[tuple[str, Block, frozenset[str]]]] = {}
        self._macros: list[str] = []
        self._walk()

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol that this architecture defines."""
        return frozenset(self._defined)

    def resolve(self, pattern: str, origin: str = "") -> list[str]:
        """The files that `source "pattern"` means, `origin` given for `rsource`; never one outside of the tree."""
        expanded = expand(pattern, self.environment).removeprefix("./")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), expanded)) if expanded else ""
        if path.startswith(("/", "../")) or path in ("", ".", ".."):
            return []
        if _GLOB.search(path):
            shape = _shape(path)
            return [known for known in self._tree.paths() if shape.fullmatch(known)]
        return [path] if self._tree.file(path) is not None else []

    def slice(self, wanted: Iterable[str]) -> dict[str, str]:
        """The texts to parse, by path, for the values of `wanted` and of all that they depend on."""
        kept = _Kept(self.root, self._sourced, self._blocks)
        pending, seen = list(wanted), set()
        for path in self._macros:
            for block in self._blocks(path):
                if block.kind == "macro":
                    pending += kept.keep(path, block)
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            for path, block in self._defined.get(name, ()):
                pending += kept.keep(path, block)
            for _, block, condition in self._selected.get(name, ()):
                pending += [block.name, *condition]
        return {path: self._rendered(path, lines) for path, lines in kept.lines.items() if self._tree.file(path)}

    def _blocks(self, path: str) -> tuple[Block, ...]:
        file = self._tree.file(path)
        return file.blocks if file is not None else ()

    def _rendered(self, path: str, lines: set[int]) -> str:
        file = self._tree.file(path)
        rows = file.text.split("\n") if file is not None else []
        return "\n".join(row if number in lines else "" for number, row in enumerate(rows, 1))

    def _walk(self) -> None:
        pending, followed = [self.root], 0
        while pending:
            path = pending.pop()
            macros = False
            for block in self._blocks(path):
                if block.kind == "config":
                    self._defined.setdefault(block.name, []).append((path, block))
                    for target, condition in block.selects():
                        self._selected.setdefault(target, []).append((path, block, condition))
                elif block.kind == "source" and followed < _MOST_FILES:
                    followed += 1
                    pending += self._follow(path, block)
                macros = macros or block.kind == "macro"
            if macros:
                self._macros.append(path)

    def _follow(self, path: str, block: Block) -> list[str]:
        keyword = block.properties[0].keyword
        found = self.resolve(block.name, path if "r" in keyword.removesuffix("source") else "")
        if not found and not keyword.startswith("o"):
            self.missing.append(Missing(path, block.line, block.name))
        fresh = [name for name in found if name not in self._sourced]
        for name in found:
            self._sourced.setdefault(name, []).append((path, block))
        return fresh


class _Kept:
    """The lines to keep, by path. `sourced` says which lines lead to a file."""

    def __init__(
        self, root: str, sourced: Mapping[str, list[tuple[str, Block]]], blocks: Callable[[str], Sequence[Block]]
    ) -> None:
        self._sourced = sourced
        self._blocks = blocks
        self._seen: set[tuple[str, int]] = set()
        self.lines: dict[str, set[int]] = {root: set()}

    def keep(self, path: str, block: Block) -> set[str]:
        """Keep a block with what is around it and the way to its file; the names that all these need in turn."""
        needed: set[str] = set()
        pending = [(path, block)]
        while pending:
            path, block = pending.pop()
            if (path, block.line) in self._seen:
                continue
            self._seen.add((path, block.line))
            if path not in self.lines:
                pending += self._sourced.get(path, ())
            needed |= self._take(path, block)
            if block.parent >= 0:
                pending.append((path, self._blocks(path)[block.parent]))
        return needed

    def _take(self, path: str, block: Block) -> set[str]:
        lines = self.lines.setdefault(path, set())
        lines.update(range(block.line, block.last + 1))
        needed = block.needs() if block.kind != "source" else set()
        if block.kind == "choice":  # the value of one member depends on all of them
            inside = [other for other in self._blocks(path) if block.line < other.line < block.end]
            away = {other.line for other in inside if other.kind == "source"}
            lines.update(number for number in range(block.line, block.end + 1) if number not in away)
            needed |= {name for other in inside if other.kind != "source" for name in (*other.needs(), other.name) if name}
        elif block.end:
            lines.add(block.end)
        return needed


def expand(text: str, environment: Mapping[str, str]) -> str:
    """`$ARCH`, `${ARCH}` and `$(ARCH)` replaced by the environment's values; unknown ones by nothing."""
    return _VARIABLE.sub(lambda match: environment.get(next(filter(None, match.groups())), ""), text)


def _shape(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression; one that is no valid glob matches itself only."""
    pattern = re.sub(r"\*+", "*", pattern)
    if pattern.count("*") > 4:  # would be slow to match, and no kernel has it
        return re.compile(re.escape(pattern))
    try:
        return re.compile("".join(_glob(part) for part in re.split(r"(\*|\?|\[[^\]]*\])", pattern)))
    except re.error:
        return re.compile(re.escape(pattern))


def _glob(part: str) -> str:
    if part in ("*", "?"):
        return "[^/]" + ("*" if part == "*" else "")
    if part.startswith("[") and len(part) > 2:
        inner = part[1:-1].replace("\\", "").replace("[", "")
        return "[" + ("^" + inner[1:] if inner[:1] in "!^" else inner) + "]" if inner.strip("!^-") else re.escape(part)
    return re.escape(part)

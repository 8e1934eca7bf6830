"""What a series brought: the lines that it added, and the functions whose head is among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from backport.csource.outline import outline
from backport.git.history import History
from backport.git.store import Store
from backport.model.series import Series

_SHORT = 12  # characters without blanks: `return err;` is everybody's line


@dataclass(frozen=True, slots=True)
class Brought:
    """By path: each line (blanks squeezed) and each function, with the patch that brought it last."""

    lines: Mapping[bytes, Mapping[bytes, str]]
    functions: Mapping[bytes, Mapping[bytes, str]]

    @property
    def paths(self) -> list[bytes]:
        """The files in which the series brought anything."""
        return sorted(self.lines)


def squeezed(line: bytes) -> bytes:
    """A line with its blanks squeezed, empty where too little is left to tell it from others."""
    words = line.split()
    return b" ".join(words) if sum(map(len, words)) >= _SHORT else b""


def brought(series: Series, history: History, store: Store) -> Brought:
    """Read the whole series: one diff, and an outline of each C file that it changed."""
    added = history.added_lines([(patch.parent_tree, patch.tree) for patch in series.patches])
    lines: dict[bytes, dict[bytes, str]] = defaultdict(dict)
    functions: dict[bytes, dict[bytes, str]] = defaultdict(dict)
    for patch, files in zip(series.patches, added, strict=True):
        entries = {change.new_path: change.new for change in patch.changes}
        for path, found in files.items():
            for _, text in found:
                if line := squeezed(text):
                    lines[path][line] = patch.commit
            entry = entries.get(path)
            if not path.endswith((b".c", b".h")) or entry is None or not entry.is_file:
                continue
            numbers = {number for number, _ in found}
            for declared in outline(store.read(entry.oid, "blob")).declarations:
                if declared.kind == "function" and declared.line in numbers:
                    functions[path].setdefault(declared.name, patch.commit)
    return Brought(lines, functions)

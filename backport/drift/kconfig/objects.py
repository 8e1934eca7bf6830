"""Objects that added Makefile lines ask for, and whether anything can be compiled into them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from backport.drift.kconfig.added import Added, is_makefile
from backport.git.store import Store
from backport.git.trees import Trees

_OBJECTS = re.compile(rb"^[ \t]*(?:obj|lib|core|drivers|net|libs)-(?:\$\((\w+)\)|[ym]|\$\{(\w+)\})[ \t]*[:+]?=(.*)", re.S)
_WORD = re.compile(rb"[\w+./-]+\.o(?=\s|$)|[\w+.-]+/(?=\s|$)")
_SOURCES = (b".c", b".S", b".c_shipped", b".S_shipped", b".o_shipped", b".l", b".y", b".rs", b".uni", b".dts")


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object (or a folder) that an added Makefile line names and for which there is no source; `upstream`: has it there."""

    name: bytes
    condition: str
    patch: str
    path: bytes
    line: int
    upstream: bool


def orphans(added: Added, result: str, trees: Trees, store: Store) -> Iterator[Orphan]:
    """Every `obj-$(CONFIG_X) += foo.o` without foo.c, foo.S, a composite list `foo-y`/`foo-objs`, or a rule that makes it.

    `result` is the target with the series applied; what a patch adds that did not land counts as there. May be wrong where a
    pattern rule in a file that the Makefile includes makes the object: those of usr/ and firmware/ do.
    """
    brought = {change.new_path for patch in added.patches for change in patch.changes if change.new is not None}
    brought |= {folder for path in brought if (folder := posixpath.dirname(path))}
    for patch, change, rows in added.files():
        if not is_makefile(change.new_path) or change.new is None:
            continue
        own = store.read(change.new.oid, "blob")
        rules = own + b"\n" + (trees.read(result, change.new_path) or b"")
        folder = posixpath.dirname(change.new_path)
        for number, row in _joined(own, {number for number, _ in rows}):
            match = _OBJECTS.match(row.split(b"#", 1)[0])
            for word in _WORD.findall(match.group(3)) if match else ():
                if not _made(word, folder, rules, lambda path: path in brought or trees.entry(result, path) is not None):
                    condition = (match.group(1) or match.group(2) or b"").decode("latin-1") if match else ""
                    there = _made(word, folder, own, lambda path, tree=patch.tree: trees.entry(tree, path) is not None)  # type: ignore[misc]
                    yield Orphan(word, condition, patch.commit, change.new_path, number, there)


def _joined(text: bytes, added: set[int]) -> Iterator[tuple[int, bytes]]:
    """The added lines; one that continues an assignment has its head before it, for that says what the words are."""
    head, before = b"", b""
    for number, row in enumerate(text.split(b"\n"), 1):
        goes_on = before.endswith(b"\\")
        if not goes_on:
            left, sign, _ = row.partition(b"=")
            head = left + sign
        if number in added:
            yield number, (head + b" " + row if goes_on else row).rstrip(b"\\")
        before = row.rstrip()


def _made(word: bytes, folder: bytes, rules: bytes, exists: Callable[[bytes], bool]) -> bool:
    path = posixpath.normpath(posixpath.join(folder, word))
    if word.endswith(b"/"):
        return exists(path)
    stem = path.removesuffix(b".o")
    if any(exists(stem + ending) for ending in _SOURCES):
        return True
    name = re.escape(word.removesuffix(b".o"))
    composite = rb"(?m)^[ \t]*" + name + rb"-(?:objs|y|m|\$\(\w+\)|objs-\$\(\w+\))[ \t]*[:+]?="
    rule = rb"(?m)^[^#\n=]*" + name + rb"\.(?:o|c|S)\b[^=\n]*:(?!=)|^[^#\n=]*%\.[cSo]\b[^=\n]*:"
    target = rb"(?m)^targets[^\n]*\b" + name + rb"\.[cS]\b"
    return any(re.search(pattern, rules) for pattern in (composite, rule, target))

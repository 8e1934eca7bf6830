"""Which exported symbols reach a struct by the types in their signatures: a bounded look, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.outline import outline
from backport.csource.tokens import Lines, blank
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.git.trees import Trees

_CORE = ("mm", "kernel", "fs", "lib", "block", "ipc", "virt", "security", "drivers/base", "net/core")
_EXPORT = re.compile(rb"\s*EXPORT_\w*SYMBOL\w*\(\s*(\w+)\s*\)")
_DEEP = 2  # structs that hold structs that hold it
_MOST_FILES = 300
_MOST_NAMES = 200
_TAG = re.compile(rb"\b(?:struct|union)\s+(\w+)")
_VALUE = re.compile(rb"\b(?:struct|union)\s+(\w+)\s+\w+")
_FUNCTIONS = ("prototype", "function", "extern")
_KINDS = (*_FUNCTIONS, "struct", "union")
_WORD = re.compile(rb"\w+")


@dataclass(frozen=True, slots=True)
class Reach:
    """What one search found. `exports`: every exported symbol of the places searched; `by`: per struct the functions declared in
    headers that reach it (structs beyond the limit are not in it); `embedded`: structs that others hold by value; `left`: how
    many headers were not read.
    """

    exports: frozenset[bytes]
    by: Mapping[bytes, frozenset[bytes]]
    embedded: frozenset[bytes]
    left: int


def search(
    tree: str, names: Sequence[bytes], typedefs: frozenset[bytes], folders: Iterable[bytes], trees: Trees, store: Store
) -> Reach | None:
    """Look in include/, the core folders and `folders` of a tree, in one process. None where objects are missing.

    `names` are tags, but for those that are in `typedefs` too. Only the first 200 are looked for.

    A function counts where its prototype names the struct, or a struct that holds one (by pointer or by value) and is declared in
    a header that mentions it, two steps deep. So a way over a header that does not name the struct is not seen: `struct kvm`
    holds a `struct mmu_notifier`, which points to `struct mmu_notifier_ops`, but kvm_host.h does not name the latter.
    """
    wanted = [name for name in dict.fromkeys(names) if name][:_MOST_NAMES]
    alternatives = [r"^[[:space:]]*EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([[:space:]]*[A-Za-z0-9_]+[[:space:]]*\)"]
    alternatives += [("" if name in typedefs else "(struct|union)[[:space:]]+") + name.decode("ascii") for name in wanted]
    scope = sorted({*(folder for folder in _CORE), *(_text(folder) for folder in folders if folder)})
    paths = ["include/*.h", *(f"{folder}/*.c" for folder in scope), *(f"{folder}/*.h" for folder in scope)]
    command = [
        "--no-literal-pathspecs",
        "grep",
        "-z",
        "-o",
        "-w",
        "-I",
        "-E",
        "|".join(alternatives),
        tree,
        "--",
        *map(_escaped, paths),
    ]
    try:
        out = store.git.run(command, ok=(0, 1))
    except GitFailedError:
        return None
    exports: set[bytes] = set()
    headers: dict[bytes, None] = {}
    for row in out.split(b"\n"):
        path, _, match = row.partition(b"\0")
        export = _EXPORT.match(match)
        if export:
            exports.add(export.group(1))
        elif path.endswith(b".h"):
            headers[path.partition(b":")[2]] = None
    read = list(headers)[:_MOST_FILES]
    return _follow(
        wanted, typedefs, [trees.read(tree, path) or b"" for path in read], frozenset(exports), len(headers) - len(read)
    )


def _follow(
    wanted: Sequence[bytes], typedefs: frozenset[bytes], texts: Iterable[bytes], exports: frozenset[bytes], left: int
) -> Reach:
    """From structs to those that hold them, and to the functions that take any of these."""
    structs: dict[bytes, set[bytes]] = {}
    functions: dict[bytes, set[bytes]] = {}
    embedded: set[bytes] = set()
    for text in texts:
        plain, lines = blank(text), Lines(text)
        for found in outline(text).declarations:
            if found.kind not in _KINDS or (found.kind in _FUNCTIONS and found.name not in exports):
                continue
            code = plain[lines.start(found.line) : lines.end(found.end)]
            if found.kind in _FUNCTIONS:
                functions.setdefault(found.name, set()).update(_types(found.signature + b" " + code.partition(b"{")[0], typedefs))
            else:
                body = code.partition(b"{")[2]
                structs.setdefault(found.name, set()).update(_types(body, typedefs))
                embedded.update(_VALUE.findall(body))
    by = {name: _reaching(name, structs, functions) for name in wanted}
    return Reach(exports, by, frozenset(embedded & set(wanted)), left)


def _types(code: bytes, typedefs: frozenset[bytes]) -> set[bytes]:
    """The tags that a piece of code names, and the typedefs; any other word may be a parameter: `struct page *page`."""
    return {*_TAG.findall(code), *(typedefs.intersection(_WORD.findall(code)) if typedefs else ())}


def _reaching(name: bytes, structs: Mapping[bytes, set[bytes]], functions: Mapping[bytes, set[bytes]]) -> frozenset[bytes]:
    known = {name}
    for _ in range(_DEEP):
        known |= {holder for holder, types in structs.items() if types & known}
    return frozenset(function for function, types in functions.items() if types & known)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _escaped(path: str) -> str:
    """A folder's name is taken literally, only our own stars are patterns."""
    head, star, tail = path.rpartition("/*")
    return re.sub(r"([*?\[\\])", r"\\\1", head) + star + tail

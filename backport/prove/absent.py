"""Why a configuration does not build an object, by what the Makefiles of the tree say, and not by a guess.

An object may be under a symbol that is not set, in a folder that kbuild does not go into without one, or compiled from another
folder's Makefile by a path with `../` (virt/kvm/kvm_main.o of 2.6.31, by arch/x86/kvm/Makefile). Conditionals (`ifeq`) are
not evaluated: what stands under one is told as if it stood alone. drivers/of/irq.o, say, that an `ifdef` leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

_JOINED = re.compile(rb"\\\r?\n")
_LIST = re.compile(rb"^[ \t]*([\w.-]+)-(\$\(CONFIG_\w+\)|y|m|objs)[ \t]*[:+]?=[ \t]*([^#\n]*)", re.MULTILINE)
_DEPTH = 4  # of objects that are made of objects

Read = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Absence:
    """Why it is not built, and what would build it."""

    why: str
    then: str


def absence(name: str, read: Read, makefiles: Iterable[bytes]) -> Absence:
    """The reason for one object. `read` gives a file of the tree, `makefiles` are the paths of all that there are in it."""
    path = PurePosixPath(name)
    symbols: set[str] = set()
    for at in (path, *path.parents):
        makefile, text = _makefile(at.parent, read)
        if text is None and at == path:
            return _elsewhere(path, read, makefiles)
        found = _symbols(text or b"", at.name + ("" if at == path else "/"), _DEPTH)
        if at == path and found is None:
            return _elsewhere(path, read, makefiles)
        symbols |= {f"{symbol} ({makefile})" for symbol in found or ()}
    if not symbols:
        return Absence(
            f"{path.parent}/Makefile names it, under a condition", "look there, and add what it wants: --config BASE+FRAGMENT"
        )
    needs = ", ".join(sorted(symbols))
    return Absence(f"it needs {needs}", "give what is not set in a fragment: --config BASE+FRAGMENT")


def _elsewhere(path: PurePosixPath, read: Read, makefiles: Iterable[bytes]) -> Absence:
    """The Makefile of another folder that compiles it by a path with `../`."""
    place = re.compile(rb"(?:\.\./)+%s/" % re.escape(str(path.parent).encode()))
    word = re.compile(rb"(?<![\w.-])%s(?![\w.-])" % re.escape(path.name.encode()))
    for makefile in makefiles:
        text = _JOINED.sub(b" ", read(makefile) or b"")
        if place.search(text) and word.search(text):
            who = makefile.decode("utf-8", "replace")
            return Absence(
                f"{who} compiles it, by a path with ../, and kbuild does not make such an object by its own name",
                "--modules or --image builds it with the rest, where that folder is configured",
            )
    return Absence("no Makefile names it", "")


def _makefile(folder: PurePosixPath, read: Read) -> tuple[str, bytes | None]:
    """A folder's Makefile and its text, as kbuild looks for it; a top folder's parent is nobody's."""
    if str(folder) == ".":
        return "", None
    for name in ("Kbuild", "Makefile"):
        if (text := read(f"{folder}/{name}".encode())) is not None:
            return f"{folder}/{name}", _JOINED.sub(b" ", text)
    return "", None


def _symbols(text: bytes, word: str, depth: int) -> set[str] | None:
    """The symbols under which a Makefile lists a word; None where it does not list it."""
    wanted, found, seen = word.encode(), set[str](), False
    for target, switch, listed in _LIST.findall(text):
        if wanted not in listed.split():
            continue
        seen = True
        if switch.startswith(b"$"):
            found.add(switch[2:-1].decode())
        if target not in (b"obj", b"lib", b"extra") and depth:  # a part of another object
            found |= _symbols(text, f"{target.decode()}.o", depth - 1) or set()
    return found if seen else None

"""Kernel configurations: a base, fragments on top, and a look at whether what was asked for is there at the end.

kconf drops a symbol that no Kconfig declares, or whose dependencies are not met, without a word. So each wish is compared
with the .config that came out. A wish of ours that this kernel has never heard of (CONFIG_TTY is of 3.9) may be `optional`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backport.model.errors import InputError
from backport.prove.bench import Make

BASES = ("allnoconfig", "defconfig")
OWN_DEFCONFIG = re.compile(r"[a-z0-9_-]+_defconfig")
_SET = re.compile(r"CONFIG_(\w+)=(.*)")
_UNSET = re.compile(r"# CONFIG_(\w+) is not set")
_DECLARED = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)
_NEWLINES = b"\n" * 30000  # the answer to every question of oldconfig; less than a pipe holds, so that writing never waits


@dataclass(frozen=True, slots=True)
class Wish:
    """A symbol (without CONFIG_) and the value that it must have, as .config writes it; `n` for not set.

    Who wished it (`source`) is for messages, and no part of its words: by these what was built is kept, and a definition that
    lies in another folder shall find it.
    """

    symbol: str
    value: str
    source: str = field(repr=False)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A configuration to be made: a base (allnoconfig, a defconfig, or a file) and wishes, of which a later one wins."""

    name: str
    base: str
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A wish that did not come true; `got` is what the symbol became, `declared` whether this kernel knows it at all."""

    wish: Wish
    got: str
    declared: bool

    def __str__(self) -> str:
        why = f"became {self.got}: its dependencies are not met" if self.declared else "is not declared by this kernel"
        return f"CONFIG_{self.wish.symbol}={self.wish.value} ({self.wish.source}) {why}"


def parse(text: str, source: str, *, optional: bool = False) -> tuple[Wish, ...]:
    """The wishes of a fragment. InputError for a line that is neither a setting, a comment, nor blank."""
    wishes = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if found := _SET.fullmatch(line):
            wishes.append(Wish(found[1], found[2], source, optional))
        elif found := _UNSET.fullmatch(line):
            wishes.append(Wish(found[1], "n", source, optional))
        elif line and not line.startswith("#"):
            raise InputError(f"{line!r} is no line of a configuration", where=f"{source}:{number}")
    return tuple(wishes)


def read(path: Path) -> str:
    """A configuration file; InputError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        then = f"give a file, or one of {', '.join(BASES)}"
        raise InputError(f"cannot read the configuration: {error}", where=str(path), then=then) from error


def make_config(make: Make, recipe: Recipe) -> list[Lost]:
    """Write .config for the tree that is checked out; what was wished and is not there.

    The file is left untouched where it would be the same: its time decides how much kbuild does again.
    InputError where kconf fails.
    """
    known = declared(make.bench.source)
    wishes = {wish.symbol: wish for wish in recipe.wishes if wish.symbol in known or not wish.optional}
    text = _render(wishes.values())
    target, keep = make.out / ".config", make.out / ".backport.config"
    old = target.read_bytes() if target.exists() else None
    stat = target.stat() if target.exists() else None
    if recipe.base == "allnoconfig":
        keep.write_text(text, encoding="utf-8")
        _must(make, [f"KCONFIG_ALLCONFIG={keep}", "allnoconfig"])
    else:
        if recipe.base == "defconfig" or OWN_DEFCONFIG.fullmatch(recipe.base):
            _must(make, [recipe.base])
        else:
            target.write_text(read(Path(recipe.base)), encoding="utf-8")
        target.write_text(_without(target.read_text(encoding="utf-8"), wishes) + text, encoding="utf-8")
        makefile = make.bench.source / "scripts/kconfig/Makefile"
        newer = makefile.is_file() and b"olddefconfig" in makefile.read_bytes()  # since 3.7
        _must(make, ["olddefconfig" if newer else "oldconfig"], stdin=b"" if newer else _NEWLINES)
    if stat is not None and _settings(target.read_bytes()) == _settings(old or b""):
        target.write_bytes(old or b"")
        os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    got = values(target.read_text(encoding="utf-8", errors="replace"))
    return [
        Lost(wish, got.get(wish.symbol, "n"), wish.symbol in known)
        for wish in wishes.values()
        if got.get(wish.symbol, "n") != wish.value
    ]


def values(text: str) -> dict[str, str]:
    """The settings of a .config; a symbol that is not set is not in it."""
    return {found[1]: found[2] for line in text.splitlines() if (found := _SET.fullmatch(line))}


def declared(source: Path) -> set[str]:
    """Every symbol that a Kconfig file of the tree declares."""
    found: set[str] = set()
    for path in source.rglob("Kconfig*"):
        if path.is_file() and not path.is_symlink():
            found.update(name.decode() for name in _DECLARED.findall(path.read_bytes()))
    return found


def _settings(text: bytes) -> list[bytes]:
    """The lines that count: the date in a .config's head does not."""
    return [line for line in text.splitlines() if line.startswith(b"CONFIG_")]


def _must(make: Make, targets: Sequence[str], stdin: bytes = b"") -> None:
    ended = make.run(targets, stdin=stdin)
    if ended.code != 0:
        raise InputError(f"make {targets[-1]} failed: {make.said(3)}", where=str(make.log), then="see the log")


def _render(wishes: Iterable[Wish]) -> str:
    lines = (f"# CONFIG_{w.symbol} is not set" if w.value == "n" else f"CONFIG_{w.symbol}={w.value}" for w in wishes)
    return "".join(line + "\n" for line in lines)


def _without(text: str, wishes: Mapping[str, Wish]) -> str:
    def mine(line: str) -> bool:
        found = _SET.fullmatch(line) or _UNSET.fullmatch(line)
        return found is not None and found[1] in wishes

    return "".join(line + "\n" for line in text.splitlines() if not mine(line))

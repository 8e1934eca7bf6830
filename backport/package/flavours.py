"""The kernels that a dist-git folder configures: for each architecture and flavour the whole .config, as its own rules merge it.

Fedora 8 to 23 wrote the rules in Makefile.config: `cat` joins files, of which the last has the word; merge.pl lays its first file
over its second. Since then the merged kernel-ARCH-FLAVOUR.config are in the folder. Nothing of the folder is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_RULES = "Makefile.config"
_RULE = re.compile(r"^(?P<target>[^\s:#=]+):[ \t]*(?P<parts>[^\n=]*)\n\t(?P<recipe>[^\n]*)", re.M)
_READY = re.compile(r"kernel-(?P<name>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)\.config")
_MADE = re.compile(r"kernel-\$\(VERSION\)-(?P<name>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)\.config")
_LINE = re.compile(rb"^(?:CONFIG_(\w+)=.*|# CONFIG_(\w+) is not set)[ \t]*\r?$", re.M)
_LONGEST = 8 << 20  # bytes; Fedora's longest .config has 300 kB
_Read = Callable[[str], bytes | None]
_DEEPEST = 20  # rules that use rules; Fedora had four


@dataclass(frozen=True, slots=True)
class Flavour:
    """One kernel of the folder: `i686-PAE`, and its .config."""

    name: str
    text: bytes

    @property
    def cpu(self) -> str:
        """The architecture, as rpm calls it."""
        return self.name.partition("-")[0]

    def says(self) -> set[str]:
        """Every symbol that has a line in it."""
        return {(found[1] or found[2]).decode() for found in _LINE.finditer(self.text)}


def flavours(folder: Path, edited: Mapping[str, bytes | None]) -> tuple[Flavour, ...]:
    """Every flavour, by name, with the files of `edited` as they are to be. Empty where the folder says neither way.

    A rule that is written otherwise, or names a file that is not there, makes no flavour: what cannot be read is not guessed.
    """
    files = {path.name: path for path in folder.iterdir() if path.is_file()} if folder.is_dir() else {}

    def read(name: str) -> bytes | None:
        if name in edited:
            return edited[name] or b""
        return files[name].read_bytes() if name in files else None

    found: dict[str, bytes] = {}
    for name in sorted(files):
        if ready := _READY.fullmatch(name):
            found[ready["name"]] = read(name) or b""
    known: dict[str, bytes | None] = {}
    rules = {rule["target"]: rule for rule in _RULE.finditer((read(_RULES) or b"").decode("utf-8", "replace"))}
    for target in rules:
        made = _MADE.fullmatch(target)
        text = _merged(target, rules, read, known, 0) if made else None
        if made and text is not None:
            found[made["name"]] = text
    return tuple(Flavour(name, text) for name, text in sorted(found.items()))


def _merged(
    name: str, rules: Mapping[str, re.Match[str]], read: _Read, known: dict[str, bytes | None], depth: int
) -> bytes | None:
    """The text of a file or of what a rule makes; None where that cannot be told, or is longer than any .config."""
    if name not in known:
        text = b"" if name == "/dev/null" else read(name) if name not in rules else _made(name, rules, read, known, depth)
        known[name] = text if text is not None and len(text) <= _LONGEST else None
    return known[name]


def _made(name: str, rules: Mapping[str, re.Match[str]], read: _Read, known: dict[str, bytes | None], depth: int) -> bytes | None:
    if depth > _DEEPEST:
        return None
    rule = rules[name]
    words = rule["recipe"].split()
    joined = words[:1] == ["cat"] and ">" in words
    parts = words[1 : words.index(">")] if joined else rule["parts"].split()
    if not joined and words[:3] != ["perl", "merge.pl", "$^"]:
        return None
    texts = [_merged(part, rules, read, known, depth + 1) for part in parts]
    there = [text for text in texts if text is not None]
    if len(there) != len(parts) or not parts:
        return None
    return b"\n".join(there if joined else reversed(there))  # Kconfig takes the last line that it reads of a symbol

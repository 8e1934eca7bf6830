"""What is told to people: Kconfig prompts, and the entries of Documentation/ABI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.drift.uapi.items import Item, Kind

_WORDS = rb"(\"(?:[^\"\\]|\\.)*\"|'[^']*')"
_SYMBOL = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)[ \t]*(?:#.*)?$")
_PROMPT = re.compile(
    rb"^[ \t]+(?:(bool|boolean|tristate|string|int|hex)(?:[ \t]+(\"(?:[^\"\\]|\\.)*\"|'[^']*'))?"
    rb"|prompt[ \t]+(\"(?:[^\"\\]|\\.)*\"|'[^']*'))"
)
_END = re.compile(rb"^[ \t]*(?:choice|endchoice|comment|menu|endmenu|if|endif|source|mainmenu)\b")
_HELP = re.compile(rb"^[ \t]*(?:help|---help---)[ \t]*$")
_WHAT = re.compile(rb"^What:[ \t]*(\S.*?)[ \t]*$", re.M | re.I)


def is_kconfig(path: bytes) -> bool:
    """Whether a file is read by Kconfig."""
    name = path.rpartition(b"/")[2]
    return name.startswith(b"Kconfig")


def read_kconfig(path: bytes, text: bytes) -> Iterator[Item]:
    """Every symbol that somebody is asked about, with the type and the words of the prompt.

    A line of a help text that looks like an option (`bool "..."`) would be taken for one; a help text ends where the indent does.
    """
    symbol, kind, prompt, line, indent = b"", b"", b"", 0, -1
    for number, row in enumerate((*text.split(b"\n"), b"endmenu"), 1):
        depth = len(row.expandtabs(8)) - len(row.expandtabs(8).lstrip())
        if indent >= 0:
            if not row.strip() or depth >= indent > 0 or (indent == 0 and depth > 0):
                indent = indent or (depth if row.strip() else 0)
                continue
            indent = -1
        started = _SYMBOL.match(row)
        if started or _END.match(row):
            if symbol and prompt:
                yield _asked(path, symbol, kind, prompt, line)
            symbol, kind, prompt, line = (started[1] if started else b""), b"", b"", number
        elif _HELP.match(row):
            indent = 0
        elif symbol and (found := _PROMPT.match(row)):
            kind = found[1] or kind
            prompt = found[2] or found[3] or prompt


def _asked(path: bytes, symbol: bytes, kind: bytes, prompt: bytes, line: int) -> Item:
    words = prompt[1:-1].decode("utf-8", "backslashreplace")
    name = f"CONFIG_{symbol.decode('latin-1')}"
    scope = path.decode("utf-8", "backslashreplace") if path.startswith(b"arch/") else ""
    return Item(Kind.KCONFIG, name, scope, f'{kind.decode() or "?"} "{words}"', path, line)


def is_abi(path: bytes) -> bool:
    """Whether a file describes interfaces: Documentation/ABI/testing/sysfs-kernel-mm-ksm."""
    return path.startswith(b"Documentation/ABI/") and path.count(b"/") >= 3


def read_abi(path: bytes, text: bytes) -> Iterator[Item]:
    """Every `What:` of it; its value is how stable it is said to be (the folder)."""
    for match in _WHAT.finditer(text):
        what = match[1].decode("utf-8", "backslashreplace")
        stability = path.split(b"/")[2].decode("utf-8", "backslashreplace")
        yield Item(Kind.ABI_DOCUMENT, what, "", stability, path, text.count(b"\n", 0, match.start()) + 1)

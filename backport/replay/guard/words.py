"""The words of added lines must be words of the target.

Upstream's file speaks of a thing already before the patch, the target's does not once: then the target calls it otherwise, or
does not have it, and a line that is merged in as it is does not compile. Where no header of the target knows the word either,
it is refused. This sees what no reader of declarations can: entries of a table that a macro makes, assembly, Kconfig. Example:
d73a9b3001f2 on 2.6.32.y adds an entry with USB_SC_DEVICE to drivers/usb/storage/unusual_devs.h, which there says US_SC_DEVICE.

A configuration symbol that nothing defines is refused too, for it never comes true, and no compiler says so: in Kconfig that of
a `select` or a `depends on` (fc4a7f93087a selects DVB_ATBM8830), elsewhere that of any added line (319c2cc76150 on 2.6.32.y asks
for CONFIG_PMB_FIXED).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.csource.tokens import KEYWORDS, blank
from backport.replay.guard.landed import HEADERS, KCONFIG, Fault, Landed

_WORD = re.compile(rb"[A-Za-z_]\w{2,}")
_SELECT = re.compile(rb"^\s+(?:select|depends on|depends)\b(.*)$", re.M)
_SYMBOL = re.compile(rb"\b[A-Z][A-Z0-9_]{2,}\b")
_DEFINED = re.compile(rb"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.M)
_CONFIG = re.compile(rb"\b(CONFIG_(\w+?)(?:_MODULE)?)\b")
_GLUED = re.compile(rb"\w")
_READ = (b".c", b".h", b".S")


def strange_words(landed: Landed) -> Iterator[Fault]:
    """Words of added lines that upstream's file had before and that the target has nowhere that matters."""
    yield from _symbols(landed, _selected(landed) if b"Kconfig" in landed.path else _configured(landed))
    if not landed.path.endswith(_READ):
        return
    said = b"".join(row for change in landed.here for row in change.added)
    yield from _unseen(landed)
    words = {word: line for word, line in _added(landed) if _has(landed.base, word) and not _has(landed.ours, word)}
    here = [said, *(text for path, text in landed.brought.items() if path.endswith(b".h"))]
    words = {word: line for word, line in words.items() if not any(_declares(text, word) for text in here)}
    known = landed.speaks(words, HEADERS) if words else set()
    for word, line in words.items():
        if word not in known:
            yield Fault(
                word.decode("ascii"), line, "upstream's file uses this word already before the patch, the target has it nowhere"
            )


def _unseen(landed: Landed) -> Iterator[Fault]:
    """Names that the patch declares in a header which upstream's file includes by name, and the target's does not.

    It may see the header through another; that upstream needed the line says that it mostly does not. fd89a137924e on 2.6.32.y
    calls setup_trampoline_page_table() in a file that there has no #include <asm/trampoline.h>. A member is no such name: whose
    file has other members of the struct sees it (span_weight of 669c55e9f99b in sched_fair.c, which sched.c includes).
    """
    brought = {path: text for path, text in landed.brought.items() if path.endswith(b".h") and path != landed.path}
    brought = {path: text for path, text in brought.items() if _includes(landed.base, _name(path))}
    unseen = {path: text for path, text in brought.items() if not _includes(landed.result, _name(path))}
    if not unseen:
        return
    said = blank(b"".join(row for change in landed.here for row in change.added))
    added = {word: line for word, line in _added(landed) if re.search(rb"(?<![\w.>])" + re.escape(word) + rb"(?!\w)", said)}
    for path, text in unseen.items():
        for word, line in added.items():
            if re.search(rb"\b" + re.escape(word) + rb"[ \t]*[(;\[]", text):
                name = _name(path).decode("ascii", "replace")
                why = f"upstream's file includes {name}, which has it; the target's does not"
                yield Fault(word.decode("ascii"), line, why)
                break


def _name(path: bytes) -> bytes:
    """How an #include names a header."""
    return path.rpartition(b"include/")[2]


def _includes(text: bytes, name: bytes) -> bool:
    return re.search(rb'^[ \t]*#[ \t]*include[ \t]*[<"]' + re.escape(name) + rb'[>"]', text, re.M) is not None


def _symbols(landed: Landed, symbols: dict[bytes, int]) -> Iterator[Fault]:
    """Those of some configuration symbols that no Kconfig file defines, the patch's own included.

    f8af4da3b4c1 (the mm interface to ksm) has `config KSM` and the Makefile line that asks for it in one patch.
    """
    own = b"\n".join(text for path, text in landed.brought.items() if b"Kconfig" in path)
    symbols = {symbol: line for symbol, line in symbols.items() if symbol not in _DEFINED.findall(own)}
    known = landed.speaks(symbols, KCONFIG) if symbols else set()
    for symbol, line in symbols.items():
        if symbol not in known:
            yield Fault(symbol.decode("ascii"), line, "no Kconfig file of the target has this symbol")


def _selected(landed: Landed) -> dict[bytes, int]:
    """The symbols that added lines of a Kconfig file ask for, with their line upstream."""
    symbols: dict[bytes, int] = {}
    for change in landed.upstream:
        for number, row in enumerate(change.added, change.new + 1):
            for rest in _SELECT.findall(row):
                symbols.update((symbol, number) for symbol in _SYMBOL.findall(rest) if _has(landed.result, symbol))
    return symbols


def _configured(landed: Landed) -> dict[bytes, int]:
    """The symbols that other added lines ask for, of which the target's file has not heard."""
    symbols: dict[bytes, int] = {}
    said = b"".join(row for change in landed.here for row in change.added)
    for change in landed.upstream:
        for number, row in enumerate(change.added, change.new + 1):
            for word, symbol in _CONFIG.findall(row):
                if word in said and not _has(landed.ours, word):
                    symbols[symbol] = number
    return symbols


def _added(landed: Landed) -> Iterator[tuple[bytes, int]]:
    """The words of lines that are added upstream and landed as they are, with their line upstream."""
    landing = {row.strip() for change in landed.here for row in change.added}
    for change in landed.upstream:
        block = blank(b"".join(change.added)).split(b"\n")
        for number, (row, plain) in enumerate(zip(change.added, block, strict=False), change.new + 1):
            if row.strip() in landing:
                yield from ((word, number) for word in _WORD.findall(plain) if word not in KEYWORDS)


def _declares(text: bytes, word: bytes) -> bool:
    """Whether some lines seem to declare a name themselves: `struct iattr newattrs;`, `#define X`, a label."""
    name = re.escape(word)
    return (
        re.search(rb"\w[ \t*]+" + name + rb"[ \t]*[;=,\[)({]|#[ \t]*define[ \t]+" + name + rb"\b|^" + name + rb":", text, re.M)
        is not None
    )


def _has(text: bytes, word: bytes) -> bool:
    """Whether a text has a word. Found by its bytes: a pattern for each word takes thirty times as long."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not _GLUED.match(text[at - 1 : at] if at else b"") and not _GLUED.match(text[end : end + 1]):
            return True
        at = text.find(word, end)
    return False

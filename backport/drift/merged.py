"""The text that a clean merge makes: does it hang together? Looked at only where it is not upstream's own text.

A merge joins lines, not meanings: it closes an #if that the target had closed elsewhere, takes a parameter away whose uses only
upstream had removed before, defines a function twice. None of this stands on an added line, so the whole text is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from backport.csource.outline import Declaration, outline
from backport.csource.parse import parse_function
from backport.csource.tokens import Lines, blank, directives
from backport.drift.view import Missing

Known = Callable[[set[bytes]], set[bytes]]
"""Of some names, those that the target declares in sight of the file."""

_GOTO = re.compile(rb"\bgoto\s+(\w+)\s*;")


def merge_faults(path: bytes, before: bytes, merged: bytes, upstream: bytes, known: Known) -> Iterator[Missing]:
    """What is wrong with `merged`, made of the target's `before` and of the patch whose own result is `upstream`.

    Faults that either of both has are not the merge's. `path` and the lines of the findings are upstream's.
    """
    yield from _conditionals(path, before, merged, upstream)
    yield from _twice(path, before, merged, upstream)
    old, here, there = _Texts(before), _Texts(merged), _Texts(upstream)
    for found in here.declarations:
        was, theirs = old.only(found.name), there.only(found.name)
        if was is None or here.only(found.name) is None or old.code(was) == here.code(found):
            continue
        if theirs is None or there.code(theirs) != here.code(found):
            yield from _lost(path, old.scope(was), here, found, theirs.line if theirs else 1, known)


class _Texts:
    """A file with its functions."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._plain = blank(text)
        self._lines = Lines(text)
        self.declarations = [d for d in outline(text).declarations if d.kind == "function"]

    def only(self, name: bytes) -> Declaration | None:
        """The function of a name that is defined once."""
        found = [d for d in self.declarations if d.name == name]
        return found[0] if len(found) == 1 else None

    def code(self, function: Declaration) -> bytes:
        """Its text, blanked, from the line of its name on."""
        return self._plain[self._lines.start(function.line) : self._lines.end(function.end)]

    def scope(self, function: Declaration) -> dict[bytes, str] | None:
        """The names that it declares and their kinds; None where the parser met something unknown in it."""
        start, end = self._lines.start(function.line), self._lines.end(function.end)
        piece = b"void " + self._text[start:end] if self._text[start:end].startswith(function.name) else self._text[start:end]
        source = parse_function(piece, 0, len(piece), function.line)
        if source.errors or len(source.functions) != 1:
            return None
        return {local.name: local.kind for local in source.functions[0].locals}


def _lost(
    path: bytes, was: dict[bytes, str] | None, here: _Texts, found: Declaration, line: int, known: Known
) -> Iterator[Missing]:
    """Names that a function declared before the merge, declares no more, and still uses; labels that its gotos miss.

    a361c83cb4d7 on 2.6.31: the merge takes the parameter bond_dev from bond_xmit_hash_policy_l2, whose old body reads it.
    """
    scope = here.scope(found)
    if was is None or scope is None:
        return
    code, where = here.code(found), found.name.decode("ascii", "replace")
    gone = {name for name, kind in was.items() if name not in scope and kind in ("local", "parameter")}
    used = {name for name in gone if re.search(rb"(?<![\w.>])" + re.escape(name) + rb"\b(?!\s*:[^:])", code)}
    for name in sorted(used - known(used)) if used else ():
        yield Missing(name, "absent-local", path, line, None, f"{where} as merged still uses it", said=f"taken from {where}")
    labels = {name for name, kind in scope.items() if kind == "label"}
    before = {name for name, kind in was.items() if kind == "label"}
    for name in sorted(set(_GOTO.findall(code)) & (before - labels)):
        yield Missing(name, "absent-label", path, line, None, f"{where} as merged still goes there", said=f"taken from {where}")


def _twice(path: bytes, before: bytes, merged: bytes, upstream: bytes) -> Iterator[Missing]:
    """Functions that the merge defines more often than the target did and upstream does: both sides brought one."""
    here, old = _defined(merged), _defined(before)
    there = _defined(upstream)
    for name, count in here.items():
        if count > 1 and count > max(old[name], there[name]):
            line = next((d.line for d in outline(upstream).declarations if d.name == name and d.kind == "function"), 1)
            yield Missing(name, "defined-twice", path, line, None, "the target has another definition in this file", said="one")


def _defined(text: bytes) -> Counter[bytes]:
    return Counter(d.name for d in outline(text).declarations if d.kind == "function")


def _conditionals(path: bytes, before: bytes, merged: bytes, upstream: bytes) -> Iterator[Missing]:
    """An #if without its #endif, or the other way round. a362c638bdf0 on 2.6.31: only the half that opens a block lands."""
    if unbalanced(before) is not None or unbalanced(upstream) is not None:
        return
    fault = unbalanced(merged)
    if fault is not None:
        text, line = fault
        yield Missing(
            text, "unbalanced-conditional", path, 1, None, f"line {line} of the merged file has no partner", said="closed"
        )


def unbalanced(text: bytes) -> tuple[bytes, int] | None:
    """The first #if, #else or #endif of a text that has no partner, and its line."""
    lines = Lines(text)
    opened: list[tuple[bytes, int]] = []
    for directive in directives(blank(text)):
        here = b"#" + directive.word + b" " + b" ".join(directive.rest.split()), lines.line(directive.offset)
        if directive.word in (b"if", b"ifdef", b"ifndef"):
            opened.append(here)
        elif directive.word in (b"else", b"elif", b"endif") and not opened:
            return here[0].strip(), here[1]
        elif directive.word == b"endif":
            opened.pop()
    return opened[-1] if opened else None

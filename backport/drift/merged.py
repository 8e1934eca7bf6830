"""The text that a clean merge makes: does it hang together? Looked at only where it is not upstream's own text.

A merge joins lines, not meanings: it closes an #if that the target had closed elsewhere, takes a parameter away whose uses only
upstream had removed before, defines a function twice. None of this stands on an added line, so the whole text is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache

from backport.csource.outline import Declaration, outline
from backport.csource.parse import parse_function
from backport.csource.tokens import Lines, blank, common_ends, directives
from backport.drift.view import Missing

Known = Callable[[set[bytes]], set[bytes]]
"""Of some names, those that the target declares in sight of the file."""

_GOTO = re.compile(rb"\bgoto\s+(\w+)\s*;")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_CONDITIONAL = re.compile(rb"^\s*#\s*(?:if|el|end)", re.M)


def merge_faults(path: bytes, before: bytes, merged: bytes, upstream: bytes, known: Known) -> Iterator[Missing]:
    """What is wrong with `merged`, made of the target's `before` and of the patch whose own result is `upstream`.

    Faults that either of both has are not the merge's. `path` and the lines of the findings are upstream's. A patch that only
    adds lines takes no declaration away, and one that adds none in column one defines no function: nothing is outlined for it.
    """
    was, now = differing_pieces(before, merged)
    if _CONDITIONAL.search(was) or _CONDITIONAL.search(now):
        yield from _conditionals(path, before, merged, upstream)
    if any(row[:1].isalpha() for row in taken(now, was)):
        yield from _twice(path, {d.name for d in _Texts(now).declarations}, before, merged, upstream)
    if not taken(was, now):
        return
    old, here = _Texts(was), _Texts(now)
    for found in here.declarations:
        former = old.only(found.name)
        if former is None or here.only(found.name) is None or old.code(former) == here.code(found):
            continue
        if here.stands_in(upstream, found):
            continue
        lost = list(_lost(path, old, former, here, found, upstream, known))
        if lost and not _as_upstream(found, here, _Texts(upstream)):
            yield from lost


def taken(was: bytes, now: bytes) -> set[bytes]:
    """The lines of one text that the other does not have anywhere."""
    return set(was.split(b"\n")).difference(now.split(b"\n"))


def _as_upstream(found: Declaration, here: _Texts, there: _Texts) -> bool:
    """Whether upstream has the very function that the merge made."""
    theirs = there.only(found.name)
    return theirs is not None and there.code(theirs) == here.code(found)


@lru_cache(maxsize=16)
def differing_pieces(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """The pieces in which two texts differ, widened to whole outermost constructs: from one `}` in column one to another.

    A file of 5,000 lines is read ten times quicker so. Where a file's closing braces are indented, the pieces are the files.
    """
    head, tail = common_ends(before, after)
    brace = before.rfind(b"\n}", 0, head)
    start = before.find(b"\n", brace + 1, head) + 1 if brace >= 0 else 0
    closing = before.find(b"\n}", len(before) - tail - 1) if tail else -1
    stop = before.find(b"\n", closing + 1) if closing >= 0 else -1  # that brace is still of the piece
    left = len(before) - stop if stop >= 0 else 0
    return before[start : len(before) - left], after[start : len(after) - left]


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

    def stands_in(self, text: bytes, function: Declaration) -> bool:
        """Whether another file has the very function, and no second of its name: told by the bytes, for an outline takes 5 ms.

        Not where a comment may be open before it: there upstream has the function no more.
        """
        code = b"\n" + self._text[self._lines.start(function.line) : self._lines.end(function.end)]
        at = text.find(code)
        return (
            at >= 0
            and text.rfind(b"/*", 0, at) <= text.rfind(b"*/", 0, at)
            and text.find(code, at + 1) < 0
            and _heads(function.name, text) == 1
        )

    def scope(self, function: Declaration) -> dict[bytes, str] | None:
        """The names that it declares and their kinds; None where the parser met something unknown in it."""
        start, end = self._lines.start(function.line), self._lines.end(function.end)
        piece = b"void " + self._text[start:end] if self._text[start:end].startswith(function.name) else self._text[start:end]
        source = parse_function(piece, 0, len(piece), function.line)
        if source.errors or len(source.functions) != 1:
            return None
        return {local.name: local.kind for local in source.functions[0].locals}


def _lost(
    path: bytes, old: _Texts, former: Declaration, here: _Texts, found: Declaration, upstream: bytes, known: Known
) -> Iterator[Missing]:
    """Names that a function declared before the merge, declares no more, and still uses; labels that its gotos miss.

    a361c83cb4d7 on 2.6.31: the merge takes the parameter bond_dev from bond_xmit_hash_policy_l2, whose old body reads it.
    Whose line is still there is still declared, so only what stands on lines that went is asked of the parser.
    """
    code, where = here.code(found), found.name.decode("ascii", "replace")
    words = {word for row in taken(old.code(former), code) for word in _WORD.findall(row)}
    jumps = set(_GOTO.findall(code)) & words
    used = {word for word in words if _use(word).search(code)} if words else words
    was = old.scope(former) if used or jumps else None
    was = {name: kind for name, kind in (was or {}).items() if name in used or name in jumps}
    scope = here.scope(found) if was else None
    if not was or scope is None:
        return
    gone = {name for name, kind in was.items() if name not in scope and name in used and kind in ("local", "parameter")}
    for name in sorted(gone - known(gone)) if gone else ():
        line = _line(upstream, found.name)
        yield Missing(name, "absent-local", path, line, None, f"{where} as merged still uses it", said=f"taken from {where}")
    labels = {name for name, kind in scope.items() if kind == "label"}
    before = {name for name, kind in was.items() if kind == "label"}
    for name in sorted(jumps & (before - labels)):
        line = _line(upstream, found.name)
        yield Missing(name, "absent-label", path, line, None, f"{where} as merged still goes there", said=f"taken from {where}")


def _use(name: bytes) -> re.Pattern[bytes]:
    """The word where it can be a variable: not a member, a tag, a label or a designator of old."""
    return re.compile(rb"(?<![\w.>])(?<!struct )(?<!union )(?<!enum )" + re.escape(name) + rb"\b(?!\s*:[^:])")


def _line(upstream: bytes, function: bytes) -> int:
    return next((d.line for d in outline(upstream).declarations if d.name == function and d.kind == "function"), 1)


def _twice(path: bytes, names: set[bytes], before: bytes, merged: bytes, upstream: bytes) -> Iterator[Missing]:
    """Functions that the merge defines more often than the target did and upstream does: both sides brought one."""
    doubtful = {name for name in names if _heads(name, merged) > _heads(name, before)}
    here = _defined(merged) if doubtful else Counter()
    for name in sorted(n for n in doubtful if here[n] > 1):
        if here[name] > max(_defined(before)[name], _defined(upstream)[name]):
            line = _line(upstream, name)
            yield Missing(name, "defined-twice", path, line, None, "the target has another definition in this file", said="one")


def _heads(name: bytes, text: bytes) -> int:
    """How many lines look like the head of a function of that name: begun in column one, and no `;` ends it."""
    count, at = 0, -1
    while (at := text.find(name, at + 1)) >= 0:
        start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        row, behind = text[start:end].rstrip(), text[at + len(name) : at + len(name) + 1]
        count += row[:1].isalpha() and behind in (b"(", b" ") and not row.endswith(b";")
    return count


def _defined(text: bytes) -> Counter[bytes]:
    return Counter(d.name for d in outline(text).declarations if d.kind == "function")


def _conditionals(path: bytes, before: bytes, merged: bytes, upstream: bytes) -> Iterator[Missing]:
    """An #if without its #endif, or the other way round. a362c638bdf0 on 2.6.31: only the half that opens a block lands."""
    fault = unbalanced(merged)
    if fault is not None and unbalanced(before) is None and unbalanced(upstream) is None:
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

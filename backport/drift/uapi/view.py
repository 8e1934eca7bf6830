"""A header as a program's compiler sees it: without the parts that are the kernel's own, each line with its conditions.

The kernel's headers_install runs `unifdef -U__KERNEL__`; this does the same without a process, and keeps offsets and lines.
Whether CONFIG_ symbols or architectures hold is not decided: both branches stay, and what is defined there says under what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from backport.csource.tokens import Directive, Lines, blank_comments, directives
from backport.drift.uapi.expression import Names, Number, Token, UnknownError, evaluate

_KEEP = bytes(b if b in b"\n\r" else 0x20 for b in range(256))
_IF = (b"if", b"ifdef", b"ifndef")
_GUARD = re.compile(rb"^!defined\(\w*_H_*\)$")
_DEEP = 200
# What a program in C has or has not, anywhere. Bit-fields are told for little endian; their sizes are the same for big.
_PROGRAM = {
    b"__ASSEMBLY__": 0, b"__ASSEMBLER__": 0, b"__cplusplus": 0, b"__LITTLE_ENDIAN_BITFIELD": 1, b"__BIG_ENDIAN_BITFIELD": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """What is left of a file: same length, same lines. `directives` are those of the parts that are left, no conditionals."""

    text: bytes
    code: bytes
    directives: tuple[Directive, ...]
    conditions: tuple[tuple[int, bytes], ...]
    lines: Lines
    balanced: bool

    def condition(self, offset: int) -> bytes:
        """Under what a place stands (`CONFIG_X && !(Y)`), empty for unconditional."""
        found = b""
        for start, text in self.conditions:
            if start > offset:
                break
            found = text
        return found


class _Truths(Names):
    """Knows of `defined(X)` only whether the kernel itself, an assembler or C++ is reading, and the order of bit-fields."""

    def __init__(self, kernel: bool) -> None:
        self._known = {b"__KERNEL__": int(kernel), **_PROGRAM}

    def name(self, name: bytes, depth: int) -> Number:
        if name in self._known:
            return Number(self._known[name])
        raise UnknownError(name)

    def call(self, name: bytes, arguments: Sequence[Sequence[Token]], depth: int) -> Number:
        if name == b"defined" and len(arguments) == 1 and len(arguments[0]) == 1 and arguments[0][0].text in self._known:
            return Number(self._known[arguments[0][0].text])
        raise UnknownError(name)

    def truth(self, condition: bytes) -> bool | None:
        """Whether it holds; None where that is not known."""
        if not condition[:1].isdigit() and not any(name in condition for name in self._known):
            return None
        try:
            return bool(evaluate(condition, self).value)
        except UnknownError:
            return None


@dataclass(slots=True)
class _Branch:
    """An open #if: the condition of this branch, those before it, whether one of them surely held, whether this one is out."""

    own: bytes
    before: tuple[bytes, ...]
    taken: bool
    out: bool
    told: bytes


@lru_cache(maxsize=64)  # a header of a series is looked at by several checks, and by each patch that leaves it alone
def view(text: bytes, *, kernel: bool = False) -> View:
    """The parts of a file that a program sees (`kernel`: those that the kernel sees). Never raises."""
    plain = blank_comments(text)
    truths = _Truths(kernel)
    code = bytearray(plain)
    stack: list[_Branch] = []
    kept: list[Directive] = []
    conditions: list[tuple[int, bytes]] = []
    since, balanced = 0, True
    for found in directives(plain):
        dropped = any(branch.out for branch in stack)
        if found.word not in (*_IF, b"else", b"elif", b"endif"):
            if not dropped:
                kept.append(found)
            continue
        if dropped:
            _wipe(code, since, found.offset)
        since = found.end
        _wipe(code, found.offset, found.end)
        balanced = _step(stack, found, truths) and balanced
        told = b" && ".join(branch.told for branch in stack if branch.told)
        conditions.append((found.offset, told))
    if any(branch.out for branch in stack):
        _wipe(code, since, len(code))
    clean = bytearray(code)
    for found in kept:
        _wipe(clean, found.offset, found.end)
    return View(bytes(code), bytes(clean), tuple(kept), tuple(conditions), Lines(text), balanced and not stack)


def _step(stack: list[_Branch], found: Directive, truths: _Truths) -> bool:
    """Take one conditional directive; false where it has no place (an #else without #if)."""
    if found.word in _IF:
        condition = _condition(found)
        truth = truths.truth(condition)
        stack.append(_Branch(condition, (), bool(truth), truth is False, _told(condition, truth)))
        return len(stack) < _DEEP
    if not stack:
        return False
    if found.word == b"endif":
        stack.pop()
        return True
    last = stack.pop()
    before = (*last.before, last.own)
    condition = _condition(found) if found.word == b"elif" else b""
    truth = truths.truth(condition) if condition else None
    unless = b" && ".join(_negated(each) for each in before if truths.truth(each) is None)
    own = _told(condition, truth) if condition else b""
    told = b" && ".join(part for part in (unless, own) if part)
    stack.append(_Branch(condition, before, last.taken or bool(truth), last.taken or truth is False, told))
    return True


def _condition(found: Directive) -> bytes:
    words = b" ".join(found.rest.replace(b"\\\n", b" ").replace(b"\\\r\n", b" ").split())
    if found.word == b"ifdef":
        return b"defined(" + words.split(b" ")[0] + b")"
    if found.word == b"ifndef":
        return b"!defined(" + words.split(b" ")[0] + b")"
    return words


def _told(condition: bytes, truth: bool | None) -> bytes:
    """A condition for people; nothing for one that is decided or that is only a guard against being included twice."""
    return b"" if truth is not None or _GUARD.match(condition) else condition


def _negated(condition: bytes) -> bytes:
    if re.fullmatch(rb"!\w+(\(\w+\))?", condition):
        return condition[1:]
    return b"!" + condition if re.fullmatch(rb"\w+(\(\w+\))?", condition) else b"!(" + condition + b")"


def _wipe(code: bytearray, start: int, end: int) -> None:
    code[start:end] = code[start:end].translate(_KEEP)

"""Works out integer expressions of C as a preprocessor or an enum has them, or says that it cannot. Never raises anything else.

Everything is bounded: depth, number of steps, size of numbers and of shifts. What is not known is `UnknownError`, never a guess.
Signedness is followed only as far as `~0U` needs it: `1 << 31` is 2147483648 here, where C has the bit pattern of an int.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"\s*(?:(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)(?![\w.])|([A-Za-z_$][\w$]*)|'((?:\\.|[^'\\]){1,4})'"
    rb"|(<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()?:,<>\[\]])|(\S))"
)
_LITERAL = re.compile(rb"\s*(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)\s*")
_LEVELS: tuple[tuple[bytes, ...], ...] = (
    (b"||",), (b"&&",), (b"|",), (b"^",), (b"&",), (b"==", b"!="), (b"<", b">", b"<=", b">="), (b"<<", b">>"), (b"+", b"-"),
    (b"*", b"/", b"%")
)  # fmt: skip
_RANK = {mark: rank for rank, marks in enumerate(_LEVELS) for mark in marks}
_ACT: dict[bytes, Callable[[int, int], int]] = {
    b"|": operator.or_, b"^": operator.xor, b"&": operator.and_, b"==": operator.eq, b"!=": operator.ne, b"<": operator.lt,
    b">": operator.gt, b"<=": operator.le, b">=": operator.ge, b"+": operator.add, b"-": operator.sub, b"*": operator.mul,
}  # fmt: skip
_ESCAPES = {b"n": 10, b"t": 9, b"r": 13, b"0": 0, b"a": 7, b"b": 8, b"f": 12, b"v": 11, b"\\": 92, b"'": 39, b'"': 34}
_DEEPEST, _STEPS, _LARGEST, _WIDEST = 60, 4000, 1 << 80, 80


class UnknownError(Exception):
    """The expression holds what is not known here, or is none."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value and, where it is unsigned, its width in bits (0 for a signed one)."""

    value: int
    unsigned: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: kind is "number", "name" or "mark"."""

    kind: str
    text: bytes
    number: Number = Number(0)


class Names:
    """What an expression may mention. This one knows nothing; a header's own names come from `values`."""

    def name(self, name: bytes, depth: int) -> Number:
        """The value of an identifier that stands alone."""
        raise UnknownError(name)

    def call(self, name: bytes, arguments: Sequence[Sequence[Token]], depth: int) -> Number:
        """The value of `name(arguments)`, the arguments as they are written."""
        raise UnknownError(name)

    def is_type(self, tokens: Sequence[Token]) -> bool:
        """Whether what stands in parentheses is a type, so that they are a cast."""
        words = {token.text for token in tokens}
        return (
            bool(tokens)
            and tokens[0].text in _TYPE_WORDS
            and all(t.kind == "name" or t.text == b"*" for t in tokens)
            and bool(words)
        )


_TYPE_WORDS = frozenset(
    b"int unsigned signed long short char void const struct union enum float double __u8 __u16 __u32 __u64 "
    b"__s8 __s16 __s32 __s64 "
    b"u8 u16 u32 u64 s8 s16 s32 s64 __le16 __le32 __le64 __be16 __be32 __be64 size_t ssize_t off_t loff_t pid_t uid_t gid_t "
    b"uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t __force __user uintptr_t dma_addr_t "
    b"gfp_t umode_t mode_t".split()
)


def tokens(text: bytes) -> list[Token]:
    """The words and marks of an expression; UnknownError where something else is in it (a string, a dot, a brace)."""
    found: list[Token] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match[6] is not None or len(found) > _STEPS:
            raise UnknownError(text[:40])
        digits, suffix, name, quoted, mark, _ = match.groups()
        if digits is not None:
            found.append(Token("number", match.group().strip(), Number(_integer(digits), _width(suffix, _integer(digits)))))
        elif name is not None:
            found.append(Token("name", name))
        elif quoted is not None:
            found.append(Token("number", match.group().strip(), Number(_character(quoted))))
        else:
            found.append(Token("mark", mark))
        at = match.end()
    return found


def evaluate(text: bytes, names: Names, depth: int = 0) -> Number:
    """The value of an expression; UnknownError where it cannot be worked out."""
    literal = _LITERAL.fullmatch(text)
    if literal is not None:  # as nine of ten constants are
        return Number(_integer(literal[1]), _width(literal[2], _integer(literal[1])))
    return evaluate_tokens(tokens(text), names, depth)


def evaluate_tokens(given: Sequence[Token], names: Names, depth: int = 0) -> Number:
    """The same for one that is already in pieces."""
    if depth > _DEEPEST or not given:
        raise UnknownError("too deep or empty")
    parser = _Parser(given, names, depth)
    found = parser.ternary(depth)
    if parser.at != len(given):
        raise UnknownError(given[parser.at].text)
    return found


class _Parser:
    """Recursive descent over one expression. The value of a part may be unknown where the other side decides: `0 && X`."""

    def __init__(self, given: Sequence[Token], names: Names, depth: int) -> None:
        self._given = given
        self._names = names
        self._depth = depth
        self.at = 0

    def ternary(self, level: int) -> Number:
        """A whole expression, up to where it ends."""
        if level > _DEEPEST:
            raise UnknownError("nested too deep")
        condition = self._known(lambda: self._binary(0, level))
        if not self._take(b"?"):
            return _sure(condition)
        then = self._known(lambda: self.ternary(level + 1))
        if not self._take(b":"):
            raise UnknownError("no colon")
        other = self._known(lambda: self.ternary(level + 1))
        return _sure(then if _sure(condition).value else other)

    def _binary(self, lowest: int, level: int) -> Number:
        """Operands joined by operators that bind at least as tightly as `lowest`."""
        left = self._known(lambda: self._unary(level))
        while self.at < len(self._given) and self._given[self.at].kind == "mark":
            mark, start = self._given[self.at].text, self.at
            rank = _RANK.get(mark, -1)
            if rank < lowest:
                break
            self.at += 1
            right = self._known(lambda rank=rank: self._binary(rank + 1, level))  # type: ignore[misc]
            try:
                left = _combine(mark, left, right)
            except UnknownError:
                left = None
                self._skip_part(start)
        return _sure(left)

    def _known(self, part: Callable[[], Number]) -> Number | None:
        """A part's value, None where it is not known. The place behind it is found either way."""
        start = self.at
        try:
            return part()
        except UnknownError:
            if self.at == start or not self._skip_part(start):
                raise
            return None

    def _skip_part(self, start: int) -> bool:
        """After an unknown part: go on behind what begins at `start`, at the next mark that does not care for its value."""
        depth, self.at = 0, start
        while self.at < len(self._given):
            text = self._given[self.at].text if self._given[self.at].kind == "mark" else b""
            if depth == 0 and text in (b"&&", b"||", b"?", b":", b")", b","):
                break
            depth += (text in (b"(", b"[")) - (text in (b")", b"]"))
            self.at += 1
        return self.at > start

    def _unary(self, level: int) -> Number:
        if level > _DEEPEST:
            raise UnknownError("nested too deep")
        for mark in (b"!", b"~", b"-", b"+"):
            if self._take(mark):
                inner = self._unary(level + 1)
                value = {b"!": int(not inner.value), b"~": ~inner.value, b"-": -inner.value, b"+": inner.value}[mark]
                return _fitted(value, 0 if mark == b"!" else inner.unsigned)
        if self.at >= len(self._given):
            raise UnknownError("ends early")
        token = self._given[self.at]
        self.at += 1
        if token.kind == "number":
            return token.number
        if token.kind == "name":
            return self._name(token)
        if token.text != b"(":
            raise UnknownError(token.text)
        return self._parenthesis(level)

    def _name(self, token: Token) -> Number:
        if self.at < len(self._given) and self._given[self.at].text == b"(":
            return self._names.call(token.text, self._arguments(), self._depth + 1)
        if token.text == b"defined" and self.at < len(self._given):
            self.at += 1
            return self._names.call(b"defined", [[self._given[self.at - 1]]], self._depth + 1)
        return self._names.name(token.text, self._depth + 1)

    def _parenthesis(self, level: int) -> Number:
        end = self._closing()
        inner = self._given[self.at : end]
        if self._names.is_type(inner):
            self.at = end + 1
            return self._unary(level + 1)
        found = self.ternary(level + 1)
        if not self._take(b")"):
            raise UnknownError("no closing parenthesis")
        return found

    def _closing(self) -> int:
        depth = 1
        for place in range(self.at, len(self._given)):
            text = self._given[place].text if self._given[place].kind == "mark" else b""
            depth += (text == b"(") - (text == b")")
            if depth == 0:
                return place
        raise UnknownError("no closing parenthesis")

    def _arguments(self) -> list[list[Token]]:
        self.at += 1
        end = self._closing()
        found = list(split(self._given[self.at : end]))
        self.at = end + 1
        return found

    def _take(self, mark: bytes) -> bool:
        if self.at < len(self._given) and self._given[self.at].kind == "mark" and self._given[self.at].text == mark:
            self.at += 1
            return True
        return False


def split(given: Sequence[Token]) -> Iterator[list[Token]]:
    """The arguments of a call: cut at the commas that are not inside parentheses."""
    depth = 0
    piece: list[Token] = []
    for token in given:
        text = token.text if token.kind == "mark" else b""
        if text == b"," and depth == 0:
            yield piece
            piece = []
            continue
        depth += (text == b"(") - (text == b")")
        piece.append(token)
    yield piece


def _combine(mark: bytes, left: Number | None, right: Number | None) -> Number | None:
    """Both sides put together. `&&` and `||` need only the side that decides; the rest is unknown with either of them."""
    if mark in (b"&&", b"||"):
        decides = mark == b"||"
        sides = [None if side is None else bool(side.value) for side in (left, right)]
        if decides in sides:
            return Number(int(decides))
        return None if None in sides else Number(int(not decides))
    if left is None or right is None:
        raise UnknownError(mark)
    width = max(left.unsigned, right.unsigned)
    if mark in (b"<<", b">>"):
        if not 0 <= right.value <= _WIDEST:
            raise UnknownError("a shift by more than any type has bits")
        return _fitted(left.value << right.value if mark == b"<<" else left.value >> right.value, left.unsigned)
    if mark in (b"/", b"%"):
        if right.value == 0:
            raise UnknownError("division by zero")
        quotient = (
            abs(left.value) // abs(right.value) * (1 if (left.value < 0) == (right.value < 0) else -1)
        )  # towards zero, as C
        return _fitted(quotient if mark == b"/" else left.value - right.value * quotient, width)
    return _fitted(int(_ACT[mark](left.value, right.value)), width)


def _fitted(value: int, unsigned: int) -> Number:
    if unsigned:
        value &= (1 << unsigned) - 1
    if abs(value) > _LARGEST:
        raise UnknownError("too large")
    return Number(value, unsigned)


def _sure(number: Number | None) -> Number:
    if number is None:
        raise UnknownError("not known")
    return number


def _integer(digits: bytes) -> int:
    if len(digits) > 40:
        raise UnknownError("too large")
    try:
        if digits[:2] in (b"0x", b"0X"):
            return int(digits, 16)
        if digits[:2] in (b"0b", b"0B"):
            return int(digits, 2)
        return int(digits, 8) if digits.startswith(b"0") else int(digits)
    except ValueError as error:
        raise UnknownError(digits) from error


def _width(suffix: bytes, value: int) -> int:
    """Bits of an unsigned literal: `U` 32, `UL` and `ULL` 64 (LP64); one that does not fit is as wide as it must be."""
    if not suffix.lower().count(b"u"):
        return 0
    return 64 if b"l" in suffix.lower() or value >> 32 else 32


def _character(quoted: bytes) -> int:
    if not quoted.startswith(b"\\"):
        value = 0
        for byte in quoted:
            value = value << 8 | byte
        return value
    if quoted[1:2] in b"01234567" and quoted[1:].isdigit():
        return int(quoted[1:], 8) & 0xFF if set(quoted[1:]) <= set(b"01234567") else 0
    if quoted[1:2] not in _ESCAPES or len(quoted) > 2:
        raise UnknownError(quoted)
    return _ESCAPES[quoted[1:2]]

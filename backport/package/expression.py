"""Evaluates what stands behind `%if`, after expansion, as rpm does (rpmio/expression.c): numbers, strings, operators.

As there, `&&` and `||` bind equally, from left to right, and a number is never compared with a text. A bare word counts as a
text, as it did until rpm 4.16: the specs of its time are full of them.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r'\s*(?:(\d+)|"([^"]*)"|(&&|\|\||==|!=|<=|>=|[-+*/()!<>])|([A-Za-z_][\w.]*))')
_BINARY = (("||", "&&"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
_DEEPEST = 50

Value = int | str


def truth(text: str) -> bool:
    """Whether the expression holds. ValueError, saying why, where it is none that rpm would take."""
    return bool(value(text))


def value(text: str) -> Value:
    """The value of the expression; see `truth`."""
    parser = _Parser(_tokens(text))
    result = parser.binary(0)
    if parser.left:
        raise ValueError(f"{parser.left[0][1]!r} is left over")
    return result


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position, stripped = [], 0, text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ValueError(f"{stripped[position : position + 20]!r} is no part of an expression")
        kind = ("number", "string", "operator", "string")[(match.lastindex or 1) - 1]
        found.append((kind, match[match.lastindex or 1]))
        position = match.end()
    return found


class _Parser:
    """Descends through the operators, loosest first."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens
        self._depth = 0

    def binary(self, level: int) -> Value:
        """The operators of one level, from left to right."""
        if level == len(_BINARY):
            return self._unary()
        result = self.binary(level + 1)
        while self.left and self.left[0][0] == "operator" and self.left[0][1] in _BINARY[level]:
            operator = self.left.pop(0)[1]
            result = _apply(operator, result, self.binary(level + 1))
        return result

    def _unary(self) -> Value:
        if not self.left:
            raise ValueError("it ends too early")
        kind, text = self.left.pop(0)
        if kind == "number":
            return int(text)
        if kind == "string":
            return text
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if text == "(":
            result = self.binary(0)
            if not self.left or self.left.pop(0)[1] != ")":
                raise ValueError("a bracket is not closed")
        elif text in "!-":
            operand = self._unary()
            result = int(not operand) if text == "!" else _apply("-", 0, operand)
        else:
            raise ValueError(f"{text!r} stands where a value should")
        self._depth -= 1
        return result


def _apply(operator: str, left: Value, right: Value) -> Value:
    if operator in ("||", "&&"):
        if type(left) is not type(right):
            raise ValueError(f"{left!r} {operator} {right!r} mixes a number and a text")
        return (left or right) if operator == "||" else (right if left else left)
    if isinstance(left, int) and isinstance(right, int):
        return _numbers(operator, left, right)
    if isinstance(left, str) and isinstance(right, str) and operator not in "-*/":
        return left + right if operator == "+" else _compared(operator, (left > right) - (left < right))
    raise ValueError(f"{left!r} {operator} {right!r} mixes a number and a text")


def _numbers(operator: str, left: int, right: int) -> int:
    if operator == "/":
        if not right:
            raise ValueError("it divides by zero")
        return int(left / right)
    if operator in "+-*":
        return left + right if operator == "+" else left - right if operator == "-" else left * right
    return _compared(operator, (left > right) - (left < right))


def _compared(operator: str, order: int) -> int:
    return int({"==": order == 0, "!=": order != 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator])

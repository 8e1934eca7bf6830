"""The config fragment: the Kconfig symbols that a series asks for, in the form of a .config file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.model.definition import ConfigValue
from backport.model.errors import InputError

_SYMBOL = re.compile(r"[A-Za-z0-9_]{1,128}")
_VALUE = re.compile(r'[ymn]|-?[0-9]{1,20}|0[xX][0-9A-Fa-f]{1,16}|"(?:[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|\\["\\])*"')


def fragment(values: Sequence[ConfigValue]) -> bytes:
    """The fragment, one line a symbol in the order given; equal values give equal bytes.

    `n` is written as Kconfig writes it, `# CONFIG_X is not set`: a line `CONFIG_X=n` is dropped by oldconfig without a word.
    """
    seen: dict[str, str] = {}
    for value in values:
        _check(value)
        if seen.setdefault(value.symbol, value.value) != value.value:
            raise InputError(
                f"CONFIG_{value.symbol} is asked to be both {seen[value.symbol]} and {value.value}", then="keep one of the two"
            )
    return "".join(_line(symbol, value) for symbol, value in seen.items()).encode()


def _line(symbol: str, value: str) -> str:
    return f"# CONFIG_{symbol} is not set\n" if value == "n" else f"CONFIG_{symbol}={value}\n"


def _check(value: ConfigValue) -> None:
    if value.symbol.startswith("CONFIG_"):
        raise InputError(f"{value.symbol!r} has a prefix too many", then=f"write {value.symbol.removeprefix('CONFIG_')}")
    if not _SYMBOL.fullmatch(value.symbol):
        raise InputError(f"{value.symbol!r} cannot be a Kconfig symbol", then="use letters, digits and `_`, without CONFIG_")
    if not _VALUE.fullmatch(value.value):
        raise InputError(
            f"CONFIG_{value.symbol} cannot be {value.value!r}",
            then="give y, m, n, a number, 0x and hex digits, or a quoted string",
        )

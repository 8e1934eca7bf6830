"""Model classes to JSON values and back, field by field, so that no field can be forgotten.

The rules: a data class is an object with all its fields, in the order of the class; a tuple is a list; an enumeration its
word; `None` is null. **Bytes** (paths, lines of code) are a string when they are valid UTF-8, else `{"base64": "..."}`: the
first is what people and `jq` want, the second loses nothing. A tree entry's mode is the octal string that git shows.
"""

from __future__ import annotations

import base64
import binascii
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from backport.model.series import Entry

WORDS = {str: "text", int: "a whole number", list: "a list", dict: "an object", bool: "true or false", type(None): "null"}


class MismatchError(ValueError):
    """A JSON value is not what the model has at `place`."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place} {what}")


def encode(value: object) -> Any:
    """The JSON value of a model value. Deterministic: the same value, the same JSON, in the same order."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return encode_bytes(value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Entry):
        return {"mode": f"{value.mode:06o}", "oid": value.oid}
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def encode_bytes(raw: bytes) -> str | dict[str, str]:
    """Text when it is valid UTF-8, else base64 in an object of one key."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode("ascii")}


def decode(kind: Any, value: Any, place: str) -> Any:
    """The model value of type `kind` that `encode` wrote as `value`. Anything else is a MismatchError that names the place."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        (kind,) = (part for part in get_args(kind) if part is not types.NoneType)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(decode(item, each, f"{place}[{i}]") for i, each in enumerate(expect(list, value, place)))
    if kind is bytes:
        return _decode_bytes(value, place)
    if kind is Entry:
        return _decode_entry(value, place)
    if is_dataclass(kind):
        return _decode_fields(kind, value, place)
    if issubclass(kind, Enum):
        return _decode_word(kind, value, place)
    return expect(kind, value, place)


def expect(kind: type, value: Any, place: str) -> Any:
    """The value itself where it has exactly that JSON type (true is no number), else a MismatchError."""
    if type(value) is not kind:
        raise MismatchError(place, f"is {WORDS.get(type(value), type(value).__name__)} where {WORDS[kind]} is expected")
    return value


def expect_keys(value: Any, keys: tuple[str, ...], place: str) -> dict[str, Any]:
    """An object with exactly these keys, else a MismatchError that names the first one that is missing or unknown."""
    found: dict[str, Any] = expect(dict, value, place)
    for key in keys:
        if key not in found:
            raise MismatchError(_inside(place, key), "is missing")
    for key in found:
        if key not in keys:
            raise MismatchError(_inside(place, key), "is not a key of this schema")
    return found


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _decode_fields(kind: Any, value: Any, place: str) -> Any:
    hints = _hints(kind)
    names = tuple(field.name for field in fields(kind))
    found = expect_keys(value, names, place)
    return kind(**{name: decode(hints[name], found[name], _inside(place, name)) for name in names})


def _decode_word(kind: type[Enum], value: Any, place: str) -> Enum:
    try:
        return kind(expect(str, value, place))
    except MismatchError:
        raise
    except ValueError:
        raise MismatchError(place, f"is {value!r}, none of {', '.join(str(word.value) for word in kind)}") from None


def _decode_bytes(value: Any, place: str) -> bytes:
    if isinstance(value, dict):
        text = expect(str, expect_keys(value, ("base64",), place)["base64"], f"{place}.base64")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise MismatchError(f"{place}.base64", "is not base64") from None
    try:
        return bytes(expect(str, value, place).encode("utf-8"))
    except UnicodeEncodeError:
        raise MismatchError(place, "holds half a surrogate pair, which no bytes decode to") from None


def _decode_entry(value: Any, place: str) -> Entry:
    found = expect_keys(value, ("mode", "oid"), place)
    mode = expect(str, found["mode"], f"{place}.mode")
    if not (len(mode) == 6 and set(mode) <= set("01234567")):
        raise MismatchError(f"{place}.mode", f"is {mode!r}, not six octal digits")
    return Entry(int(mode, 8), expect(str, found["oid"], f"{place}.oid"))

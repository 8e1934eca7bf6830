"""Reads TOML so that whatever is wrong with it can be told with file, line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backport.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Place:
    """Knows on which line each key stands, which tomllib reads and forgets: by table, its number, and key ("" for the header).

    A multi-line string that imitates a header or a key misleads it: the wrong line of the right file is then named.
    """

    source: Path
    lines: Mapping[tuple[str, int, str], int]

    @classmethod
    def of(cls, source: Path, text: str) -> Place:
        """Where everything is in a file."""
        lines: dict[tuple[str, int, str], int] = {}
        counts: dict[str, int] = {}
        table, number = "", 0
        for at, line in enumerate(text.split("\n"), 1):  # not splitlines, to which U+2028 in a comment is a line's end
            if header := re.fullmatch(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(#.*)?", line):
                table = header.group(1)
                number = counts[table] = counts.get(table, -1) + 1
                lines[table, number, ""] = at
            elif key := re.match(r"\s*\"?([\w-]+)\"?\s*[=.]", line):
                lines.setdefault((table, number, key.group(1)), at)
        return cls(source, lines)

    def line(self, table: str, number: int, key: str) -> int:
        """The 1-based line of a key, of its table where the key is missing, 1 where that is missing too."""
        inline = ("", 0, table)  # `upstream = { range = "..." }`
        return self.lines.get((table, number, key)) or self.lines.get((table, number, "")) or self.lines.get(inline) or 1

    def error(self, what: str, table: str = "", number: int = 0, key: str = "", *, then: str = "") -> InputError:
        """The error for a key, with file, line and key."""
        name = ".".join(part for part in (table, key) if part)
        return InputError(what, where=f"{self.source}:{self.line(table, number, key)}" + (f": {name}" if name else ""), then=then)


def read(path: Path) -> tuple[dict[str, Any], Place]:
    """What a file says and where it says it. InputError where it cannot be read, is not UTF-8, or is no TOML."""
    try:
        text = path.read_bytes().decode("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"it is not UTF-8 (byte {error.start})", where=str(path)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError; a number of 5000 digits; 5000 brackets
        at = re.search(r"at line (\d+), column (\d+)", str(error))
        where = f"{path}:{at[1]}:{at[2]}" if at else f"{path}:{text.rstrip().count(chr(10)) + 1}"
        raise InputError(f"broken TOML: {re.sub(r' *[(]at .*[)]', '', str(error)).lower()}", where=where) from error
    return data, Place.of(path, text)


def rows(place: Place, data: Mapping[str, Any], table: str) -> Sequence[Mapping[str, Any]]:
    """The rows of an array of tables, none where it is missing; InputError where it is something else."""
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise place.error(f"{table} must be written as [[{table}]]", table)
    return rows


def string(
    place: Place,
    row: Mapping[str, Any],
    table: str,
    number: int,
    key: str,
    valid: Callable[[str], object] = bool,
    rule: str = "it must not be empty",
) -> str:
    """The text under a key; InputError where it is missing, not text, not printable, or not `valid` (by `rule`, in words)."""
    value = row.get(key)
    if value is None:
        raise place.error(f"the key {key!r} is missing", table, number, key)
    if not isinstance(value, str) or not valid(value) or not all(c.isprintable() for c in value):
        raise place.error(f"{key} = {value!r} will not do: {rule}", table, number, key)
    return value

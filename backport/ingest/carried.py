"""Which patches of a series were in an earlier revision already: `carried.toml` beside its definition, written by `carry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from backport.ingest import toml_file
from backport.ingest.toml_file import Place, rows, string
from backport.model.carried import Carried

FILE = "carried.toml"
_KEYS = tuple(field.name for field in fields(Carried))


def load(path: Path) -> tuple[Carried, ...]:
    """What was carried over, nothing where there is no file. InputError names file, line and key for whatever is wrong."""
    if not path.exists():
        return ()
    data, place = toml_file.read(path)
    return tuple(_carried(place, row, number) for number, row in enumerate(rows(place, data, "carried")))


def _carried(place: Place, row: Mapping[str, Any], number: int) -> Carried:
    for key in sorted(set(row) - set(_KEYS)):
        raise place.error(f"unknown key {key!r}", "carried", number, key)
    return Carried(
        commit=string(place, row, "carried", number, "commit"),
        subject=string(place, row, "carried", number, "subject"),
        earlier=string(place, row, "carried", number, "earlier"),
        revision=string(place, row, "carried", number, "revision"),
        rule=string(place, row, "carried", number, "rule"),
        verdict=string(place, row, "carried", number, "verdict") if "verdict" in row else "",
        onto=string(place, row, "carried", number, "onto") if "onto" in row else "",
        resolutions=_count(place, row, number, "resolutions"),
        accepted=_count(place, row, number, "accepted"),
    )


def _count(place: Place, row: Mapping[str, Any], number: int, key: str) -> int:
    count = row.get(key, 0)
    if type(count) is not int or count < 0:
        raise place.error(f"{key} must be a count", "carried", number, key)
    return count


def dump(carried: Sequence[Carried]) -> bytes:
    """The bytes of a file that `load` reads back as the same."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("written by backport: which patches were in an earlier revision, and what came along with them"))
    tables = tomlkit.aot()
    for one in carried:
        values = {key: getattr(one, key) for key in _KEYS}
        tables.append(tomlkit.item({key: value for key, value in values.items() if value}))
    document["carried"] = tables
    return tomlkit.dumps(document).encode()

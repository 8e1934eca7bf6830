"""Findings that somebody looked at and accepts, with the reason: `accepted.toml` beside a series definition.

Each is an `[[accept]]` with the finding's kind, its symbol, a reason, and optionally the file (everywhere, if it is left out).
What was carried over from an earlier revision has a `carried` that says from which patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backport.ingest import toml_file
from backport.ingest.toml_file import rows, string
from backport.model.definition import Acceptance
from backport.model.errors import EnvironmentFailedError
from backport.model.finding import Finding
from backport.model.series import show_path

FILE = "accepted.toml"
_KEYS = {"kind", "symbol", "file", "reason", "carried"}


def load(path: Path) -> tuple[Acceptance, ...]:
    """The acceptances in a file, none where there is no file. InputError names file, line and key for whatever is wrong."""
    if not path.exists():
        return ()
    data, place = toml_file.read(path)
    for key in data:
        if key != "accept":
            raise place.error(f"unknown key {key!r}", key, then="write [[accept]] with kind, symbol, reason")
    found = []
    for number, row in enumerate(rows(place, data, "accept")):
        for key in set(row) - _KEYS:
            raise place.error(f"unknown key {key!r}", "accept", number, key, then=f"known keys: {', '.join(sorted(_KEYS))}")
        file = string(place, row, "accept", number, "file") if "file" in row else ""
        kind, symbol, reason = (string(place, row, "accept", number, key) for key in ("kind", "symbol", "reason"))
        over = string(place, row, "accept", number, "carried") if "carried" in row else ""
        found.append(Acceptance(kind, symbol, file, reason, over))
    return tuple(found)


def add(path: Path, acceptances: Sequence[Acceptance]) -> None:
    """Write acceptances at the end of a file, which is replaced in one step; those that are in it already are left out."""
    import tomlkit

    known = load(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
        tables = document.setdefault("accept", tomlkit.aot())
        for new in (each for each in acceptances if each not in known):
            table = tomlkit.table()
            values = {"kind": new.kind, "symbol": new.symbol, "file": new.file, "reason": new.reason, "carried": new.carried}
            table.update({key: value for key, value in values.items() if value})
            tables.append(table)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(path)) from error


def apply(findings: Sequence[Finding], acceptances: Sequence[Acceptance]) -> tuple[Finding, ...]:
    """The findings, each that an acceptance names (kind, symbol and, if it says one, file) with its reason."""
    return tuple(replace(found, accepted=_reason(found, acceptances)) for found in findings)


def _reason(found: Finding, acceptances: Sequence[Acceptance]) -> str:
    for accepted in acceptances:
        if (accepted.kind, accepted.symbol) == (found.kind, found.symbol) and accepted.file in ("", show_path(found.path)):
            return f"{accepted.reason} (carried over from {accepted.carried})" if accepted.carried else accepted.reason
    return found.accepted

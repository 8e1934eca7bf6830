"""Changes a series.toml that somebody keeps by hand: comments, order and spelling of everything else stay as they are."""

from __future__ import annotations

from pathlib import Path

from backport.ingest.definition import load
from backport.model.definition import Fold
from backport.model.errors import EnvironmentFailedError, InputError


def put(path: Path, data: bytes) -> None:
    """Write a definition whole or not at all: it must load as it is to be, and then takes the old one's place in one step."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            load(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except InputError as error:
        raise InputError(error.what, where=error.where.replace(str(temporary), str(path)), then=error.then) from error
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(path)) from error


def add_fold(path: Path, fold: Fold) -> None:
    """Add a [[fold]] at the end of the folds. InputError where the definition does not allow it."""
    import tomlkit

    document = tomlkit.parse(_text(path))
    folds = document.setdefault("fold", tomlkit.aot())
    table = tomlkit.table()
    table.update({"id": fold.commit, "subject": fold.subject, "into": fold.into})
    folds.append(table)
    text = tomlkit.dumps(document)
    at = text.rindex("[[fold]]")
    head = text[:at].rstrip("\n")  # one empty line before it, whatever the file ended with
    put(path, f"{head}\n\n{text[at:].rstrip()}\n".encode() if text[at:].count("[[") == 1 else text.encode())


def remove_fold(path: Path, commit: str) -> None:
    """Take the [[fold]] of a fix out again, by the beginning of its id. InputError where there is none."""
    import tomlkit

    document = tomlkit.parse(_text(path))
    folds = document.get("fold", [])
    kept = [i for i, row in enumerate(folds) if not str(row["id"]).startswith(commit[:12])]
    if len(kept) == len(folds):
        raise InputError(f"{commit[:12]} is not folded into anything", where=str(path))
    if not kept:
        del document["fold"]
    else:
        for number in reversed(range(len(folds))):
            if number not in kept:
                del folds[number]
    put(path, (tomlkit.dumps(document).rstrip("\n") + "\n").encode())


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error

"""Finds series definitions: the user's own first, then those that come with the tool."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from backport.ingest.definition import NAME, load
from backport.model.definition import Definition
from backport.model.errors import InputError

_PACKAGE = Path(__file__).resolve().parent.parent


def data_folder(name: str) -> Path:
    """`patches` or `specs` as they come with the tool: inside an installed wheel, beside the package in a checkout."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def places(extra: Path | None = None) -> list[Path]:
    """The folders that are searched, in order: `--patches` (or $BACKPORT_PATCHES), ./patches, the tool's own."""
    given = extra or (Path(os.environ["BACKPORT_PATCHES"]) if os.environ.get("BACKPORT_PATCHES") else None)
    found = [given] if given else []
    return [*found, Path("patches"), data_folder("patches")]


def find(name: str, folders: Iterable[Path]) -> Definition:
    """The definition called `name`, or the one in the file or folder that `name` is a path to."""
    searched = list(folders)
    as_path = Path(name)
    if as_path.suffix == ".toml" or (os.sep in name and as_path.is_dir()):
        return load(as_path if as_path.suffix == ".toml" else as_path / "series.toml")
    known = names(searched)
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        then = f"did you mean {close[0]}?" if close else f"defined here: {', '.join(sorted(known)) or 'none'}"
        raise InputError(f"there is no series {name!r}", where=" ".join(str(p) for p in searched), then=then)
    return load(known[name])


def names(folders: Iterable[Path]) -> dict[str, Path]:
    """Each series' name and its file; a name in an earlier folder hides one in a later."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/series.toml")):
            if NAME.fullmatch(path.parent.name):
                found.setdefault(path.parent.name, path)
    return found

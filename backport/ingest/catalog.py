"""Finds series definitions: the user's own first, then those that come with the tool."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from backport.ingest import accepted, resolutions
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
        return decided(load(as_path if as_path.suffix == ".toml" else as_path / "series.toml"), searched)
    known = names(searched)
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        then = f"did you mean {close[0]}?" if close else f"defined here: {', '.join(sorted(known)) or 'none'}"
        raise InputError(f"there is no series {name!r}", where=" ".join(str(p) for p in searched), then=then)
    return decided(load(known[name]), searched)


def decided(definition: Definition, folders: Iterable[Path]) -> Definition:
    """The definition with what was accepted and recorded about it in other folders: the tool's own cannot be written."""
    own = definition.source.parent.resolve()
    for place in dict.fromkeys((folder / definition.name).resolve() for folder in folders):
        if place != own:
            definition = replace(
                definition,
                accepted=(*definition.accepted, *accepted.load(place / accepted.FILE)),
                recordings=(*definition.recordings, *resolutions.load(place / resolutions.FOLDER)),
            )
    return definition


def writable(definition: Definition, folders: Sequence[Path]) -> Path:
    """The folder for what is decided about a series: beside its definition, or in the first folder for one of the tool's own."""
    if definition.source.resolve().is_relative_to(data_folder("patches").resolve()):
        return folders[0] / definition.name
    return definition.source.parent


def names(folders: Iterable[Path]) -> dict[str, Path]:
    """Each series' name and its file; a name in an earlier folder hides one in a later."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/series.toml")):
            if NAME.fullmatch(path.parent.name):
                found.setdefault(path.parent.name, path)
    return found

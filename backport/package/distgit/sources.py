"""The `sources` file of a dist-git folder: which files the look-aside cache holds, and their checksums."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from backport.model.errors import InputError

_OLD = re.compile(r"([0-9a-f]{32})\s+\*?(\S+)")
_NEW = re.compile(r"(MD5|SHA1|SHA256|SHA512)\s+\(([^)]+)\)\s+=\s+([0-9a-f]+)")
_BLOCK = 1 << 20


def read(folder: Path) -> dict[str, tuple[str, str]]:
    """Name of each file, with algorithm and hex digits of its checksum; empty where the folder has no `sources`.

    Both forms: `MD5  NAME` until 2016, `SHA512 (NAME) = DIGITS` since. InputError, with the line, for another.
    """
    path = folder / "sources"
    if not path.is_file():
        return {}
    found: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        if not line.strip():
            continue
        if old := _OLD.fullmatch(line.strip()):
            found[old[2]] = ("md5", old[1])
        elif new := _NEW.fullmatch(line.strip()):
            found[new[2]] = (new[1].lower(), new[3])
        else:
            raise InputError("this is no checksum and file name", where=f"{path}:{number}", then="see `man fedpkg`, sources")
    return found


def verify(path: Path, known: dict[str, tuple[str, str]]) -> bool:
    """Whether `sources` names the file; InputError where it does, and the file is another."""
    if path.name not in known:
        return False
    algorithm, digits = known[path.name]
    summed = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            summed.update(block)
    if summed.hexdigest() != digits:
        raise InputError(f"its {algorithm} is not the one in `sources`", where=str(path), then="download it again")
    return True

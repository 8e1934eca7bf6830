"""Who signs the changelog."""

from __future__ import annotations

import re

from backport.git.runner import user_identity
from backport.model.errors import InputError
from backport.package.plan import Packager

_PACKAGER = re.compile(r"\s*([^<>]+?)\s*<([^<>\s]+)>\s*")


def packager(text: str | None) -> Packager:
    """Who signs the changelog: `--packager`, else git's user, else this tool. InputError where it is not `Name <mail>`."""
    if text is None:
        name, mail = user_identity()
        return Packager(name, mail) if name and "@" in mail else Packager("backport", "backport@localhost")
    match = _PACKAGER.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a name and an address", where="--packager", then="write it as 'Name <mail@host>'")
    return Packager(match[1], match[2])

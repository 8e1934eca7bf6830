"""Files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from backport.model.errors import EnvironmentFailedError

_BLOCK = 1 << 20


@contextlib.contextmanager
def replacing(destination: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes `destination` when the block ends well; otherwise nothing is left of it.

    The bytes are written beside their place under another name, brought to disk, and renamed: a crash, a full disk or ^C
    never leaves half a file under the name that others read.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", dir=destination.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            temporary.replace(destination)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFailedError(
            f"the file cannot be written: {error.strerror or error}",
            where=str(destination),
            then="check the free space and the permissions",
        ) from error


def put(destination: Path, data: bytes) -> str:
    """Write the bytes to `destination`, complete or not at all; their sha256."""
    with replacing(destination) as stream:
        stream.write(data)
    return hashlib.sha256(data).hexdigest()


def sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()

"""A full disk, or a folder that cannot be written, as an error that says which."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backport.model.errors import EnvironmentFailedError


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Any OSError of the block as an EnvironmentFailedError that names `where`."""
    try:
        yield
    except OSError as error:
        barred = error.errno in (errno.EACCES, errno.EROFS, errno.EPERM)
        then = "give another cache: XDG_CACHE_HOME" if barred else "free some space"
        raise EnvironmentFailedError(f"cannot write: {error.strerror or error}", where=str(where), then=then) from error

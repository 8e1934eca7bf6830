"""A tree as files: a kept folder that is made to hold exactly one tree, with as few writes as possible.

Only files that differ are written, so that make(1), which goes by the time of a file, builds no more than it must. Nothing
of the clone takes part but its objects: the index is a file of its own, and hooks, filters and attributes are off.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import EnvironmentFailedError

_BATCH = 4000


def checkout(store: Store, tree: str, folder: Path) -> None:
    """Make `folder` hold the files of `tree`, and nothing that an earlier tree of ours left there.

    Two files beside it are ours: `.NAME.index`, and `.NAME.dirty` while it is written. A checkout that was killed leaves
    the second, and the next one starts afresh. EnvironmentFailedError where the disk is full or the folder cannot be written.
    """
    index, dirty = folder.with_name(f".{folder.name}.index"), folder.with_name(f".{folder.name}.dirty")
    try:
        if dirty.exists() or not index.exists():
            shutil.rmtree(folder, ignore_errors=True)
            for path in (index, index.with_name(index.name + ".lock")):
                path.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        dirty.touch()
        _bring(store, tree)
        store.git.run([f"--work-tree={folder}", "read-tree", "--reset", "-u", tree], index=index)
        dirty.unlink()
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write the source tree: {error.strerror}", where=str(folder)) from error


def _bring(store: Store, tree: str) -> None:
    """From a partial clone: fetch the contents that are not there yet, since git's own commands may not."""
    if not store.partial:
        return
    wanted = [entry.oid for _, entry in Trees(store).walk(tree) if entry.is_file]
    missing = sorted(set(wanted) - store.has(wanted))
    for start in range(0, len(missing), _BATCH):
        store.prefetch(missing[start : start + _BATCH])

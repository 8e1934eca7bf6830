"""Small kernel-like trees in a store, without git history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backport.git.store import EMPTY_TREE, Store
from backport.git.trees import Trees
from backport.model.series import Entry


def make_tree(store: Store, files: Mapping[str, bytes]) -> str:
    """The id of a tree with these files."""
    entries = {path.encode(): Entry(0o100644, store.write("blob", text)) for path, text in files.items()}
    return Trees(store).edit(EMPTY_TREE, entries)


def empty_store(folder: Path) -> Store:
    """A store that holds only what is written to it."""
    objects = folder / "objects-of-nobody"
    objects.mkdir(parents=True)
    return Store(folder / "run.git", [objects])

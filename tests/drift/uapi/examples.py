"""Trees of a few made-up files, and what programs see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backport.drift.uapi.items import Item, Surface
from backport.drift.uapi.surface import Reader
from backport.git.clone import open_clone
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.sources import Sources
from tests.gitrepo import Repo

LISTS = {b"include/Kbuild": b"header-y += linux/\n", b"include/linux/Kbuild": b"header-y += shown.h\nunifdef-y += mixed.h\n"}


@contextmanager
def opened(repo: Repo, scratch: Path) -> Iterator[tuple[Trees, Store]]:
    """The trees of a repository."""
    with Sources((open_clone(repo.path),)).store(scratch / "store") as store:
        yield Trees(store), store


def surface(repo: Repo, scratch: Path, files: Mapping[bytes, bytes], *, lists: bool = True) -> Surface:
    """What programs see of these files (with LISTS, unless told otherwise)."""
    tree = repo.tree({**(LISTS if lists else {}), **files})
    with opened(repo, scratch) as (trees, store):
        return Reader(trees, store).surface(tree)


def told(found: Surface) -> dict[str, str]:
    """Name to value; a name that two scopes have is told with its scope."""
    names = [item.name for item in found.items]
    return {(_long(item) if names.count(item.name) > 1 else item.name): item.value for item in found.items}


def _long(item: Item) -> str:
    return f"{item.name} in {item.scope}"

"""What a whole tree declares: the index of blobs, seen through the paths of one version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from backport.csource.index import Index
from backport.csource.outline import Declaration
from backport.git.history import History

_SOURCE = (b".c", b".h")
_SLICE = 4000  # blobs between two steps of the progress


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration of a name and the file that it stands in."""

    path: bytes
    declaration: Declaration


class Survey:
    """One tree. Its C files are read once into the index, whatever number of trees share them."""

    def __init__(self, tree: str, history: History, index: Index) -> None:
        self._index = index
        self._paths: dict[str, list[bytes]] = defaultdict(list)
        for path, entry in history.files(tree):
            if entry.is_file and path.endswith(_SOURCE):
                self._paths[entry.oid].append(path)

    @property
    def blobs(self) -> int:
        """How many different C files the tree has."""
        return len(self._paths)

    @property
    def steps(self) -> int:
        """How many steps `read` takes at most."""
        return -(-len(self._paths) // _SLICE)

    def read(self, step: Callable[[str], None] = lambda _: None) -> None:
        """Have every C file of the tree in the index; `step` is called now and then with how far it got."""
        oids = sorted(self._paths, key=lambda oid: self._paths[oid][0])
        self._index.ensure(oids, lambda left: step(f"{len(oids) - left} of {len(oids)} files"))

    def declared(self, name: bytes) -> list[Declared]:
        """Where this tree declares a name, definitions first, then by path. Only what was read counts: see `read`."""
        found = [
            Declared(path, declaration) for oid, declaration in self._index.everywhere(name) for path in self._paths.get(oid, ())
        ]
        return sorted(found, key=lambda d: (d.declaration.kind in ("prototype", "extern", "made"), d.path, d.declaration.line))

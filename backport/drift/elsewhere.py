"""Where the rest of a tree mentions or declares a name: the question asked before it is called absent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from backport.csource.closure import architecture
from backport.csource.index import Index
from backport.drift.side import Place
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.git.trees import Trees

_MOST = 300  # names in one search: git's alternation stays fast, and more than that is no drift but another kernel


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`mentioned`: per name the headers whose text has the word; `declared`: those of them that the outline says declare it."""

    mentioned: dict[bytes, frozenset[bytes]]
    declared: dict[bytes, tuple[Place, ...]]


class HeaderSearch:
    """Asks `git grep` once for many names and remembers the answers by tree id, which never changes."""

    def __init__(self, tree: str, trees: Trees, store: Store, index: Index) -> None:
        self._tree = tree
        self._trees = trees
        self._store = store
        self._index = index

    def look(self, names: Collection[bytes]) -> Elsewhere | None:
        """Which headers of the tree know the names. None where the tree cannot be searched: a partial clone lacks blobs."""
        mentioned = {name: self._recalled(name) for name in names}
        asked = sorted(name for name, found in mentioned.items() if found is None)
        for start in range(0, len(asked), _MOST):
            part = asked[start : start + _MOST]
            found = self._search(part)
            if found is None:
                return None
            self._index.remember("mentions", ((self._key(name), b"\0".join(sorted(paths))) for name, paths in found.items()))
            mentioned.update(found)
        known = {name: paths or frozenset() for name, paths in mentioned.items()}
        return Elsewhere(known, self._declared(known))

    def _recalled(self, name: bytes) -> frozenset[bytes] | None:
        kept = self._index.recall("mentions", self._key(name))
        return None if kept is None else frozenset(filter(None, kept.split(b"\0")))

    def _key(self, name: bytes) -> bytes:
        return bytes.fromhex(self._tree) + name

    def _search(self, names: Collection[bytes]) -> dict[bytes, frozenset[bytes]] | None:
        pattern = "|".join(name.decode("ascii") for name in names)
        command = ["--no-literal-pathspecs", "grep", "-z", "-o", "-w", "-I", "-E", f"({pattern})", self._tree, "--", "*.h"]
        try:
            out = self._store.git.run(command, ok=(0, 1))
        except GitFailedError:
            return None
        found: dict[bytes, set[bytes]] = {name: set() for name in names}
        for row in out.split(b"\n"):
            path, separator, name = row.partition(b"\0")
            if separator and name in found:
                found[name].add(path.partition(b":")[2])
        return {name: frozenset(paths) for name, paths in found.items()}

    def _declared(self, mentioned: dict[bytes, frozenset[bytes]]) -> dict[bytes, tuple[Place, ...]]:
        paths = sorted({path for found in mentioned.values() for path in found})  # of two with one content, always the same
        entries = {path: self._trees.entry(self._tree, path) for path in paths}
        oids = {entry.oid: path for path, entry in entries.items() if entry is not None}
        found = self._index.declared(mentioned, oids)
        return {
            name: tuple(sorted((Place(oids[oid], d) for oid, d in places), key=lambda p: (p.path, p.declaration.line)))
            for name, places in found.items()
        }


def of_all_architectures(places: Iterable[Place]) -> list[Place]:
    """Those places that are not one architecture's own."""
    return [place for place in places if not architecture(place.path)]

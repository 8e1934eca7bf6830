"""Which files a C file sees: its include closure in a tree, by the kernel's own search rules and without a build.

All branches of `#if` are followed, and where a header exists once an architecture, the one that is asked for is taken. So
the closure is what the file can see under some configuration. Generated headers are not in a tree: they are counted.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.index import Index
from backport.csource.outline import Include
from backport.git.trees import Trees
from backport.model.series import TREE, Entry

_FLAG = re.compile(rb"-I[ \t]*([^\s\\,)]+\)?[^\s\\,)]*)")
_VARIABLE = re.compile(rb"\$[({](?:srctree|src|obj|objtree|TOPDIR|PWD|KBUILD_SRC|srctree\)/\$\(src)[)}]/?")
DEFAULT_ARCH = b"x86"
_NOTHING: Mapping[bytes, Entry] = {}


@dataclass(frozen=True, slots=True)
class Closure:
    """The files that one file sees, itself left out, with their blob ids; and the includes that lead nowhere in the tree."""

    files: dict[bytes, str]
    missing: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class _Edges:
    """Where the includes of one file lead, and those that lead nowhere."""

    there: tuple[bytes, ...]
    absent: tuple[bytes, ...]
    names: frozenset[bytes]  # of the included files, without their folders


class Includes:
    """The include graph of one tree, read as far as it is asked for. What a series `brought` is seen too, path to blob id.

    To read one from nothing takes 40 ms, for most of what a source file sees is the same thousand headers. What another tree's
    graph knows holds here too where the trees do not differ: see `onto`.
    """

    def __init__(self, trees: Trees, tree: str, index: Index, brought: Mapping[bytes, str] | None = None) -> None:
        self._trees = trees
        self._tree = tree
        self._index = index
        self._brought = dict(brought or {})
        self._searched: dict[tuple[bytes, bool, bytes, _Search], bytes | None] = {}
        self._searches: dict[bytes, _Search] = {}  # by folder
        self._equal: dict[tuple[bytes, tuple[bytes, ...]], _Search] = {}
        self._looked: dict[bytes, set[bytes]] = {}  # the folders that any answer leans on, by the one above
        self._oids = dict(self._brought)  # of the files that were found
        self._listings: dict[bytes, Mapping[bytes, Entry]] = {}  # of the folders that were looked into
        self._edges: dict[tuple[bytes, _Search], _Edges] = {}

    def onto(self, tree: str, brought: Mapping[bytes, str] | None = None) -> Includes:
        """The graph of another tree, or of the same one with other files brought, with all of this one that holds there.

        An include leads where it led as long as no file of its name came or went in any folder that was looked into: a name, not
        a path, for which folder would be next is not remembered. A file has the same edges as long as it is the same blob and
        none of its includes is such a name. Makefiles, with their -I, are read again: equal flags give the same search, which is
        the key of all this.
        """
        graph = Includes(self._trees, tree, self._index, brought)
        graph._equal, graph._looked = self._equal, self._looked  # what any of them looked into, all of them compare
        other, came = self._differing(b"", Entry(TREE, self._tree), Entry(TREE, tree))
        for path in self._brought.items() ^ graph._brought.items():
            other.setdefault(path[0], "")
            came.add(_base(path[0]))
        graph._searched = {key: found for key, found in self._searched.items() if not came or _base(_normal(key[0])) not in came}
        graph._edges = {
            key: edges for key, edges in self._edges.items() if key[0] not in other and (not came or edges.names.isdisjoint(came))
        }
        kept = {path: other.get(path, oid) for path, oid in self._oids.items() if not came or _base(path) not in came}
        graph._oids = {path: oid for path, oid in kept.items() if oid} | graph._brought
        return graph

    def _differing(self, folder: bytes, was: Entry | None, now: Entry | None) -> tuple[dict[bytes, str], set[bytes]]:
        """Of the folders that were looked into: the files that both sides have and that differ, with their blob ids now, and the
        names of those that only one side has.
        """
        other: dict[bytes, str] = {}
        came: set[bytes] = set()
        before, after = (self._trees.listing(e.oid) if e is not None and e.mode == TREE else _NOTHING for e in (was, now))
        if before is after:
            return other, came
        for name in before.keys() | after.keys():
            old, new = before.get(name), after.get(name)
            if old is new or old == new:
                continue
            here, there = (entry is not None and entry.is_file for entry in (old, new))
            if here and there and new is not None:
                other[folder + b"/" + name if folder else name] = new.oid
            elif here or there:
                came.add(name)
        for name in self._looked.get(folder, ()):
            old, new = before.get(name), after.get(name)
            if old != new:
                more, names = self._differing(folder + b"/" + name if folder else name, old, new)
                other.update(more)
                came |= names
        return other, came

    def likeness(self, tree: str) -> int:
        """How much another tree is like this one, for choosing the graph to start from: equal entries of include/linux."""
        one, two = (self._trees.entry(each, b"include/linux") for each in (self._tree, tree))
        if one is None or two is None or one.mode != TREE or two.mode != TREE:
            return 0
        there = self._trees.listing(two.oid)
        return sum(there.get(name) is entry for name, entry in self._trees.listing(one.oid).items())

    def closure(
        self,
        path: bytes,
        includes: Sequence[Include],
        more: Mapping[bytes, Sequence[Include]] | None = None,
        beyond: Collection[bytes] = (),
    ) -> Closure:
        """What a file at `path` with these #include lines sees. One round of reading for each level of headers.

        `more` gives further #include lines of some files, which the tree does not have (yet). Files in `beyond` are
        seen, but what they include is not.
        """
        search = self._search(path)
        files: dict[bytes, str] = {}
        first = self._targets(path, includes, search)
        found, missing = list(first.there), set(first.absent)
        while found:
            fresh = [name for name in dict.fromkeys(found) if name not in files and name != path]
            files.update((name, self._oids[name]) for name in fresh)
            self._ensure(fresh, search)
            found = []
            for name in fresh:
                if name in beyond:
                    continue
                edges = self._edges_of(name, search)
                found += edges.there
                missing.update(edges.absent)
                if more and name in more:
                    found += self._targets(name, more[name], search).there
        return Closure(files, frozenset(missing))

    def preload(self, files: Mapping[bytes, Sequence[Include]]) -> None:
        """Read what the closures of many files need, one round for each level of headers of all of them together."""
        asked = [(path, found, self._search(path)) for path, found in files.items()]
        level = {(path, search): self._targets(path, found, search).there for path, found, search in asked}
        seen: set[tuple[bytes, _Search]] = set()
        while level:
            fresh = {(name, search) for (_, search), found in level.items() for name in found} - seen
            seen |= fresh
            self._index.ensure(sorted({self._oids[key[0]] for key in fresh if key not in self._edges}))
            level = {(name, search): self._edges_of(name, search).there for name, search in fresh}

    def _ensure(self, paths: Iterable[bytes], search: _Search) -> None:
        """Have those blobs in the index whose includes are to be read: of files whose edges are known, they are not."""
        unread = [self._oids[path] for path in paths if (path, search) not in self._edges]
        if unread:
            self._index.ensure(unread)

    def _edges_of(self, path: bytes, search: _Search) -> _Edges:
        edges = self._edges.get((path, search))
        if edges is None:
            edges = self._edges[path, search] = self._targets(path, self._index.includes(self._oids[path]), search)
        return edges

    def _targets(self, path: bytes, includes: Iterable[Include], search: _Search) -> _Edges:
        there, absent, names = [], [], []
        for include in includes:
            names.append(_base(_normal(include.path)))
            target = None if include.computed else self._find(include, path, search)
            if target is None:
                absent.append(include.path)
            else:
                there.append(target)
        return _Edges(tuple(there), tuple(absent), frozenset(names))

    def resolve(self, path: bytes, include: Include) -> bytes | None:
        """The file that an #include in `path` means, None where the tree has none (or it is computed)."""
        return None if include.computed else self._find(include, path, self._search(path))

    def _find(self, include: Include, origin: bytes, search: _Search) -> bytes | None:
        folder = b"" if include.system else posixpath.dirname(origin)
        key = (include.path, include.system, folder, search)
        if key not in self._searched:
            self._searched[key] = next((c for c in search.candidates(include, folder) if self._exists(c)), None)
        return self._searched[key]

    def _exists(self, path: bytes) -> bool:
        if path in self._oids:
            return True
        folder, _, name = path.rpartition(b"/")
        entry = self._listing(folder).get(name)
        if entry is None or not entry.is_file:
            return False
        self._oids[path] = entry.oid
        return True

    def _listing(self, folder: bytes) -> Mapping[bytes, Entry]:
        """The entries of a folder, none where there is no folder."""
        if folder not in self._listings:
            above, _, name = folder.rpartition(b"/")
            if folder:
                self._looked.setdefault(above, set()).add(name)
            entry = self._listing(above).get(name) if folder else Entry(TREE, self._tree)
            there = entry is not None and entry.mode == TREE
            self._listings[folder] = self._trees.listing(entry.oid) if entry is not None and there else _NOTHING
        return self._listings[folder]

    def _search(self, path: bytes) -> _Search:
        folder = posixpath.dirname(path)
        if folder not in self._searches:
            arch = architecture(path) or DEFAULT_ARCH
            if self._folders(b"arch/" + arch) == () and arch == DEFAULT_ARCH and self._folders(b"arch/i386"):
                arch = b"i386"  # before 2.6.24
            folders = (*self._flags(folder), *self._arch_folders(arch))
            self._searches[folder] = self._equal.setdefault((arch, folders), _Search(arch, folders))
        return self._searches[folder]

    def _arch_folders(self, arch: bytes) -> tuple[bytes, ...]:
        """arch/X/include, its generated and uapi parts, and the include folders of every machine and platform of X."""
        base = b"arch/" + arch
        kinds = (b"mach-", b"plat-", b"platforms")
        machines = [base + b"/" + name + b"/include" for name in self._folders(base) if name.startswith(kinds)]
        return (base + b"/include", base + b"/include/uapi", *machines)

    def _folders(self, path: bytes) -> tuple[bytes, ...]:
        return tuple(name for name, found in self._listing(path).items() if found.mode == TREE)

    def _flags(self, folder: bytes) -> tuple[bytes, ...]:
        """The -I folders that the Makefiles here and above add, as paths in the tree: relative to the Makefile or to the top."""
        found: list[bytes] = []
        here = folder
        while here:
            for name in (b"/Makefile", b"/Kbuild"):
                text = self._trees.read(self._tree, here + name)
                for flag in _FLAG.findall(text or b""):
                    path = _VARIABLE.sub(b"", flag).strip(b"/")
                    if b"$" not in path:
                        found += [_normal(here + b"/" + path), _normal(path)] if path else [here]
            here = posixpath.dirname(here)
        return tuple(dict.fromkeys(path for path in found if path))


class _Search:
    """Where includes are looked for: the architecture, and folders in their order. Equal to itself only: it is a key."""

    def __init__(self, arch: bytes, folders: tuple[bytes, ...]) -> None:
        self.arch = arch
        self.folders = folders

    def candidates(self, include: Include, folder: bytes) -> Iterable[bytes]:
        name = include.path
        if not include.system:
            yield _normal(folder + b"/" + name) if folder else _normal(name)
        for place in (*self.folders, b"include", b"include/uapi"):
            yield _normal(place + b"/" + name)
        if name.startswith(b"asm/"):
            yield b"include/asm-" + self.arch + b"/" + name[4:]  # before arch/X/include
            yield b"include/asm-generic/" + name[4:]  # generic-y
            yield b"include/uapi/asm-generic/" + name[4:]
        yield _normal(name)  # -I. of the top folder


def architecture(path: bytes) -> bytes:
    """The architecture whose file this is (arch/X/..., include/asm-X/...), empty for a file of all."""
    if path.startswith(b"arch/") and path.count(b"/") > 1:
        return path.split(b"/", 2)[1]
    if path.startswith(b"include/asm-") and not path.startswith(b"include/asm-generic/"):
        return path.split(b"/", 2)[1][4:]
    return b""


def _normal(path: bytes) -> bytes:
    return posixpath.normpath(path).lstrip(b"/") if b"./" in path or b"//" in path or path.endswith(b"/..") else path


def _base(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]

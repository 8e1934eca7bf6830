"""Which files a C file sees: its include closure in a tree, by the kernel's own search rules and without a build.

All branches of `#if` are followed, and where a header exists once an architecture, the one that is asked for is taken. So
the closure is what the file can see under some configuration. Generated headers are not in a tree: they are counted.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from backport.csource.answers import Answers, Edges, Shelf
from backport.csource.index import Index
from backport.csource.outline import Include
from backport.git.trees import Trees
from backport.model.series import TREE, Entry

_FLAG = re.compile(rb"-I[ \t]*([^\s\\,)]+\)?[^\s\\,)]*)")
_VARIABLE = re.compile(rb"\$[({](?:srctree|src|obj|objtree|TOPDIR|PWD|KBUILD_SRC|srctree\)/\$\(src)[)}]/?")
DEFAULT_ARCH = b"x86"


@dataclass(frozen=True, slots=True)
class Closure:
    """The files that one file sees, itself left out, with their blob ids; and the includes that lead nowhere in the tree."""

    files: dict[bytes, str]
    missing: frozenset[bytes]


class Includes:
    """The include graph of one tree, read as far as it is asked for. What a series `brought` is seen too, path to blob id.

    To read one from nothing takes 40 ms, for most of what a source file sees is the same thousand headers: those that share a
    `shelf` of answers read only what no tree with the same names has shown yet. Shared is what the headers of all say, by the
    rules of their architecture alone. Where a Makefile adds folders, that holds too unless one of these has something at which
    an include of the header may begin: then the header is looked at anew. So nothing that is shared leans on a driver's folder,
    which would have to be compared for every tree.
    """

    def __init__(
        self,
        trees: Trees,
        tree: str,
        index: Index,
        brought: Mapping[bytes, str] | None = None,
        shelf: Shelf[Search] | None = None,
    ) -> None:
        self._trees = trees
        self._tree = tree
        self._index = index
        self._brought = dict(brought or {})
        self._shelf: Shelf[Search] = shelf or Shelf(trees)
        self._answers: Answers[Search] = Answers()
        self._compared = -1  # how many folders of the answers are known to have our names
        self._names: dict[bytes, frozenset[bytes]] = {}  # of the files in the folders that were looked into
        self._by_folder: dict[bytes, _Look] = {}
        self._looks: dict[tuple[Search, tuple[bytes, ...]], _Look] = {}
        self._plain: dict[Search, _Look] = {}
        self._machines: dict[bytes, tuple[bytes, ...]] = {}  # by architecture
        self._oids = dict(self._brought)  # of the files that were found
        self._listings: dict[bytes, Mapping[bytes, Entry]] = {}

    def onto(self, tree: str, brought: Mapping[bytes, str] | None = None) -> Includes:
        """The graph of another tree, or of the same one with other files brought, on the same shelf."""
        return Includes(self._trees, tree, self._index, brought, self._shelf)

    def _settle(self) -> None:
        """Begin a question: have answers that hold here. Others may have added some since, that lean on folders new to us."""
        fresh = islice(self._answers.names.items(), max(0, self._compared), None)
        if self._compared < 0 or any(self._names_in(folder) is not names for folder, names in fresh):
            self._answers = self._shelf.fitting(self._names_in)
        self._compared = len(self._answers.names)

    def _names_in(self, folder: bytes) -> frozenset[bytes]:
        if folder not in self._names:
            more = frozenset(_base(path) for path in self._brought if path.rpartition(b"/")[0] == folder)
            entry = self._folder(folder)
            self._names[folder] = self._shelf.names(entry.oid if entry is not None else "", more)
        return self._names[folder]

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
        self._settle()
        look = self._look(path)
        files: dict[bytes, str] = {}
        first = self._targets(path, includes, look)
        found, missing = list(first.there), set(first.absent)
        while found:
            fresh = [name for name in dict.fromkeys(found) if name not in files and name != path]
            files.update((name, self._oid(name)) for name in fresh)
            found = []
            behind = [name for name in fresh if name not in beyond]
            for name, edges in zip(behind, self._edges(behind, look), strict=True):
                found += edges.there
                missing.update(edges.absent)
                if more and name in more:
                    found += self._targets(name, more[name], look).there
        return Closure(files, frozenset(missing))

    def preload(self, files: Mapping[bytes, Sequence[Include]]) -> None:
        """Read what the closures of many files need, one round for each level of headers of all of them together."""
        self._settle()
        level: dict[_Look, set[bytes]] = defaultdict(set)
        for path, found in files.items():
            look = self._look(path)
            level[look].update(self._targets(path, found, look).there)
        seen: dict[_Look, set[bytes]] = defaultdict(set)
        while level := {look: fresh for look, found in level.items() if (fresh := found - seen[look])}:
            self._index.ensure(
                sorted({self._oid(name) for look, fresh in level.items() for name in fresh if self._known(name, look) is None})
            )
            for look, fresh in level.items():
                seen[look] |= fresh
                level[look] = {name for edges in self._edges(list(fresh), look) for name in edges.there}

    def _edges(self, paths: Sequence[bytes], look: _Look) -> list[Edges]:
        """Where the includes of some files lead. What is not known is read together."""
        known = [self._known(path, look) for path in paths]
        if unread := [self._oid(path) for path, edges in zip(paths, known, strict=True) if edges is None]:
            self._index.ensure(unread)
        return [edges or self._read(path, look) for path, edges in zip(paths, known, strict=True)]

    def _known(self, path: bytes, look: _Look) -> Edges | None:
        edges = look.edges.get(path)
        if edges is None and _is_shared(path):
            edges = self._answers.edges.get((path, self._oid(path), look.search))
            if edges is None or not look.offers.isdisjoint(edges.heads):
                return None
            look.edges[path] = edges
        return edges

    def _read(self, path: bytes, look: _Look) -> Edges:
        includes = self._index.includes(self._oid(path))
        if _is_shared(path):
            plain = self._plain.setdefault(look.search, _Look(look.search))
            edges = self._answers.edges[path, self._oid(path), look.search] = self._targets(path, includes, plain)
            if look.offers.isdisjoint(edges.heads):
                look.edges[path] = edges
                return edges
        edges = look.edges[path] = self._targets(path, includes, look)
        return edges

    def _targets(self, path: bytes, includes: Iterable[Include], look: _Look) -> Edges:
        there, absent, names, heads = [], [], [], []
        for include in includes:
            names.append(_base(_normal(include.path)))
            heads.append(_head(include.path))
            target = None if include.computed else self._find(include, path, look, names[-1])
            if target is None:
                absent.append(include.path)
            else:
                there.append(target)
        return Edges(tuple(there), tuple(absent), frozenset(names), frozenset(heads))

    def resolve(self, path: bytes, include: Include) -> bytes | None:
        """The file that an #include in `path` means, None where the tree has none (or it is computed)."""
        self._settle()
        return None if include.computed else self._find(include, path, self._look(path), _base(_normal(include.path)))

    def _find(self, include: Include, origin: bytes, look: _Look, base: bytes) -> bytes | None:
        name = include.path
        for place in look.flags if include.system else (posixpath.dirname(origin), *look.flags):
            path = _normal(place + b"/" + name) if place else _normal(name)
            if self._leans(path) if look.shared else self._exists(path):
                return path
        known = self._answers.found.setdefault(base, {})
        key = name, look.search
        if key not in known:
            known[key] = next((path for path in look.search.candidates(name) if self._leans(path)), None)
        return known[key]

    def _exists(self, path: bytes) -> bool:
        folder, _, name = path.rpartition(b"/")
        return name in self._names_in(folder)

    def _leans(self, path: bytes) -> bool:
        """The same, for an answer that is shared."""
        folder, _, name = path.rpartition(b"/")
        names = self._answers.names[folder] = self._names_in(folder)
        return name in names

    def _oid(self, path: bytes) -> str:
        """The blob id of a file that is there."""
        found = self._oids.get(path)
        if found is None:
            folder, _, name = path.rpartition(b"/")
            found = self._oids[path] = self._listing(folder)[name].oid
        return found

    def _folder(self, folder: bytes) -> Entry | None:
        above, _, name = folder.rpartition(b"/")
        entry = self._listing(above).get(name) if folder else Entry(TREE, self._tree)
        return entry if entry is not None and entry.mode == TREE else None

    def _listing(self, folder: bytes) -> Mapping[bytes, Entry]:
        """The entries of a folder, none where there is no folder."""
        if folder not in self._listings:
            entry = self._folder(folder)
            self._listings[folder] = self._trees.listing(entry.oid) if entry is not None else {}
        return self._listings[folder]

    def _look(self, path: bytes) -> _Look:
        folder = posixpath.dirname(path)
        if folder not in self._by_folder:
            arch = architecture(path) or DEFAULT_ARCH
            if self._folders(b"arch/" + arch) == () and arch == DEFAULT_ARCH and self._folders(b"arch/i386"):
                arch = b"i386"  # before 2.6.24
            if arch not in self._machines:
                self._machines[arch] = self._arch_folders(arch)
            key = arch, self._machines[arch]
            search, flags = self._shelf.searches.setdefault(key, Search(*key)), self._flags(folder)
            look = _Look(search, flags, self._offered(flags), shared=False)
            self._by_folder[folder] = self._looks.setdefault((search, flags), look)
        return self._by_folder[folder]

    def _offered(self, folders: Sequence[bytes]) -> frozenset[bytes]:
        """At what an include may begin that leads into one of some folders: their names, and any detour."""
        if not folders:
            return frozenset()
        brought = (path[len(folder) + 1 :] for folder in folders for path in self._brought if path.startswith(folder + b"/"))
        return frozenset((_DETOUR, *(name for folder in folders for name in self._listing(folder)), *map(_head, brought)))

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
        for makefile in makefiles(folder + b"/"):
            here = posixpath.dirname(makefile)
            for flag in self._flags_in(makefile):
                path = _VARIABLE.sub(b"", flag).strip(b"/")
                if b"$" not in path:
                    found += [_normal(here + b"/" + path), _normal(path)] if path else [here]
        return tuple(dict.fromkeys(path for path in found if path))

    def _flags_in(self, makefile: bytes) -> list[bytes]:
        folder, _, name = makefile.rpartition(b"/")
        entry = self._listing(folder).get(name)
        if entry is None or not entry.is_file:
            return []
        flags = self._shelf.flags
        if entry.oid not in flags:
            flags[entry.oid] = _FLAG.findall(self._index.text(entry.oid))
        return flags[entry.oid]


class Search:
    """Where includes are looked for in the end: an architecture, and its folders in their order. Equal to itself only: a key."""

    def __init__(self, arch: bytes, folders: tuple[bytes, ...]) -> None:
        self.arch = arch
        self.folders = folders

    def candidates(self, name: bytes) -> Iterable[bytes]:
        """The paths at which an include is looked for, in order."""
        for place in (*self.folders, b"include", b"include/uapi"):
            yield _normal(place + b"/" + name)
        if name.startswith(b"asm/"):
            yield b"include/asm-" + self.arch + b"/" + name[4:]  # before arch/X/include
            yield b"include/asm-generic/" + name[4:]  # generic-y
            yield b"include/uapi/asm-generic/" + name[4:]
        yield _normal(name)  # -I. of the top folder


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Where the files of some folders look: into the folders that `flags` add and that hold what it `offers`, then by `search`.

    `edges` are those of the headers, as they are found from there in this tree. What a `shared` one finds is good in others.
    """

    search: Search
    flags: tuple[bytes, ...] = ()
    offers: frozenset[bytes] = frozenset()
    shared: bool = True
    edges: dict[bytes, Edges] = field(default_factory=dict)


def _is_shared(path: bytes) -> bool:
    """Whether this is a header of all, or of one architecture."""
    return path.startswith(b"include/") or (path.startswith(b"arch/") and b"/include/" in path)


_DETOUR = b".."


def _head(path: bytes) -> bytes:
    """The first part of an include's path; of one that goes up somewhere, a mark."""
    return _DETOUR if b"./" in path or b"//" in path or path[:1] == b"/" else path.partition(b"/")[0]


def makefiles(path: bytes) -> Iterator[bytes]:
    """Where the Makefiles may be that say how a file is compiled: in its folder and in those above, the top left out."""
    while path := path.rpartition(b"/")[0]:
        yield path + b"/Makefile"
        yield path + b"/Kbuild"


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

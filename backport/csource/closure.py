"""Which files a C file sees: its include closure in a tree, by the kernel's own search rules and without a build.

All branches of `#if` are followed, and where a header exists once an architecture, the one that is asked for is taken. So
the closure is what the file can see under some configuration. Generated headers are not in a tree: they are counted.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    `shelf` of answers read only what no tree with the same names has shown yet.
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
        self._searches: dict[bytes, Search] = {}  # by folder
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
        search = self._search(path)
        files: dict[bytes, str] = {}
        first = self._targets(path, includes, search)
        found, missing = list(first.there), set(first.absent)
        while found:
            fresh = [name for name in dict.fromkeys(found) if name not in files and name != path]
            files.update((name, self._oid(name)) for name in fresh)
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
        self._settle()
        asked = [(path, found, self._search(path)) for path, found in files.items()]
        level = {(path, search): self._targets(path, found, search).there for path, found, search in asked}
        seen: set[tuple[bytes, Search]] = set()
        while level:
            fresh = {(name, search) for (_, search), found in level.items() for name in found} - seen
            seen |= fresh
            self._index.ensure(sorted({oid for name, search in fresh if (oid := self._unread(name, search))}))
            level = {(name, search): self._edges_of(name, search).there for name, search in fresh}

    def _ensure(self, paths: Iterable[bytes], search: Search) -> None:
        """Have those blobs in the index whose includes are to be read: of files whose edges are known, they are not."""
        if unread := [oid for path in paths if (oid := self._unread(path, search))]:
            self._index.ensure(unread)

    def _unread(self, path: bytes, search: Search) -> str:
        """The blob id of a file whose edges are not known, else ''."""
        oid = self._oid(path)
        return "" if (path, oid, search) in self._answers.edges else oid

    def _edges_of(self, path: bytes, search: Search) -> Edges:
        key = path, self._oid(path), search
        edges = self._answers.edges.get(key)
        if edges is None:
            edges = self._answers.edges[key] = self._targets(path, self._index.includes(key[1]), search)
        return edges

    def _targets(self, path: bytes, includes: Iterable[Include], search: Search) -> Edges:
        there, absent, names = [], [], []
        for include in includes:
            names.append(_base(_normal(include.path)))
            target = None if include.computed else self._find(include, path, search, names[-1])
            if target is None:
                absent.append(include.path)
            else:
                there.append(target)
        return Edges(tuple(there), tuple(absent), frozenset(names))

    def resolve(self, path: bytes, include: Include) -> bytes | None:
        """The file that an #include in `path` means, None where the tree has none (or it is computed)."""
        self._settle()
        return None if include.computed else self._find(include, path, self._search(path), _base(_normal(include.path)))

    def _find(self, include: Include, origin: bytes, search: Search, base: bytes) -> bytes | None:
        folder = b"" if include.system else posixpath.dirname(origin)
        key = (include.path, include.system, folder, search)
        known = self._answers.found.setdefault(base, {})
        if key not in known:
            known[key] = next((c for c in search.candidates(include, folder) if self._exists(c)), None)
        return known[key]

    def _exists(self, path: bytes) -> bool:
        folder, _, name = path.rpartition(b"/")
        names = self._names_in(folder)
        self._answers.names[folder] = names
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

    def _search(self, path: bytes) -> Search:
        folder = posixpath.dirname(path)
        if folder not in self._searches:
            arch = architecture(path) or DEFAULT_ARCH
            if self._folders(b"arch/" + arch) == () and arch == DEFAULT_ARCH and self._folders(b"arch/i386"):
                arch = b"i386"  # before 2.6.24
            if arch not in self._machines:
                self._machines[arch] = self._arch_folders(arch)
            folders = (*self._flags(folder), *self._machines[arch])
            self._searches[folder] = self._shelf.searches.setdefault((arch, folders), Search(arch, folders))
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
                for flag in self._flags_in(here + name):
                    path = _VARIABLE.sub(b"", flag).strip(b"/")
                    if b"$" not in path:
                        found += [_normal(here + b"/" + path), _normal(path)] if path else [here]
            here = posixpath.dirname(here)
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
    """Where includes are looked for: the architecture, and folders in their order. Equal to itself only: it is a key."""

    def __init__(self, arch: bytes, folders: tuple[bytes, ...]) -> None:
        self.arch = arch
        self.folders = folders

    def candidates(self, include: Include, folder: bytes) -> Iterable[bytes]:
        """The paths at which an include of a file in `folder` is looked for, in order."""
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

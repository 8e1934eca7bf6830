"""What a file can see in one tree: declarations of its include closure, of itself, and of what a series has added so far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backport.csource.closure import Closure, Includes
from backport.csource.generated import Makers, names_made
from backport.csource.index import Index
from backport.csource.outline import Declaration, Include
from backport.git.trees import Trees

_TAGS = ("struct", "union", "enum", "forward")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name is declared: the file, and what the index says of it."""

    path: bytes
    declaration: Declaration

    def __str__(self) -> str:
        kind = "declared by a macro" if self.declaration.kind == "made" else self.declaration.kind
        return f"{self.path.decode('utf-8', 'backslashreplace')}:{self.declaration.line} ({kind})"


@dataclass(slots=True)
class Overlay:
    """What the patches of a series have added so far: names for everybody, and per file names of functions, and #includes."""

    names: set[bytes] = field(default_factory=set)
    locals: dict[bytes, set[tuple[bytes, bytes]]] = field(default_factory=dict)
    includes: dict[bytes, list[Include]] = field(default_factory=dict)
    files: dict[bytes, str] = field(default_factory=dict)  # made by the series: path to blob id
    members: set[bytes] = field(default_factory=set)
    reshaped: set[bytes] = field(default_factory=set)  # functions and macros whose head it changed
    versions: dict[bytes, str] = field(default_factory=dict)  # upstream's blob of every file that it changed

    def copy(self) -> Overlay:
        """One that can learn on without this one's knowing."""
        names = {path: set(known) for path, known in self.locals.items()}
        lines = {path: list(known) for path, known in self.includes.items()}
        sets = set(self.members), set(self.reshaped)
        return Overlay(set(self.names), names, lines, dict(self.files), *sets, dict(self.versions))


class Side:
    """One tree, seen file by file. Its include graph is read when a question needs it: for many patches, upstream's never is."""

    def __init__(self, tree: str, trees: Trees, index: Index, graph: Callable[[], Includes], makers: Makers) -> None:
        self.tree = tree
        self._trees = trees
        self._index = index
        self._makers = makers
        self._asked: tuple[Closure, tuple[bytes, str] | None, _Sight] | None = None
        self._make_graph = graph
        self._extended: Includes | None = None  # with what the series brings
        self._brought: dict[bytes, str] = {}

    @property
    def _graph(self) -> Includes:
        return self._extended if self._extended is not None else self._make_graph()

    def closure(
        self, path: bytes, includes: Iterable[Include], overlay: Overlay | None = None, beyond: Collection[bytes] = ()
    ) -> Closure:
        """The files that a file at `path` sees, with these #include lines and those that the overlay adds.

        Not what lies `beyond` some headers alone.
        """
        more = overlay.includes if overlay is not None else {}
        return self._graph.closure(path, [*includes, *more.get(path, ())], more, beyond)

    def preload(self, files: Mapping[bytes, Sequence[Include]]) -> None:
        """Read the headers that many files need at once."""
        self._graph.preload(files)

    def bring(self, files: Mapping[bytes, str]) -> None:
        """The files that the series brings, path to blob id: others see them as the tree's. Replaces an earlier list."""
        if files != self._brought:
            self._extended = self._graph.onto(self.tree, files) if files else None
            self._brought = dict(files)

    def has_header(self, path: bytes, include: Include) -> bool:
        """Whether an #include of the file at `path` leads anywhere in this tree."""
        return self._graph.resolve(path, include) is not None

    def oid(self, path: bytes) -> str:
        """The blob id of a file, empty where the tree has none there."""
        entry = self._trees.entry(self.tree, path)
        return entry.oid if entry is not None and entry.is_file else ""

    def text(self, path: bytes) -> bytes | None:
        """The text of a file, as the tree or the series has it; None where neither has one."""
        return self._index.text(self._brought[path]) if path in self._brought else self._trees.read(self.tree, path)

    def declared_in(self, names: Collection[bytes], files: Mapping[bytes, str]) -> dict[bytes, list[Place]]:
        """Where the names are declared in some files, path to blob id."""
        return _Sight({oid: path for path, oid in files.items()}, self._index).declared(names)

    def members_in(self, names: Collection[bytes], files: Mapping[bytes, str]) -> dict[bytes, list[Place]]:
        """The struct members of these names in some files."""
        return _Sight({oid: path for path, oid in files.items()}, self._index).members(names)

    def declared(self, names: Collection[bytes], closure: Closure, own: tuple[bytes, str] | None) -> dict[bytes, list[Place]]:
        """Where the names are declared, among the closure and the file itself (`own`: path and blob id)."""
        return self._sight(closure, own).declared(names)

    def members(self, names: Collection[bytes], closure: Closure, own: tuple[bytes, str] | None) -> dict[bytes, list[Place]]:
        """The struct members of these names there; of each its `owner`, the tag of the outermost struct."""
        return self._sight(closure, own).members(names)

    def _sight(self, closure: Closure, own: tuple[bytes, str] | None) -> _Sight:
        """What one file sees; the one asked about last is kept, for all questions about a file come in a row."""
        if self._asked is None or self._asked[0] is not closure or self._asked[1] != own:
            self._asked = closure, own, _Sight(_paths(closure, own), self._index)
        return self._asked[2]

    def made(self, closure: Closure, own: tuple[bytes, str], versions: Mapping[bytes, str]) -> dict[bytes, Place]:
        """Every name that macro calls there make by pasting words together, those of other `versions` of these files as well.

        Slow (50 ms the first time): for names in doubt.
        """
        paths = _paths(closure, own)
        paths |= {versions[path]: path for path in [*closure.files, own[0]] if path in versions}
        made = self._makers.of([oid for oid in paths if oid])
        found = names_made((path, made[oid]) for oid, path in paths.items() if oid).items()
        return {name: Place(path, Declaration(name, "made", call.line, call.line, call.name)) for name, (path, call) in found}


class _Sight:
    """Some files, blob id to path, and what was asked about them: each name is looked up once, whichever check asks."""

    def __init__(self, paths: Mapping[str, bytes], index: Index) -> None:
        self._paths = paths
        self._index = index
        self._declared: dict[bytes, list[Place]] = {}
        self._members: dict[bytes, list[Place]] = {}

    def declared(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        return self._look(names, self._declared, self._index.declared)

    def members(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        return self._look(names, self._members, self._index.members)

    def _look(self, names: Collection[bytes], known: dict[bytes, list[Place]], ask: _Question) -> dict[bytes, list[Place]]:
        asked = [name for name in names if name not in known]
        if asked:
            known.update((name, []) for name in asked)
            for name, places in ask(asked, self._paths).items():
                known[name] = sorted((Place(self._paths[oid], declaration) for oid, declaration in places), key=_rank)
        return {name: known[name] for name in names if known[name]}


_Question = Callable[[Iterable[bytes], Iterable[str]], dict[bytes, list[tuple[str, Declaration]]]]


def _paths(closure: Closure, own: tuple[bytes, str] | None) -> dict[str, bytes]:
    paths = {oid: path for path, oid in closure.files.items()}
    return paths | {own[1]: own[0]} if own is not None else paths


def fits(place: Place, role: str) -> bool:
    """Whether a declaration can be what a name in this role means: a tag behind `struct`, else anything but a tag."""
    return (place.declaration.kind in _TAGS) == (role == "tag")


def _rank(place: Place) -> tuple[bool, bool, bytes, int]:
    """Definitions before prototypes, and both before what is only an argument of a macro call."""
    kind = place.declaration.kind
    return kind in ("made", "forward"), kind in ("prototype", "extern"), place.path, place.declaration.line

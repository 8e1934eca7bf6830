"""One file of a patch, seen from both trees: what it declares and includes there, with all that the series brought so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from backport.csource.closure import Closure
from backport.csource.outline import Include, includes
from backport.csource.parse import parse
from backport.csource.tokens import Lines, blank, mentioned
from backport.csource.uses import functions_of
from backport.drift.elsewhere import HeaderSearch
from backport.drift.side import Overlay, Place, Side, fits
from backport.drift.users import Users
from backport.git.trees import Trees
from backport.model.finding import Level
from backport.model.series import FileChange


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that the target does not have. `path` and `line` are in the patch's version; `upstream` is the declaration there.

    `said` is told instead of the place `upstream` where it says more: a local, a header, a signature. `sure` is false where a
    person should look but the patch may well be right. `function` is the one whose own name it is, empty for all others.
    `turned` is the word whose last change in upstream's file made the difference, where the name itself tells nothing. What is
    `mild` is right in most patches, and worth knowing.
    """

    name: bytes
    kind: str
    path: bytes
    line: int
    upstream: Place | None
    target: str
    hint: str = ""
    said: str = ""
    sure: bool = True
    function: bytes = b""
    turned: bytes = b""
    mild: bool = False

    @property
    def level(self) -> Level:
        """How bad it is."""
        return Level.ERROR if self.sure else Level.NOTE if self.mild else Level.WARNING


@dataclass(frozen=True, slots=True)
class Texts:
    """One file of a patch: its path and blob id after it, and its text before (empty: not there) and after."""

    path: bytes
    oid: str
    old: bytes
    new: bytes


class Target:
    """The tree that the series goes onto."""

    def __init__(self, side: Side, search: HeaderSearch, trees: Trees) -> None:
        self.side = side
        self.search = search
        self._trees = trees

    def path(self, change: FileChange, overlay: Overlay) -> bytes | None:
        """Where the file is in the target: its new path, its old one, or one that the series made; None where it is not."""
        if change.old is None or change.new_path in overlay.files:
            return change.new_path
        for path in (change.new_path, change.old_path):
            entry = self._trees.entry(self.side.tree, path)
            if entry is not None and entry.is_file:
                return path
        return None

    def text(self, path: bytes) -> bytes | None:
        """The target's own version of a file."""
        return self._trees.read(self.side.tree, path)

    def oid(self, path: bytes) -> str:
        """The blob id of the target's own version, empty where it has none."""
        return self.side.oid(path)

    def users(self, path: bytes, side: Side) -> Users:
        """The files of its folder that include the header at `path`, on either side."""
        return Users(path, side, self._trees)

    def knows(self, name: bytes, path: bytes) -> bool:
        """Whether the target's version of a file mentions a name in its code, or a header does."""
        text = self.text(path)
        if text is not None and name in mentioned(text):
            return True
        found = self.search.look([name])
        return found is not None and bool(found.mentioned[name])


_TRACING = b"CREATE_TRACE_POINTS"
_TRACED_ONLY = (b"include/trace/define_trace.h",)


def beyond(text: bytes) -> tuple[bytes, ...]:
    """The headers that a file does not look behind: define_trace.h is empty unless the file asks for its trace points.

    By that way any file that sees slab.h would see all of mm.h: so it seemed for find_e820_area in 196cf0d67aca on 2.6.31.
    """
    return () if _TRACING in text else _TRACED_ONLY


def _blanked(text: bytes, start: int, end: int) -> bytes:
    """A part of a text without comments and literals; the whole text is gone through only where a comment may reach into it."""
    if text.rfind(b"/*", 0, start) > text.rfind(b"*/", 0, start):
        return blank(text)[start:end]
    return blank(text[start:end])


class View:
    """`path` is the file in the target, `change` its texts upstream, `merged` what the replay made of it, where it did.

    Upstream's closure is read when it is first asked about.
    """

    def __init__(
        self, path: bytes, change: Texts, target: Target, upstream: Side, overlay: Overlay, merged: bytes | None = None
    ) -> None:
        self.path = path
        self.merged = merged
        self.change = change
        self.target = target
        self.overlay = overlay
        self.upstream = upstream
        self._declared: dict[bytes, list[Place]] = {}
        self._functions: dict[bytes, bytes | None] = {}

    @cached_property
    def text(self) -> bytes | None:
        """The file in the target: None where only the series has it, which then is complete in the patch itself."""
        return None if self.path in self.overlay.files else self.target.text(self.path)

    def function(self, name: bytes) -> bytes | None:
        """The code of a function of the target's file; of one that is defined twice (#if, FNAME(x) of KVM), all together.

        Where it stands is asked of the index, which has read the file once for all: an outline of it takes 5 ms.
        """
        if name not in self._functions:
            self._functions[name] = self._code(name) if self._own is not None else None
        return self._functions[name]

    def _code(self, name: bytes) -> bytes | None:
        found = self.target.side.declared_in({name}, {self.path: self.target.oid(self.path)}).get(name, ())
        places = sorted({(p.declaration.line, p.declaration.end) for p in found if p.declaration.kind == "function"})
        text, lines = self.text or b"", Lines(self.text or b"")
        return b"".join(_blanked(text, lines.start(first), lines.end(last)) for first, last in places) if places else None

    def landed_in(self, function: bytes, line: int, added: Collection[int]) -> bytes | None:
        """The code of the function of that name into which the merge put a line of the patch, without the lines that it `added`.

        None where the line is not in it: 218854af8403 on 2.6.32.y changes rds_cmsg_rdma_args, which was rds_rdma_prepare there.
        """
        rows = [row.strip() for row in blank(self.change.new).split(b"\n")]
        new = {rows[number - 1] for number in added}
        codes = [code.split(b"\n") for name, code in functions_of(self.merged or b"") if name == function]
        landed = [code for code in codes if rows[line - 1] in {row.strip() for row in code}]
        return b"\n".join(row for code in landed for row in code if row.strip() not in new) if landed else None

    @cached_property
    def local_words(self) -> frozenset[bytes]:
        """The names that functions of the target's file declare: the parser takes 30 ms for them, so ask last."""
        return frozenset(local.name for function in parse(self.text or b"").functions for local in function.locals)

    @cached_property
    def sees(self) -> list[Include]:
        """The #include lines of the file in the target; of a file that only the series has, its own."""
        return list(includes(self.text if self.text is not None else self.change.new))

    @cached_property
    def closure(self) -> Closure:
        """What the file sees in the target."""
        return self.target.side.closure(self.path, self.sees, self.overlay, beyond(self.text or self.change.new))

    @cached_property
    def upstream_closure(self) -> Closure:
        """What it sees upstream, after the patch."""
        return self.upstream.closure(self.change.path, includes(self.change.new), None, beyond(self.change.new))

    @cached_property
    def users(self) -> Users:
        """Who includes the file in the target, where it is a header."""
        return self.target.users(self.path, self.target.side)

    @cached_property
    def upstream_users(self) -> Users:
        """Who includes it upstream."""
        return self.target.users(self.change.path, self.upstream)

    @cached_property
    def _own(self) -> tuple[bytes, str] | None:
        oid = self.target.oid(self.path) if self.text is not None else ""
        return (self.path, oid) if oid else None

    def declared(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        """Where the target declares the names, among what the file sees. Each name is looked up once, whoever asks."""
        if asked := [name for name in names if name not in self._declared]:
            found = self.target.side.declared(asked, self.closure, self._own)
            self._declared.update((name, found.get(name, [])) for name in asked)
        return {name: places for name in names if (places := self._declared[name])}

    def known(self, names: Collection[bytes]) -> set[bytes]:
        """Those of the names that mean something there by themselves: the tag of a struct does not."""
        found = self.declared(names).items()
        return {name for name, places in found if any(fits(place, "name") for place in places)}

    @cached_property
    def made(self) -> dict[bytes, Place]:
        """The names that macros make by pasting words, among what the file sees in the target."""
        oid = self.target.oid(self.path) if self.text is not None else self.change.oid
        return self.target.side.made(self.closure, (self.path, oid), self.overlay.versions)

    @cached_property
    def upstream_made(self) -> dict[bytes, Place]:
        """The same upstream."""
        return self.upstream.made(self.upstream_closure, (self.change.path, self.change.oid), {})

    def members(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        """The struct members of these names, among what the file sees in the target."""
        return self.target.side.members(names, self.closure, self._own)

    def upstream_declared(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        """Where upstream declares the names."""
        return self.upstream.declared(names, self.upstream_closure, (self.change.path, self.change.oid))

    def upstream_members(self, names: Collection[bytes]) -> dict[bytes, list[Place]]:
        """The struct members of these names upstream."""
        return self.upstream.members(names, self.upstream_closure, (self.change.path, self.change.oid))

    def twins(self, places: Iterable[Place]) -> dict[bytes, str]:
        """Of files that declare something in the target, those that upstream has in the same place otherwise: path to blob id."""
        paths = {place.path for place in places if place.path != self.path}
        theirs = {path: self.upstream.oid(path) for path in paths}
        return {path: oid for path, oid in theirs.items() if oid and oid != self.target.oid(path)}

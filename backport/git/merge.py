"""Three-way merges of file contents by git itself, many at once, without a checkout.

git's own merge is used so that a clean result is the one that `git cherry-pick` gives, byte for byte: merge-ort compares with the
histogram algorithm, which no library offers. One `merge-tree --write-tree` process merges a whole batch: the contents stand
side by side in one synthetic folder under the names 0, 1, 2 ..., so neither odd paths nor `.gitattributes` reach it, and
a parentless base commit with two children stands in for `--merge-base`, which git 2.39 (Debian 12) does not have.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.series import Entry

_MARKER = 157  # git's `conflict-marker-size`: kernel documentation underlines its titles with equals signs of every length
_FILE = 0o100644
_IDENT = b"backport <backport@localhost> 0 +0000"


@dataclass(frozen=True, slots=True)
class Triple:
    """Blob ids of upstream before the patch, of the target, and of upstream after the patch."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Region:
    """A conflict inside a merged file: where it is in the target's file (1-based) and the three versions of its lines."""

    line: int
    ours: bytes
    base: bytes
    theirs: bytes


Piece = bytes | Region
"""A stretch of a merged file: lines on which the sides agree, or a conflict."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of one merge: the clean result's blob id, or None and the regions in conflict (none at all: binary)."""

    result: str | None
    regions: tuple[Region, ...] = ()


class Merger:
    """Merges contents; each triple is merged once, however often it is asked for."""

    def __init__(self, store: Store, trees: Trees) -> None:
        self._store = store
        self._trees = trees
        self._known: dict[Triple, Merged] = {}
        attributes = store.folder / "info" / "attributes"
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_bytes(b"* conflict-marker-size=%d\n" % _MARKER)

    def known(self, triple: Triple) -> Merged | None:
        """The outcome, if this triple was merged before."""
        return self._known.get(triple)

    def merge(self, triples: Sequence[Triple]) -> list[Merged]:
        """The outcome of each triple, in order; all that are new go through one process."""
        new = [t for t in dict.fromkeys(triples) if t not in self._known]
        if new:
            self._known.update(zip(new, self._run(new), strict=True))
        return [self._known[t] for t in triples]

    def pieces(self, triple: Triple) -> list[Piece]:
        """The whole text of one merge, stretch by stretch; nothing at all where it is binary. One process, every time."""
        listing, conflicted, ours, theirs = self._both([triple])
        text = self._store.read(listing[b"0"].oid, "blob")
        if b"0" not in conflicted:
            return [text]
        found = list(_pieces(text, ours.encode(), theirs.encode()))
        return found if any(isinstance(piece, Region) for piece in found) else []

    def _run(self, triples: Sequence[Triple]) -> Iterator[Merged]:
        listing, conflicted, ours, theirs = self._both(triples)
        self._store.prefetch(listing[name].oid for name in conflicted)
        for number in range(len(triples)):
            name = b"%d" % number
            if name in conflicted:
                pieces = _pieces(self._store.read(listing[name].oid, "blob"), ours.encode(), theirs.encode())
                yield Merged(None, tuple(piece for piece in pieces if isinstance(piece, Region)))
            else:
                yield Merged(listing[name].oid)

    def _both(self, triples: Sequence[Triple]) -> tuple[Mapping[bytes, Entry], set[bytes], str, str]:
        """One merge of all: the resulting folder, the names in it that are in conflict, and the two commits that were merged."""
        base = self._commit([t.base for t in triples])
        ours = self._commit([t.ours for t in triples], base)
        theirs = self._commit([t.theirs for t in triples], base)
        command = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
        fields = self._store.git.run(command, ok=(0, 1)).split(b"\0")
        return self._trees.listing(fields[0].decode()), set(fields[1:]) - {b""}, ours, theirs

    def _commit(self, blobs: Sequence[str], parent: str = "") -> str:
        names = {b"%d" % number: Entry(_FILE, oid) for number, oid in enumerate(blobs)}
        tree = self._trees.make(names)
        above = b"parent %s\n" % parent.encode() if parent else b""
        content = b"tree %s\n%sauthor %s\ncommitter %s\n\nmerge\n" % (tree.encode(), above, _IDENT, _IDENT)
        return self._store.write("commit", content)


def _pieces(text: bytes, ours: bytes, theirs: bytes) -> Iterator[Piece]:
    """A merged text taken apart at its markers; a conflict's line number counts what the target's own file has.

    Lines that the merge took cleanly from the patch are not the target's: the number is off by them until the next
    conflict, which is why `locate` in replay/explain looks the lines up again.
    """
    start, middle, end = b"<" * _MARKER + b" " + ours, b"=" * _MARKER, b">" * _MARKER + b" " + theirs
    clean: list[bytes] = []
    side: list[bytes] | None = None
    parts: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    line = first = 1
    for row in rows(text):
        bare = row.rstrip(b"\r\n")  # git ends the markers as the file ends its lines
        if side is None and bare == start:
            if clean:
                yield b"".join(clean)
            clean, parts, first = [], ([], [], []), line
            side = parts[0]
        elif side is parts[0] and bare.startswith(b"|" * _MARKER):
            side = parts[1]
        elif side is parts[1] and bare == middle:
            side = parts[2]
        elif side is parts[2] and bare == end:
            yield Region(first, *(b"".join(part) for part in parts))
            side = None
        elif side is None:
            clean.append(row)
            line += 1
        else:
            side.append(row)
            line += side is parts[0]
    if clean:
        yield b"".join(clean)


def rows(text: bytes) -> list[bytes]:
    """Lines that end in LF alone: bytes.splitlines would also break at a lone CR."""
    return io.BytesIO(text).readlines()

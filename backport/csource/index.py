"""What blobs declare and include, kept in one SQLite file: a blob is read once, whatever number of trees hold it.

Kept are the pieces that files are cut into (see `pieces`), and of each blob which they are: of a file that changed from one
version to the next, only the pieces that did are read and written.

Nothing in it is precious: it is derived from objects that never change. So a damaged or older file is thrown away, and
where it cannot be written (a full disk, a read-only home) the same tables live in memory for this run. Several processes
may use one file: a blob is written whole in one transaction, and two that read the same blob write the same rows.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import Any, TypeVar

from backport.csource.outline import Declaration, Include
from backport.csource.reading import Read, Reader
from backport.csource.rows import KIND, KINDS, pack_includes, unpack_includes

_T = TypeVar("_T")
_Held = tuple[int, bytes, bool]
VERSION = 6  # of the tables and of what `outline` finds: raise it with either, and old files are rebuilt
_PIECE = 4000  # blobs in one transaction
_MANY = 500  # values in one IN (...): below SQLite's oldest limit of 999
_SCHEMA = f"""
CREATE TABLE blob (no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, includes BLOB NOT NULL, pieces BLOB NOT NULL);
CREATE TABLE piece (no INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, includes BLOB NOT NULL, declares INTEGER NOT NULL);
CREATE TABLE holds (piece INTEGER NOT NULL, blob INTEGER NOT NULL, before INTEGER NOT NULL,
    PRIMARY KEY (piece, blob, before)) WITHOUT ROWID;
CREATE TABLE declares (name BLOB NOT NULL, piece INTEGER NOT NULL, kind INTEGER NOT NULL, line INTEGER NOT NULL,
    last INTEGER NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (name, piece, kind, line)) WITHOUT ROWID;
CREATE TABLE memo (topic TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (topic, key)) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
# `blob.pieces`: of each piece that declares anything its number and how many lines are before it. `holds` says the same the
# other way round. `piece.digest` is the blob's id where a blob had to be read whole.


class Index:
    """Outlines by blob id. Use it as a context manager; `folder` None keeps it in memory.

    `reader` gives the contents of blobs that are not in the index yet, many at once. Every question first reads what is
    missing, so that no answer depends on who asked before.
    """

    def __init__(self, reader: Reader, folder: Path | None = None) -> None:
        self._reader = reader
        self._path = folder / "index.sqlite" if folder is not None else None
        self._known: dict[str, tuple[bytes, bytes]] = {}  # the includes and the pieces of a blob, packed
        self._placed: set[str] = set()  # blobs whose pieces are in `_holders`
        self._holders: dict[int, list[tuple[str, int]]] = {}  # of a piece: such blobs, and how many lines are before it
        self._db = self._open()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._reader.close()
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    @property
    def in_memory(self) -> bool:
        """Whether nothing is kept for the next run: asked for, or because the file cannot be written."""
        return self._path is None

    def ensure(self, oids: Iterable[str], step: Callable[[int], None] = lambda _: None) -> None:
        """Read those blobs that the index does not hold yet, all in one go; `step` is told after each piece how many are left."""
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        if wanted:
            self._guarded(lambda: self._ensure(wanted, step))

    def includes(self, oid: str) -> tuple[Include, ...]:
        """The #include lines of a blob."""
        self.ensure([oid])
        return tuple(unpack_includes(self._known[oid][0])) if oid in self._known else ()

    def declared(self, names: Iterable[bytes], oids: Iterable[str]) -> dict[bytes, list[tuple[str, Declaration]]]:
        """Where each name is declared among the blobs, struct members left out; nothing for a name that is not."""
        wanted, blobs = sorted(set(names)), dict.fromkeys(oids)
        return self._guarded(lambda: self._declared(wanted, blobs, f"kind <> {KIND['member']}"))

    def everywhere(self, name: bytes) -> list[tuple[str, Declaration]]:
        """Where a name is declared in any blob that was ever read, members left out, by blob id."""
        query = (
            "SELECT b.id, d.kind, h.before + d.line, d.last, d.signature FROM declares d "
            "JOIN holds h ON h.piece = d.piece JOIN blob b ON b.no = h.blob WHERE d.name = ? AND d.kind <> ?"
        )
        found = self._guarded(lambda: self._db.execute(query, (name, KIND["member"])).fetchall())
        return [(oid.hex(), Declaration(name, KINDS[kind], line, line + last, text)) for oid, kind, line, last, text in found]

    def members(self, names: Iterable[bytes], oids: Iterable[str]) -> dict[bytes, list[tuple[str, Declaration]]]:
        """The same for struct members."""
        wanted, blobs = sorted(set(names)), dict.fromkeys(oids)
        return self._guarded(lambda: self._declared(wanted, blobs, f"kind = {KIND['member']}"))

    def text(self, oid: str) -> bytes:
        """The text of a blob, which is not kept."""
        return self._reader.read(oid)

    def recall(self, topic: str, key: bytes) -> bytes | None:
        """What was remembered under a key that names immutable objects only (tree ids, blob ids), None if nothing."""
        row = self._guarded(
            lambda: self._db.execute("SELECT value FROM memo WHERE topic = ? AND key = ?", (topic, key)).fetchone()
        )
        return zlib.decompress(row[0]) if row else None

    def recall_all(self, topic: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The same for many keys; nothing for one of which nothing was remembered."""
        wanted = list(dict.fromkeys(keys))
        return {key: zlib.decompress(value) for key, value in self._guarded(lambda: list(self._recalled(topic, wanted)))}

    def _recalled(self, topic: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for part in _parts(keys):
            query = f"SELECT key, value FROM memo WHERE topic = ? AND key IN ({_marks(part)})"  # noqa: S608 - question marks only
            yield from self._db.execute(query, (topic, *part))

    def remember(self, topic: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep values that follow from their keys alone; the same key has the same value whoever computes it."""
        rows = [(topic, key, zlib.compress(value, 1)) for key, value in items]
        if rows:
            self._guarded(lambda: self._write(lambda: self._db.executemany("INSERT OR IGNORE INTO memo VALUES (?, ?, ?)", rows)))

    # --- the file -----------------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return _prepared(":memory:")
        for attempt in range(2):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                return _prepared(str(self._path))
            except sqlite3.OperationalError:
                break  # not writable, no space, locked for half a minute
            except sqlite3.DatabaseError:
                if attempt or not self._discard():  # not a database, or one of another version
                    break
            except OSError:
                break
        self._path = None
        return _prepared(":memory:")

    def _discard(self) -> bool:
        """Remove the file; processes that have it open keep theirs until they end."""
        with contextlib.suppress(OSError):
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            return True
        return False

    def _guarded(self, act: Callable[[], _T]) -> _T:
        """Do it; where the file turns out damaged, full or locked, redo it on a fresh one (in memory if it cannot be written)."""
        for _ in range(2):
            try:
                return act()
            except sqlite3.OperationalError:  # full, read-only, I/O error, locked
                self._path = None
            except sqlite3.DatabaseError:  # damaged
                if self._path is not None:
                    self._discard()
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            for numbered in (self._known, self._placed, self._holders):  # the new tables have numbers of their own
                numbered.clear()
            self._db = self._open()
        return act()

    # --- the tables ---------------------------------------------------------------------------------------------------

    def _ensure(self, wanted: Sequence[str], step: Callable[[int], None]) -> None:
        """Rows are made while no lock is held, and written in pieces: whoever else wants to write waits for a second at most."""
        self._load(wanted)
        missing = [oid for oid in wanted if oid not in self._known]
        left, reads = len(missing), self._reader.blobs(missing, self._held) if missing else iter(())
        while part := list(islice(reads, _PIECE)):
            self._write(partial(self._store, part))
            left -= len(part)
            step(left)
        self._load(missing)

    def _load(self, oids: Sequence[str]) -> None:
        for blob, includes, pieces in self._found("id, includes, pieces", "blob", map(bytes.fromhex, oids)):
            self._known[blob.hex()] = includes, pieces

    def _held(self, digests: Iterable[bytes]) -> dict[bytes, _Held]:
        """Those of some pieces that are in the table: number, includes, whether it declares anything."""
        found = self._found("digest, no, includes, declares", "piece", digests)
        return {digest: (no, includes, bool(declares)) for digest, no, includes, declares in found}

    def _found(self, columns: str, table: str, keys: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
        """The rows of a table whose first column, of those asked for, is among some keys."""
        key = columns.partition(",")[0]
        for part in _parts(keys):
            yield from self._db.execute(f"SELECT {columns} FROM {table} WHERE {key} IN ({_marks(part)})", part)  # noqa: S608 - ours

    def _store(self, reads: Sequence[Read]) -> None:
        """Numbers are given here, where nobody else can write: rows then go in by the ten thousand, none asks for its number."""
        pieces = self._store_pieces(reads)
        known = {row[0] for row in self._found("id", "blob", (bytes.fromhex(read.oid) for read in reads))}
        number = self._last("blob")
        blobs: list[tuple[int, bytes, bytes, bytes]] = []
        held: list[tuple[int, int, int]] = []
        for read in reads:
            oid = bytes.fromhex(read.oid)
            if oid in known:
                continue
            parts = [(0, *pieces[oid])] if read.whole else [(piece.before, *pieces[piece.digest]) for piece in read.pieces]
            includes = [include for before, _, packed, _ in parts if packed for include in unpack_includes(packed, before)]
            filled = [(no, before) for before, no, _, declares in parts if declares]
            number += 1
            blobs.append((number, oid, pack_includes(includes), _pack(filled)))
            held += [(no, number, before) for no, before in filled]
        held.sort()
        self._db.executemany("INSERT INTO blob VALUES (?, ?, ?, ?)", blobs)
        self._db.executemany("INSERT OR IGNORE INTO holds VALUES (?, ?, ?)", held)

    def _store_pieces(self, reads: Sequence[Read]) -> dict[bytes, _Held]:
        """Keep those pieces that are new; what is known of all that the reads have."""
        digests = {piece.digest for read in reads for piece in read.pieces}
        held = self._held(digests | {bytes.fromhex(read.oid) for read in reads if read.whole})
        number = self._last("piece")
        pieces: list[tuple[int, bytes, bytes, bool]] = []
        rows: list[tuple[bytes, int, int, int, int, bytes]] = []
        for read in reads:
            for digest, found in [(bytes.fromhex(read.oid), read.whole)] if read.whole else read.fresh.items():
                if digest in held:
                    continue
                number += 1
                held[digest] = number, found.includes, bool(found.declares)
                pieces.append((number, digest, found.includes, bool(found.declares)))
                rows.extend([(name, number, kind, line, more, text) for name, kind, line, more, text in found.declares])
        rows.sort(key=itemgetter(0))  # the table is ordered by name: each of its pages is then visited once
        self._db.executemany("INSERT INTO piece VALUES (?, ?, ?, ?)", pieces)
        self._db.executemany("INSERT OR IGNORE INTO declares VALUES (?, ?, ?, ?, ?, ?)", rows)
        return held

    def _last(self, table: str) -> int:
        """The highest number in a table."""
        return int(self._db.execute(f"SELECT coalesce(max(no), 0) FROM {table}").fetchone()[0])  # noqa: S608 - ours

    def _write(self, act: Callable[[], object]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            act()
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _declared(
        self, names: Sequence[bytes], oids: Mapping[str, None], which: str
    ) -> dict[bytes, list[tuple[str, Declaration]]]:
        """What the names are among some blobs: the few pieces that declare them are asked which blobs hold them.

        The other way round, taking the pieces of all that one file sees together, was a seventh of what the guard costs.
        """
        self._place([oid for oid in oids if oid not in self._placed])
        found: dict[bytes, list[tuple[str, Declaration]]] = {}
        for part in _parts(names):
            query = f"SELECT name, piece, kind, line, last, signature FROM declares WHERE name IN ({_marks(part)}) AND {which}"  # noqa: S608
            for name, piece, kind, line, last, signature in self._db.execute(query, part):
                for oid, before in self._holders.get(piece, ()):
                    if oid in oids:
                        declaration = Declaration(name, KINDS[kind], before + line, before + line + last, signature)
                        found.setdefault(name, []).append((oid, declaration))
        return found

    def _place(self, oids: Sequence[str]) -> None:
        """Have the pieces of some blobs in `_holders`."""
        self.ensure(oids)
        self._placed.update(oids)
        for oid in oids:
            for no, before in _PAIR.iter_unpack(self._known[oid][1]):
                self._holders.setdefault(no, []).append((oid, before))


_PAIR = Struct("<II")


def _pack(pairs: Iterable[tuple[int, int]]) -> bytes:
    return b"".join(_PAIR.pack(*pair) for pair in pairs)


def _prepared(path: str) -> sqlite3.Connection:
    """An open database with our tables, or sqlite3.DatabaseError where the file is none or is of another version."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        if path != ":memory:":
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA cache_size = -65536")  # 64 MiB: rows come by blob and are kept by name, all over the file
            db.execute("PRAGMA synchronous = OFF")  # a lost index is rebuilt; a kill of ours loses nothing
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _create(db)
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # nobody else made them while we waited
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.execute("ROLLBACK")
            raise sqlite3.DatabaseError("an index of another version")
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                db.execute(statement)
    db.execute("COMMIT")


def _parts(values: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(values)
    while part := list(islice(iterator, _MANY)):
        yield part


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))

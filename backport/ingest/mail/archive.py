"""What is known of many mails, in one SQLite file: which threads, series, files and patch-ids they belong to. Never their text.

Everything here can be made again from the source. Grouping and linking are worked out when they are asked for, from the threads
that matter: an archive that grew mail by mail thus answers as one that was read at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from backport.ingest.mail.subject import title_key
from backport.model.errors import EnvironmentFailedError
from backport.model.mail import Kind, Label, Post, Refused, Revision, Trailer, Version

_VERSION = 6
_SCHEMA = """
create table mail(
    number integer primary key, origin text, place text, id text, parents text, date integer, name text, address text,
    kind text, patch integer, pull integer, reply integer, major integer, minor integer, suffix text, labelled integer,
    k integer, n integer, tags text, title text, key text, patch_id text, blobs text, trailers text, change_id text,
    base_commit text, mentions text, whole integer,
    thread integer);
create table known(id text primary key, thread integer) without rowid;
create table refused(origin text, place text, line integer, why text);
create table origin(name text primary key, tip text);
create index mail_id on mail(id);
create index mail_thread on mail(thread);
create index mail_place on mail(place);
create index mail_key on mail(key, thread) where kind in ('patch', 'cover');
create index mail_patch on mail(patch_id) where patch_id != '';
create index mail_change on mail(change_id) where change_id != '';
create index mail_when on mail(date, kind, thread, address, key) where kind in ('patch', 'cover');
"""
FIELD, ITEM = "\x1f", "\x1e"
_MOST_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class Row:
    """A mail ready to be added: the ids that put it into a thread, and its columns."""

    ids: tuple[str, ...]
    values: tuple[object, ...]


class Archive:
    """One file, or a scratch file of SQLite's own where `path` is None; a context. A file of another version is made anew."""

    def __init__(self, path: Path | None) -> None:
        self._where = str(path or "a scratch file")
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path or "", timeout=60, isolation_level=None)
            self._db.execute("pragma synchronous = normal")  # a power failure may take the last reading back, nothing else
            self._threads: _Threads | None = None
            self._prepare()
        except OSError as error:
            what = f"cannot make the folder of the cache: {error.strerror}"
            raise EnvironmentFailedError(what, where=self._where, then="name another with XDG_CACHE_HOME") from error
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> EnvironmentFailedError:
        """What SQLite cannot do: a disk that is full, a file that is damaged."""
        then = "free some space, name another cache with XDG_CACHE_HOME, or remove the file: it is made again"
        return EnvironmentFailedError(f"cannot use the archive of mails: {error}", where=self._where, then=then)

    def _prepare(self) -> None:
        if self._db.execute("pragma user_version").fetchone()[0] == _VERSION:
            return
        self._db.execute("pragma journal_mode = wal")
        with self.change():
            if self._db.execute("pragma user_version").fetchone()[0] == _VERSION:
                return
            for (name,) in self._db.execute("select name from sqlite_master where type = 'table'").fetchall():
                self._db.execute(f'drop table "{name}"')
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"pragma user_version = {_VERSION}")

    @contextmanager
    def change(self) -> Iterator[None]:
        """All that is added inside is there together or not at all; other processes wait."""
        self._db.execute("begin immediate")
        try:
            self._threads = None
            yield
            if self._threads is not None:
                self._threads.write()
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # not where SQLite has gone back by itself, as it does on a full disk
                self._db.execute("rollback")
            raise

    def tip(self, origin: str) -> str:
        """Up to where a source was read, '' for a new one."""
        row = self._db.execute("select tip from origin where name = ?", (origin,)).fetchone()
        return row[0] if row else ""

    def set_tip(self, origin: str, tip: str) -> None:
        """Remember up to where a source was read."""
        self._db.execute("insert or replace into origin values(?, ?)", (origin, tip))

    def forget(self, origin: str) -> None:
        """Take out everything of a source: its history was rewritten. Threads that it held together stay together."""
        for table in ("mail", "refused"):
            self._db.execute(f"delete from {table} where origin = ?", (origin,))  # noqa: S608 - one of two words above
        self._db.execute("delete from origin where name = ?", (origin,))

    def remove(self, origin: str, places: Iterable[str]) -> None:
        """Take out mails that the source took back."""
        self._db.executemany("delete from mail where origin = ? and place = ?", ((origin, place) for place in places))

    def add(self, origin: str, rows: Iterable[Row]) -> int:
        """Add mails, in order, inside a `change`; how many. Each joins the thread of whatever it answers or is answered by."""
        threads = self._threads = self._threads or _Threads(self._db)
        number = first = (self._db.execute("select max(number) from mail").fetchone()[0] or 0) + 1
        mails: list[tuple[tuple[object, ...], int]] = []
        for row in rows:
            mails.append(((number, origin, *row.values), threads.join(row.ids)))
            number += 1
        finals = threads.settle()
        marks = ",".join("?" * 29)
        self._db.executemany(f"insert into mail values({marks})", ((*row, finals(thread)) for row, thread in mails))
        return number - first

    def refuse(self, origin: str, refused: Iterable[Refused]) -> None:
        """Remember the mails that were not read."""
        self._db.executemany("insert into refused values(?, ?, ?, ?)", ((origin, r.where, r.line, r.why) for r in refused))

    def refused(self) -> list[Refused]:
        """The mails that were not read."""
        return [Refused(*row) for row in self._db.execute("select place, line, why from refused order by rowid")]

    def count(self) -> int:
        """How many mails there are."""
        return int(self._db.execute("select count(*) from mail").fetchone()[0])

    # Questions.

    def count_threads(self) -> int:
        """How many threads have a patch or a cover."""
        return int(self._db.execute("select count(distinct thread) from mail where kind in ('patch', 'cover')").fetchone()[0])

    def thread_of(self, identity: str) -> int | None:
        """The thread of a message-id, None where the archive has no such mail."""
        row = self._db.execute("select thread from mail where id = ?", (identity,)).fetchone()
        return row[0] if row else None

    def named(self, kind: str, value: str) -> list[Post]:
        """The patches and covers with a patch-id, change-id or message-id, by date; `kind` is one of the three first words."""
        column = {"patch": "patch_id", "change": "change_id", "message": "id"}[kind]
        query = f"select * from mail where {column} = ? and kind in ('patch', 'cover') order by date"  # noqa: S608 - one of three
        return [_post(row) for row in self._db.execute(query, (value,))] if value else []

    def posts(self, threads: Sequence[int] | None = None) -> list[Post]:
        """The mails of some threads (or all), in the order in which the archive has them."""
        query = "select * from mail"
        if threads is None:
            return [_post(row) for row in self._db.execute(query + " order by number")]
        rows = self._among(query + " where thread in (%s)", threads)
        return [_post(row) for row in sorted(rows)]

    def titled(self, words: str) -> list[int]:
        """The threads with a patch or cover whose title holds these words, the newest last."""
        pattern = "%" + title_key(words).replace("%", "").replace("_", "\\_") + "%"
        posted = "select thread from mail indexed by mail_when where kind in ('patch', 'cover')"  # it has all that is asked
        query = posted + " and key like ? escape '\\' group by thread order by max(date)"
        return [row[0] for row in self._db.execute(query, (pattern,))]

    def related(self, revisions: Sequence[Revision], days: int) -> set[int]:
        """Threads that may hold another revision of these: equal titles, patch-ids or change-ids; or near in time and alike."""
        posts = [post for each in revisions for post in each.members]
        keys = {title_key(post.title) for post in posts if post.title}
        asked = (
            ("select thread from mail where key in (%s) and kind in ('patch', 'cover')", keys),
            ("select thread from mail where patch_id != '' and patch_id in (%s)", {p.patch_id for p in posts} - {""}),
            ("select thread from mail where change_id != '' and change_id in (%s)", {p.change_id for p in posts} - {""}),
            ("select thread from mail where id in (%s)", {name for post in posts for name in post.mentions}),
        )
        found = {row[0] for query, values in asked for row in self._among(query, values)}
        dates = [each.date for each in revisions if each.date]
        if dates:
            query = "select thread, address, key from mail where date between ? and ? and kind in ('patch', 'cover')"
            span = (min(dates) - days * 86400, max(dates) + days * 86400)
            people = {each.head.address for each in revisions}
            titles = {frozenset(title_key(each.title).split()) for each in revisions}  # most revisions have one title
            near = {row for row in self._db.execute(query, span) if row[0] not in found}
            spoken = {key: frozenset(key.split()) for _, _, key in near}
            found.update(t for t, who, key in near if who in people or any(_alike(spoken[key], words) for words in titles))
        return found

    def _among(self, query: str, values: Iterable[object]) -> list[tuple]:  # type: ignore[type-arg]
        """The rows of a query with `in (%s)`, whatever the number of values."""
        wanted = sorted(values, key=str)
        found = []
        for start in range(0, len(wanted), _MOST_VARIABLES):
            part = wanted[start : start + _MOST_VARIABLES]
            found += self._db.execute(query % ",".join("?" * len(part)), part).fetchall()
        return found


class _Threads:
    """Joins message-ids into threads: a union-find whose roots are thread numbers. A loop of references is one thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[str, int] = dict(db.execute("select id, thread from known"))
        self._stored = len(self._known)
        self._next = max(self._known.values(), default=0) + 1
        self._above: dict[int, int] = {}
        self._joined: list[int] = []

    def join(self, identities: Sequence[str]) -> int:
        """The thread of all these ids."""
        met = {self._root(self._known[name]) for name in identities if name in self._known}
        if met:
            thread = min(met)
            for other in met - {thread}:
                self._above[other] = thread
                self._joined.append(other)
        else:
            thread, self._next = self._next, self._next + 1
        for name in identities:
            self._known.setdefault(name, thread)
        return thread

    def settle(self) -> Callable[[int], int]:
        """Move the mails that are there already of threads that were joined; the function from a thread to what it is now."""
        moved = [(self._root(thread), thread) for thread in self._joined]
        self._db.executemany("update mail set thread = ? where thread = ?", moved)
        self._joined = []
        return self._root

    def write(self) -> None:
        """Write down which ids are in which thread, once for all that was added."""
        ids = list(self._known.items())
        moved = [(root, name) for name, old in ids[: self._stored] if (root := self._root(old)) != old]
        self._db.executemany("update known set thread = ? where id = ?", moved)
        new = sorted((name, self._root(thread)) for name, thread in ids[self._stored :])
        self._db.executemany("insert into known values(?, ?)", new)

    def _root(self, thread: int) -> int:
        while (above := self._above.get(thread)) is not None:
            thread = above
        return thread


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) * 2 >= max(len(one), len(other), 1)


def _post(row: tuple) -> Post:  # type: ignore[type-arg]
    (number, _, place, identity, parents, date, name, address, kind, patch, pull, reply, major, minor, suffix, labelled, k, n,
     tags, title, _, patch_id, blobs, trailers, change_id, base_commit, mentions, whole, thread) = row  # fmt: skip
    label = Label(bool(patch), bool(pull), bool(reply), Version(major, minor, suffix), bool(labelled), k, n, _items(tags), title)
    return Post(
        number, place, identity, _items(parents), date, name, address, label, Kind(kind), patch_id,
        tuple(_split(blobs)), tuple(Trailer(*pair) for pair in _split(trailers)), change_id, base_commit, _items(mentions),
        bool(whole), thread,
    )  # fmt: skip


def _split(joined: str) -> Iterator[tuple[str, str]]:
    for item in _items(joined):
        one, _, other = item.partition(FIELD)
        yield one, other


def _items(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(ITEM)) if joined else ()

"""What the job has done, in one SQLite file: every posting and commit once, whatever happens in between.

An event has a key that neither clock nor archive can change: the Message-ID with the patch-ids, or the commit. It is written
down in the same step in which its result becomes valid; killed before, it is done again into the same place.
"""

from __future__ import annotations

import fcntl
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from backport.model.errors import EnvironmentFailedError

_SCHEMA = """
create table if not exists event(
    number integer primary key autoincrement, key text unique, kind text, follow text, title text, date integer, status text,
    folder text, said text, told integer default 0);
create table if not exists tip(name text primary key, oid text);
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a followed series.

    `kind`: "revision", "merged", "fix", "revert", or "passed" (a posting that a later one had replaced when it was first seen:
    nothing was done). `status`: "ok", "person" (somebody must look), "failed" (`said` tells why). `date` is the posting's or the
    commit's own. `folder` is the result, '' where there is none.
    """

    key: str
    kind: str
    follow: str
    title: str
    date: int
    status: str
    folder: str
    said: str
    number: int = 0


class State:
    """The file, and the right to work on it. A second process that asks for it gets an EnvironmentFailedError (status 3)."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock: BinaryIO = (folder / "watch.lock").open("wb")
        except OSError as error:
            raise EnvironmentFailedError(f"cannot write there: {error.strerror}", where=str(folder)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise EnvironmentFailedError(
                "another watch is at work here", where=str(folder), then="wait until it is done"
            ) from error
        try:
            self._db = sqlite3.connect(folder / "watch.sqlite", isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            then = "move it away: everything is then handled again"
            raise EnvironmentFailedError(
                f"the state is damaged: {error}", where=str(folder / "watch.sqlite"), then=then
            ) from error

    def __enter__(self) -> State:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()
        self._lock.close()

    def knows(self, key: str) -> bool:
        """Whether an event was handled."""
        return self._db.execute("select 1 from event where key = ?", (key,)).fetchone() is not None

    @property
    def next_number(self) -> int:
        """The number that the next event will have; the same again where that one was not written down."""
        row = self._db.execute("select seq from sqlite_sequence where name = 'event'").fetchone()
        return (row[0] if row else 0) + 1

    def record(self, *events: Event) -> None:
        """These events are handled, all of them in one step: from now on for ever."""
        columns = "key, kind, follow, title, date, status, folder, said"
        self._db.execute("begin immediate")
        try:
            for event in events:
                values = (event.key, event.kind, event.follow, event.title, event.date, event.status, event.folder, event.said)
                self._db.execute(f"insert or ignore into event({columns}) values(?, ?, ?, ?, ?, ?, ?, ?)", values)
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def events(self, last: int = 0) -> list[Event]:
        """The events that left something to tell, in order; the `last` ones, or all."""
        rows = self._db.execute(
            "select key, kind, follow, title, date, status, folder, said, number from event"
            " where kind != 'passed' order by number"
        ).fetchall()
        return [Event(*row) for row in rows[-last if last else None :]]

    def untold(self) -> list[Event]:
        """Events of which --on-change was not told yet."""
        numbers = {row[0] for row in self._db.execute("select number from event where told = 0")}
        return [event for event in self.events() if event.number in numbers]

    def set_told(self, event: Event) -> None:
        """The command was told, and ended well."""
        self._db.execute("update event set told = 1 where number = ?", (event.number,))

    def tip(self, name: str) -> str:
        """Up to which commit a history was looked at, '' for a new one."""
        row = self._db.execute("select oid from tip where name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def set_tip(self, name: str, oid: str) -> None:
        """A history was looked at up to here."""
        self._db.execute("insert or replace into tip values(?, ?)", (name, oid))

    def keys(self, prefix: str) -> list[str]:
        """The handled keys that begin so."""
        return [row[0] for row in self._db.execute("select key from event order by number") if row[0].startswith(prefix)]

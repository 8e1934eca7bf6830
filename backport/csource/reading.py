"""What many blobs declare: read from the object store in one go, on as many processors as pay for themselves."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import NamedTuple

from backport.csource.pieces import Piece, cut
from backport.csource.rows import Job, Rows, rows_of_all
from backport.git.store import Store

_WORTH = 100  # blobs from which helper processes pay for their start (0.2 s)
_BATCH = 150_000  # bytes a task
_AHEAD = 60  # tasks in the queue: 9 MB, enough to keep the helpers busy while their rows go into a table
LARGEST = 8 << 20  # a larger "source" is a table or no source: read as far as this


_Found = list[list[Rows] | Rows]


class Read(NamedTuple):
    """A blob: its pieces, and what those declare that were not known, by digest. Where it had to be read `whole`, only that."""

    oid: str
    pieces: list[Piece]
    fresh: dict[bytes, Rows]
    whole: Rows | None = None


class _Cut(NamedTuple):
    oid: str
    text: bytes
    pieces: list[Piece]
    asked: Sequence[Piece] = ()

    @property
    def job(self) -> Job:
        return self.text, tuple((piece.start, piece.end) for piece in self.asked)


class Reader:
    """Reads blobs and says what they declare. `processes` 0: as many helpers as there are processors, up to four."""

    def __init__(self, store: Store, processes: int = 0) -> None:
        self._store = store
        self._processes = processes or min(4, os.cpu_count() or 1)
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the helper processes, if there are any."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def read(self, oid: str) -> bytes:
        """The text of one blob."""
        return self._store.read(oid)

    def blobs(self, oids: Sequence[str], known: Callable[[Collection[bytes]], Collection[bytes]]) -> Iterator[Read]:
        """What each blob declares, in order. While the caller does something with one, the helpers read on.

        `known` is asked which of some digests of pieces need not be read.
        """
        many = self._processes > 1 and len(oids) >= _WORTH
        if not many:
            self._store.prefetch(oids)
        texts = self._store.stream(oids) if many else ((oid, self._store.read(oid)) for oid in oids)
        waiting: deque[tuple[list[_Cut], Future[_Found] | None]] = deque()
        for batch in _batches(texts, known):
            waiting.append((batch, self._submitted(batch) if many else None))
            if len(waiting) > (_AHEAD if many else 0):
                yield from self._finished(*waiting.popleft())
        while waiting:
            yield from self._finished(*waiting.popleft())

    def _submitted(self, batch: Sequence[_Cut]) -> Future[_Found] | None:
        """A task, None where there are no helpers to be had (any more)."""
        if self._processes < 2:
            return None
        from backport.git.worker import begin  # late: few runs start helpers

        try:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self._processes, mp_context=_context(), initializer=begin)
            return self._pool.submit(rows_of_all, [each.job for each in batch if each.asked])
        except (BrokenProcessPool, OSError, RuntimeError):
            self._processes = 1
            return None

    def _finished(self, batch: Sequence[_Cut], task: Future[_Found] | None) -> Iterator[Read]:
        found: _Found | None = None
        if task is not None:
            with suppress(BrokenProcessPool, OSError):  # killed for memory: slower, not wrong
                found = task.result()
            if found is None:
                self._processes = 1
        answers = iter(found if found is not None else rows_of_all([each.job for each in batch if each.asked]))
        for each in batch:
            answer: list[Rows] | Rows = next(answers) if each.asked else []
            if isinstance(answer, Rows):
                yield Read(each.oid, [], {}, answer)
            else:
                yield Read(each.oid, each.pieces, dict(zip((piece.digest for piece in each.asked), answer, strict=True)))


def _batches(texts: Iterable[tuple[str, bytes]], known: Callable[[Collection[bytes]], Collection[bytes]]) -> Iterator[list[_Cut]]:
    """The files cut, some at a time, each with its pieces that are not known."""
    batch: list[_Cut] = []
    size = 0
    for oid, whole in texts:
        text = whole[:LARGEST]
        batch.append(_Cut(oid, text, cut(text)))
        size += len(text)
        if size >= _BATCH:
            yield _asking(batch, known)
            batch, size = [], 0
    if batch:
        yield _asking(batch, known)


def _asking(batch: list[_Cut], known: Callable[[Collection[bytes]], Collection[bytes]]) -> list[_Cut]:
    kept = known({piece.digest for each in batch for piece in each.pieces})
    return [each._replace(asked=[piece for piece in each.pieces if piece.digest not in kept]) for each in batch]


def _context() -> multiprocessing.context.BaseContext:
    """Helpers come from a server that is forked before any thread can hold a lock: rich draws its progress bar in one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["backport.csource.rows"])
    return context

"""What many blobs declare: read from the object store in one go, on as many processors as pay for themselves."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

from backport.csource.rows import Rows, rows_of, rows_of_all
from backport.git.store import Store

_WORTH = 100  # blobs from which helper processes pay for their start (0.2 s)
_BATCH = 150_000  # bytes a task
_AHEAD = 60  # tasks in the queue: 9 MB, enough to keep the helpers busy while their rows go into a table
LARGEST = 8 << 20  # a larger "source" is a table or no source: read as far as this


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

    def rows(self, oids: Sequence[str]) -> Iterator[tuple[str, Rows]]:
        """What each blob declares, in order. While the caller does something with one, the helpers read on."""
        if self._processes < 2 or len(oids) < _WORTH:
            self._store.prefetch(oids)
            yield from ((oid, rows_of(self._store.read(oid)[:LARGEST])) for oid in oids)
            return
        waiting: deque[tuple[list[str], list[bytes], Future[list[Rows]] | None]] = deque()
        for names, texts in self._batches(oids):
            waiting.append((names, texts, self._submitted(texts)))
            if len(waiting) > _AHEAD:
                yield from self._finished(*waiting.popleft())
        while waiting:
            yield from self._finished(*waiting.popleft())

    def _batches(self, oids: Sequence[str]) -> Iterable[tuple[list[str], list[bytes]]]:
        names: list[str] = []
        texts: list[bytes] = []
        size = 0
        for oid, text in self._store.stream(oids):
            names.append(oid)
            texts.append(text[:LARGEST])
            size += len(texts[-1])
            if size >= _BATCH:
                yield names, texts
                names, texts, size = [], [], 0
        if names:
            yield names, texts

    def _submitted(self, texts: list[bytes]) -> Future[list[Rows]] | None:
        """A task, None where there are no helpers to be had (any more)."""
        if self._processes < 2:
            return None
        try:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self._processes, mp_context=_context())
            return self._pool.submit(rows_of_all, texts)
        except (BrokenProcessPool, OSError, RuntimeError):
            self._processes = 1
            return None

    def _finished(self, names: list[str], texts: list[bytes], task: Future[list[Rows]] | None) -> Iterator[tuple[str, Rows]]:
        found: list[Rows] | None = None
        if task is not None:
            with suppress(BrokenProcessPool, OSError):  # killed for memory: slower, not wrong
                found = task.result()
        if found is None:
            self._processes = 1
            found = rows_of_all(texts)
        yield from zip(names, found, strict=True)


def _context() -> multiprocessing.context.BaseContext:
    """Helpers come from a server that is forked before any thread can hold a lock: rich draws its progress bar in one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["backport.csource.rows"])
    return context

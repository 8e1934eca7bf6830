"""Outlines of many blobs: read from the object store in one go, on as many processors as pay for themselves."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from backport.csource.outline import Outline, outline
from backport.git.store import Store

_WORTH = 400_000  # bytes from which a second process pays for its start (0.03 s)
_BATCH = 100_000  # bytes a task
_SLICE = 2000  # blobs asked for at once: bounds the memory over a whole tree
LARGEST = 8 << 20  # a larger "source" is a table or no source: read as far as this


class Reader:
    """Reads blobs and outlines them. `processes` 0: as many as there are processors, up to four."""

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

    def outlines(self, oids: Sequence[str]) -> Iterator[tuple[str, Outline]]:
        """Each blob's outline, in order."""
        for start in range(0, len(oids), _SLICE):
            part = oids[start : start + _SLICE]
            self._store.prefetch(part)
            texts = [self._store.read(oid)[:LARGEST] for oid in part]
            yield from zip(part, self._outlines(texts), strict=True)

    def _outlines(self, texts: Sequence[bytes]) -> list[Outline]:
        if self._processes < 2 or sum(map(len, texts)) < _WORTH:
            return [outline(text) for text in texts]
        if self._pool is None:
            context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context)
        try:
            return [found for batch in self._pool.map(_outline_all, _batches(texts)) for found in batch]
        except (BrokenProcessPool, OSError):  # killed for memory, no processes to be had: slower, not wrong
            self._processes = 1
            return [outline(text) for text in texts]


def _outline_all(texts: Sequence[bytes]) -> list[Outline]:
    return [outline(text) for text in texts]


def _batches(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch

"""A public-inbox archive on this machine: its epochs, read on from the last commit that was seen.

git is only imported where something is new: a question to an archive that was read before needs none.
"""

from __future__ import annotations

import importlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from backport.git.clone import Clone, open_clone, tip_of
from backport.ingest.mail.archive import Archive, Row
from backport.ingest.mail.boxes import Found, shown
from backport.model.mail import Refused
from backport.model.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from backport.git.store import Store

_BATCH = 500
_CHUNK = 2000
_AHEAD = 3
_WORTH = 1000


def epochs(path: Path, *, sure: bool = False) -> list[Clone]:
    """The epochs of an archive, oldest first: `git/0.git`, `git/1.git` ... below the folder, or the folder is one itself.

    None where it is no public-inbox archive: an epoch's newest commit has nothing but the file `m` or `d`. That is not looked at
    where the caller is `sure`, since it costs a process.
    """
    below = sorted((path / "git").glob("[0-9]*.git"), key=lambda each: int(each.stem)) if (path / "git").is_dir() else []
    if below:
        return [open_clone(each) for each in below]
    if not ((path / "objects").is_dir() or (path / ".git").exists()) or not tip_of(clone := open_clone(path)):
        return []
    if sure:
        return [clone]
    from backport.git.trees import Trees

    with _store([clone]) as store:
        tree = store.read(tip_of(clone), "commit")[5:45].decode()
        return [clone] if set(Trees(store).listing(tree)) <= {b"m", b"d"} else []


def update(archive: Archive, clones: Sequence[Clone], progress: Progress) -> int:
    """Read what the epochs have that the archive has not; how many mails that were. Nothing is started where nothing is new.

    Killed at any moment, the archive is as it was before the epoch. An epoch whose history was rewritten is read again whole.
    """
    new = [(clone, tip) for clone in clones if (tip := tip_of(clone)) and tip != archive.tip(shown(clone.git_dir))]
    return sum(_update(archive, clone, tip, progress) for clone, tip in new)


def _update(archive: Archive, clone: Clone, tip: str, progress: Progress) -> int:
    origin = shown(clone.git_dir)
    total = 0
    with _store([clone]) as store, archive.change():
        events, broken = _events(archive, store, origin, tip)
        gone = {blob for blob, here in events if not here}
        blobs = [blob for blob, here in events if here and blob not in gone]
        archive.remove(origin, gone)
        with _workers(len(blobs)) as pool:
            progress.stage("ingest", len(blobs))
            rows = _rows(clone, blobs, pool)
            while found := list(islice(rows, _CHUNK)):
                total += archive.add(origin, (row for row in found if isinstance(row, Row)))
                archive.refuse(origin, (row for row in found if isinstance(row, Refused)))
                for _ in found:
                    progress.step("")
        archive.refuse(origin, broken)
        archive.set_tip(origin, "" if broken else tip)  # what is broken is read again, lest it has been mended
    progress.done(f"{total} mails")
    return total


def _events(archive: Archive, store: Store, origin: str, tip: str) -> tuple[list[tuple[str, bool]], list[Refused]]:
    """What came and went since the epoch was read last, all of it where its history is another now; and what cannot be read."""
    from backport.git.inbox import brought
    from backport.git.runner import GitFailedError

    since = archive.tip(origin)
    try:
        events = brought(store, since, tip) if since else None
        if events is None:
            archive.forget(origin)
            events = brought(store, "", tip)
    except GitFailedError as error:
        archive.forget(origin)
        events = brought(store, "", tip, whole=False)
        last = error.stderr.splitlines()[-1:] or ["git cannot read it"]
        return events or [], [Refused(origin, 0, f"the archive is cut off, what is older was not read: {last[0]}")]
    return events or [], []


@contextmanager
def _store(clones: Sequence[Clone]) -> Iterator[Store]:
    import tempfile

    from backport.git.store import Store

    with tempfile.TemporaryDirectory(prefix="backport-") as folder, Store(Path(folder), [c.objects for c in clones]) as store:
        yield store


def understand(clone: Clone, blobs: Sequence[str]) -> list[Row | Refused]:
    """What an archive keeps of an epoch's mails, in order, or why one is refused. With a git of its own: a worker calls it.

    Where git cannot read one, it dies: the halves are then tried until that one is left alone.
    """
    from backport.git.inbox import mails
    from backport.ingest.mail.message import LARGEST, MailRefusedError, too_large
    from backport.ingest.mail.posts import read
    from backport.ingest.mail.rows import row_of
    from backport.model.errors import BackportError

    made: list[Row | Refused] = []
    try:
        with _store([clone]) as store:
            for where, raw in mails(store, blobs, LARGEST):
                try:
                    made.append(row_of(read(raw, where)) if isinstance(raw, bytes) else Refused(where, 0, too_large(raw)))
                except MailRefusedError as error:
                    made.append(Refused(where, error.line, error.what))
    except BackportError as error:
        half = len(blobs) // 2
        if not half:
            return [Refused(blobs[0], 0, f"git cannot read the mail: {error.what}")]
        return understand(clone, blobs[:half]) + understand(clone, blobs[half:])
    return made


def _rows(clone: Clone, blobs: Sequence[str], pool: Executor | None) -> Iterator[Row | Refused]:
    """All mails understood, in order: by the pool a few batches ahead, so that neither memory nor a core is wasted."""
    batches = [blobs[start : start + _BATCH] for start in range(0, len(blobs), _BATCH)]
    if pool is None:
        yield from (row for batch in batches for row in understand(clone, batch))
        return
    ahead: deque[Future[list[Row | Refused]]] = deque()
    for batch in batches:
        ahead.append(pool.submit(understand, clone, batch))
        if len(ahead) > _AHEAD:
            yield from ahead.popleft().result()
    while ahead:
        yield from ahead.popleft().result()


@contextmanager
def _workers(count: int) -> Iterator[Executor | None]:
    """Processes to share the work with, where there is enough of it and more than one core; all started while no git runs.

    A worker that was forked later would hold git's pipes open, and git would wait for more. What they need is imported before,
    so that it is done once.
    """
    cores = len(os.sched_getaffinity(0))
    if count < _WORTH or cores < 2:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from backport.git.worker import begin

    importlib.import_module("backport.ingest.mail.rows")
    with ProcessPoolExecutor(min(cores, 4), get_context("fork"), begin) as pool:
        pool.submit(len, ()).result()
        yield pool


def again(clones: Sequence[Clone], wheres: Sequence[str]) -> list[Found]:
    """Some mails of an archive again, by the ids of their blobs."""
    from backport.git.inbox import mails
    from backport.ingest.mail.message import LARGEST

    with _store(clones) as store:
        return [Found(where, raw) for where, raw in mails(store, wheres, LARGEST) if isinstance(raw, bytes)]

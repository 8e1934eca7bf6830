"""A public-inbox archive on this machine: its epochs, read on from the last commit that was seen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backport.git.clone import Clone, open_clone, tip_of
from backport.git.inbox import brought, mails
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.mail.archive import Archive
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.message import MailRefusedError
from backport.ingest.mail.posts import Read, read
from backport.model.mail import Refused
from backport.model.progress import Progress

_BATCH = 2000


def epochs(path: Path) -> list[Clone]:
    """The epochs of an archive, oldest first: `git/0.git`, `git/1.git` ... below the folder, or the folder is one itself.

    None where it is no public-inbox archive: an epoch's newest commit has nothing but the file `m` or `d`.
    """
    below = sorted((path / "git").glob("[0-9]*.git"), key=lambda each: int(each.stem)) if (path / "git").is_dir() else []
    if below:
        return [open_clone(each) for each in below]
    if not ((path / "objects").is_dir() or (path / ".git").exists()) or not tip_of(clone := open_clone(path)):
        return []
    with _store([clone]) as store:
        tree = store.read(tip_of(clone), "commit")[5:45].decode()
        return [clone] if set(Trees(store).listing(tree)) <= {b"m", b"d"} else []


def update(archive: Archive, clones: Sequence[Clone], progress: Progress) -> int:
    """Read what the epochs have that the archive has not; how many mails that were. Nothing is started where nothing is new.

    Killed at any moment, the archive is as it was before the epoch. An epoch whose history was rewritten is read again whole.
    """
    new = [(clone, tip) for clone in clones if (tip := tip_of(clone)) and tip != archive.tip(str(clone.git_dir))]
    return sum(_update(archive, clone, tip, progress) for clone, tip in new)


def _update(archive: Archive, clone: Clone, tip: str, progress: Progress) -> int:
    origin = str(clone.git_dir)
    total = 0
    with _store([clone]) as store, archive.change():
        events = brought(store, archive.tip(origin), tip)
        if events is None:
            archive.forget(origin)
            events = brought(store, "", tip) or []
        gone = {blob for blob, here in events if not here}
        blobs = [blob for blob, here in events if here and blob not in gone]
        archive.remove(origin, gone)
        progress.stage("ingest", len(blobs))
        for start in range(0, len(blobs), _BATCH):
            refused: list[Refused] = []
            total += archive.add(origin, _understood(mails(store, blobs[start : start + _BATCH]), refused, progress))
            archive.refuse(origin, refused)
        archive.set_tip(origin, tip)
    progress.done(f"{total} mails")
    return total


@contextmanager
def _store(clones: Sequence[Clone]) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, Store(Path(folder), [c.objects for c in clones]) as store:
        yield store


def _understood(found: Iterator[tuple[str, bytes]], refused: list[Refused], progress: Progress) -> Iterator[Read]:
    for blob, raw in found:
        progress.step(blob[:12])
        try:
            yield read(raw, blob)
        except MailRefusedError as error:
            refused.append(Refused(blob, error.line, error.what))


def again(clones: Sequence[Clone], wheres: Sequence[str]) -> list[Found]:
    """Some mails of an archive again, by the ids of their blobs."""
    with _store(clones) as store:
        return [Found(where, raw) for where, raw in mails(store, list(wheres))]

"""Opens whatever mails come from: says what kind it is, and reads it into an archive in the cache or in a scratch file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backport.ingest.mail import boxes, inbox
from backport.ingest.mail.archive import Archive, Row
from backport.ingest.mail.boxes import Box, Found
from backport.model.mail import Refused
from backport.model.progress import Progress

if TYPE_CHECKING:
    from backport.ingest.mail.branch import Branch
    from backport.ingest.mail.quilt import Quilt

_IDENTITY = re.compile(r"<?[^<>\s/@]+@[^<>\s/@]+>?")
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Mails:
    """A source that was read: what is known of its mails, and the way back to their bytes."""

    name: str
    archive: Archive
    read: Callable[[Sequence[str]], list[Found]]
    new: int


@contextmanager
def open_mails(source: str, cache: Path, progress: Progress, guards: Sequence[str] = ()) -> Iterator[Mails]:
    """A source, read. Only a public-inbox archive is remembered, in `cache`: the rest is read again each time.

    InputError where there is nothing of that name.
    """
    with ExitStack() as stack:
        if is_thread(source):
            import tempfile

            from backport.ingest.mail import lore

            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backport-")))
            progress.stage("fetch", 1)
            lore.fetch(lore.thread_url(source), folder / "t.mbox.gz")
            progress.done(lore.thread_url(source))
            yield _scratch(stack, source, Box(folder / "t.mbox.gz"), progress)
            return
        path = Path(source).expanduser()
        kept = cache / "mail" / f"{_name(path)}.sqlite"
        if path.is_dir() and (clones := inbox.epochs(path, sure=kept.is_file())):
            archive = stack.enter_context(Archive(kept))
            new = inbox.update(archive, clones, progress)
            yield Mails(source, archive, lambda wheres: inbox.again(clones, wheres), new)
            return
        yield _scratch(stack, source, _box(source, path, guards), progress)


def _box(source: str, path: Path, guards: Sequence[str]) -> Box | Quilt | Branch:
    """What else a source can be: commits, a quilt series, files of mails."""
    from backport.ingest.mail.branch import branch_of
    from backport.ingest.mail.quilt import Quilt, is_series

    if not path.exists() and (commits := branch_of(source)) is not None:
        return commits
    boxes.check(path)
    if series := is_series(path):
        return Quilt(series, guards)
    branch_of(source)  # refuses a repository, which is no folder of mails
    return Box(path)


def is_thread(source: str) -> bool:
    """Whether a source is a Message-ID or a URL, and no file."""
    return re.match(r"https?://", source) is not None or (_IDENTITY.fullmatch(source) is not None and not Path(source).exists())


def _name(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:20]


def _scratch(stack: ExitStack, source: str, box: Box | Quilt | Branch, progress: Progress) -> Mails:
    """A source that is read anew each time, into an archive that goes away."""
    from backport.ingest.mail.message import MailRefusedError
    from backport.ingest.mail.posts import read
    from backport.ingest.mail.rows import row_of

    archive = stack.enter_context(Archive(None))
    origin = boxes.shown(source)
    progress.stage("ingest", 0)
    total = 0
    pending: list[Row] = []
    with archive.change():
        for found in box.walk():
            refused = found.refused
            if refused is None:
                try:
                    pending.append(row_of(read(found.raw, found.where)))
                except MailRefusedError as error:
                    refused = Refused(found.where, error.line, error.what)
            if refused is not None:
                archive.refuse(origin, [refused])
            progress.step(found.where)
            if len(pending) >= _BATCH:
                total += archive.add(origin, pending)
                pending = []
        total += archive.add(origin, pending)
    progress.done(f"{total} mails")
    return Mails(source, archive, box.read, total)

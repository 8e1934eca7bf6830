"""Questions to a posted series that need both the mails and a history."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from backport.ingest.mail import lives
from backport.ingest.mail.source import Mails, open_mails
from backport.ingest.sources import open_sources
from backport.mainline import Posted, fate, with_dropped
from backport.model.mail import Fate, Lineage
from backport.model.progress import Progress
from backport.settings import cache_folder


def life(
    name: str,
    source: str,
    kernels: Sequence[str],
    tip: str,
    progress: Progress,
    look: Callable[[Mails, Lineage], None] = lambda mails, found: None,
) -> tuple[Lineage, Fate | None]:
    """The life of a series in some mail, and what became of its patches; None where no history is given to look in.

    `look` is called while the mails can still be read.
    """
    with open_mails(source, cache_folder(), progress) as mails:
        found = lives.life(mails.archive, name)
        look(mails, found)
        last = next((each for each in reversed(found.revisions) if each.posts), None)
        if last is None or not kernels:
            return found, None
        posts, _ = lives.completed(last, found)
        gone = {each.patch for each in found.dropped}
        left = [post for each in found.revisions for post in each.posts if post.message_id in gone]
        raws = mails.read([post.where for post in (*posts, *left)])
        patches = [Posted(post, raw.raw) for post, raw in zip((*posts, *left), raws, strict=True)]
    first = min((each.date for each in found.revisions if each.date), default=0)
    sources = open_sources(kernels, [tip], cache_folder(), progress)
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        progress.stage("mainline", 0)
        now, before = (fate(some, first, sources.clones, tip, store) for some in (patches[: len(posts)], patches[len(posts) :]))
        outcome = with_dropped(now, before, last.date)
        progress.done(f"{len(outcome.became)} of {len(patches)} patches found")
    return found, outcome

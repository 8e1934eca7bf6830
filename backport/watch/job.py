"""One round of the job: new postings of followed series through the whole stair, what was merged of them, what fixes that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from backport.ingest.mail import lives
from backport.ingest.mail.adopt import Wish, adopt
from backport.ingest.mail.source import Mails, open_mails
from backport.model.definition import Definition
from backport.model.mail import Lineage, Revision
from backport.model.progress import Progress, Silent
from backport.package import atomic
from backport.report import atom
from backport.settings import cache_folder
from backport.watch import mainline, results
from backport.watch.config import Follow, Watch
from backport.watch.state import Event, State

_FEED = 100


def once(watch: Watch, state: State, progress: Progress) -> list[Event]:
    """Everything that is new, handled and written down; the events of this round. What fails is an event as well."""
    first = state.next_number
    results.sweep(watch.results)
    postings: list[tuple[Follow, mainline.Last]] = []
    for source in watch.mail:
        with open_mails(source, cache_folder(), progress) as mails:
            revisions = lives.all_revisions(mails.archive)
            for follow in watch.follows:
                for found in _lineages(follow, revisions, mails):
                    _posted(watch, follow, source, found, state, progress)
                    last = mainline.last_posting(found, mails) if watch.kernels else None
                    postings += [(follow, last)] if last is not None else []
    if watch.kernels:
        mainline.look(watch, postings, state, progress)
    events = state.events(_FEED)
    feed = [
        atom.Entry(e.key, f"{e.follow}: {e.kind} {e.title}", e.date, f"{e.status}. {e.said}".strip(), e.folder) for e in events
    ]
    atomic.put(watch.results / "feed.atom", atom.render(f"backport watch: {watch.source.name}", feed))
    return [event for event in state.events() if event.number >= first]


def _lineages(follow: Follow, revisions: Sequence[Revision], mails: Mails) -> Iterator[Lineage]:
    """The life of each followed series, once."""
    taken = [each for each in reversed(revisions) if each.posts and follow.takes(each)]
    if follow.lists:
        heads = mails.read([each.posts[0].where for each in taken])
        taken = [each for each, head in zip(taken, heads, strict=True) if follow.reads(head.raw)]
    seen: set[str] = set()
    for revision in taken:
        if revision.identity not in seen:
            found = lives.life(mails.archive, revision.identity)
            seen.update(each.identity for each in found.revisions)
            yield found


def _posted(watch: Watch, follow: Follow, source: str, found: Lineage, state: State, progress: Progress) -> None:
    """The newest posting that is whole; the ones that it had replaced already are passed over, and that is written down."""
    whole = [each for each in found.revisions if each.posts and each.whole]
    for each in whole[:-1]:
        if not state.knows(_key(follow, each)):
            state.record(Event(_key(follow, each), "passed", follow.name, each.title, each.date, "ok", "", ""))
    for each in whole[-1:]:
        if not state.knows(_key(follow, each)):
            said = f"{each.version}, {len(each.posts)} patches"
            event = Event(_key(follow, each), "revision", follow.name, each.title, each.date, "ok", "", said)
            wish = Wish(follow.name, source, each.identity, each.identity, onto=watch.targets[0] if watch.targets else "")

            def define(patches: Path, wish: Wish = wish) -> Definition:
                return adopt(wish, watch.kernels, patches, Silent()).definition

            results.handle(watch, follow, str(each.version), [event], define, state, progress)


def _key(follow: Follow, revision: Revision) -> str:
    """Message-ID and patch-ids: an archive that is read again, or a clock set back, makes no new event of an old posting."""
    changes = hashlib.sha256("\0".join(post.patch_id for post in revision.posts).encode()).hexdigest()[:16]
    return f"revision:{follow.name}:{revision.identity}:{changes}"

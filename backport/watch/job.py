"""One round of the job: new postings of followed series through the whole stair, what was merged of them, what fixes that."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from backport import pipeline
from backport.git.clone import resolve_one
from backport.git.history import History
from backport.git.since import naming
from backport.ingest.mail import lives
from backport.ingest.mail.adopt import Wish, adopt
from backport.ingest.mail.source import Mails, open_mails
from backport.ingest.sources import open_sources
from backport.mainline import Posted, fate
from backport.model.errors import BackportError
from backport.model.mail import Lineage, Revision
from backport.model.progress import Progress, Silent
from backport.model.result import RunResult
from backport.package import atomic
from backport.report import atom, junit, sarif
from backport.report.markdown import render
from backport.settings import cache_folder
from backport.watch.config import Follow, Watch
from backport.watch.state import Event, State

_FEED = 100
_WORK = ".new-"


def once(watch: Watch, state: State, progress: Progress) -> list[Event]:
    """Everything that is new, handled and written down; the events of this round. What fails is an event as well."""
    first = state.next_number
    for left in watch.results.glob(f"{_WORK}*"):  # of a round that was killed: the lock is ours, so nobody works there
        shutil.rmtree(left, ignore_errors=True)
    for source in watch.mail:
        with open_mails(source, cache_folder(), progress) as mails:
            revisions = lives.all_revisions(mails.archive)
            for follow in watch.follows:
                for found in _lineages(follow, revisions, mails):
                    _posted(watch, follow, source, found, state, progress)
                    _merged(watch, follow, found, mails, state)
    if watch.kernels:
        _fixes(watch, state)
    events = state.events(_FEED)
    feed = [
        atom.Entry(e.key, f"{e.follow}: {e.kind} {e.title}", e.date, f"{e.status}. {e.said}".strip(), e.folder) for e in events
    ]
    atomic.put(watch.results / "feed.atom", atom.render(f"backport watch: {watch.source.name}", feed))
    return [event for event in state.events() if event.number >= first]


def _lineages(follow: Follow, revisions: Sequence[Revision], mails: Mails) -> Iterator[Lineage]:
    """The life of each followed series, once."""
    seen: set[str] = set()
    for revision in reversed(revisions):
        if revision.posts and revision.identity not in seen and follow.takes(revision):
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
            state.record(_handled(watch, follow, source, each, state.next_number, progress))


def _key(follow: Follow, revision: Revision) -> str:
    """Message-ID and patch-ids: an archive that is read again, or a clock set back, makes no new event of an old posting."""
    changes = hashlib.sha256("\0".join(post.patch_id for post in revision.posts).encode()).hexdigest()[:16]
    return f"revision:{follow.name}:{revision.identity}:{changes}"


def _handled(watch: Watch, follow: Follow, source: str, revision: Revision, number: int, progress: Progress) -> Event:
    """A posting walked down the stair for each target, and its result in place."""
    name = f"{number:05d}-{follow.name}-{re.sub(r'[^A-Za-z0-9.-]', '-', str(revision.version))}"
    results: list[RunResult] = []
    status, said = "ok", f"{revision.version}, {len(revision.posts)} patches"
    with tempfile.TemporaryDirectory(prefix=_WORK, dir=watch.results) as folder:
        work = Path(folder) / name
        work.mkdir()
        try:
            if watch.targets:
                wish = Wish(follow.name, source, revision.identity, revision.identity, onto=watch.targets[0])
                definition = adopt(wish, watch.kernels, work / "patches", Silent()).definition
                for target in watch.targets:
                    place = work / re.sub(r"[^A-Za-z0-9.-]", "-", target)
                    results.append(pipeline.run(pipeline.Options(definition, watch.kernels, target, place, srpm=False), progress))
            status = "person" if any(result.needs_person for result in results) else "ok"
        except BackportError as error:
            status, said = "failed", f"{said}: {error}"
        event = Event(_key(follow, revision), "revision", follow.name, revision.title, revision.date, status, name, said, number)
        _write(work, event, results)
        final = watch.results / name
        shutil.rmtree(final, ignore_errors=True)  # of a round that was killed before it was written down
        work.rename(final)
    return event


def _write(work: Path, event: Event, results: Sequence[RunResult]) -> None:
    atomic.put(work / "event.json", (json.dumps(as_json(event), indent=2) + "\n").encode())
    atomic.put(work / "junit.xml", junit.render(event.follow, results, event.said if event.status == "failed" else ""))
    atomic.put(work / "summary.md", "\n".join([f"# {junit.clean(event.follow)}\n", *map(render, results)]).encode())
    if results:
        findings = [found for result in results for found in result.findings]
        atomic.put(work / "findings.sarif", sarif.render(findings, results[0].tool.partition(" ")[2]))


def as_json(event: Event) -> dict[str, object]:
    """What --on-change gets on its standard input, and what event.json holds."""
    return {
        "schema": "backport-watch/1", "key": event.key, "kind": event.kind, "follow": event.follow, "title": event.title,
        "date": event.date, "status": event.status, "folder": event.folder, "said": event.said, "number": event.number,
    }  # fmt: skip


def _merged(watch: Watch, follow: Follow, found: Lineage, mails: Mails, state: State) -> None:
    """Commits that patches of the last posting became and that were not told before."""
    last = next((each for each in reversed(found.revisions) if each.posts), None)
    if last is None or not watch.kernels:
        return
    posts, _ = lives.completed(last, found) if last.whole else (last.posts, ())
    patches = [Posted(post, raw.raw) for post, raw in zip(posts, mails.read([post.where for post in posts]), strict=True)]
    since = min((each.date for each in found.revisions if each.date), default=0)
    sources = open_sources(watch.kernels, [watch.branch], cache_folder(), Silent())
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        for each in fate(patches, since, sources.clones, watch.branch, store).became:
            key = f"merged:{follow.name}:{each.commit}"
            if not state.knows(key):
                how = (
                    f"{each.commit[:12]} by {each.rule}, {each.distance} % of the lines differ, {each.release or 'in no release'}"
                )
                date = _date(History(store), each.commit)
                state.record(Event(key, "merged", follow.name, each.subject, date, "ok", "", how))


def _fixes(watch: Watch, state: State) -> None:
    """Commits that say `Fixes:` of one that a followed series became, from where the branch was left."""
    sources = open_sources(watch.kernels, [watch.branch], cache_folder(), Silent())
    tip = resolve_one(sources.clones, watch.branch, f"{watch.source}: branch")
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        for follow in watch.follows:
            merged = [key.rpartition(":")[2] for key in state.keys(f"merged:{follow.name}:")]
            place = f"{follow.name}:{len(merged)}"  # one more merged commit is one more to look for, from the beginning
            for landed in naming(store, merged, state.tip(place), tip):
                key = f"fix:{follow.name}:{landed.commit}"
                if not state.knows(key):
                    said = f"{landed.commit[:12]} says that it fixes a part of it"
                    date = _date(History(store), landed.commit)
                    state.record(Event(key, "fix", follow.name, landed.subject, date, "person", "", said))
            state.set_tip(place, tip)


def _date(history: History, commit: str) -> int:
    return int(history.commit(commit).committer.rpartition(b"> ")[2].split(b" ")[0])

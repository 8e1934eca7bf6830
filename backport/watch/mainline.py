"""What became of followed series in the history, and which later commits fix or revert that."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.git.clone import Clone, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.git.versions import positions
from backport.ingest import catalog
from backport.ingest.commits import ingest, read_patches
from backport.ingest.mail import lives
from backport.ingest.mail.source import Mails
from backport.ingest.select import write
from backport.ingest.sources import open_sources
from backport.mainline import Posted, fate
from backport.model.definition import DefinedCommit, Definition
from backport.model.followups import FollowUp, Rank
from backport.model.mail import Lineage
from backport.model.progress import Progress, Silent
from backport.model.series import Series, squeezed
from backport.replay.followups.later import follow_ups
from backport.replay.situation import Library
from backport.settings import cache_folder
from backport.watch.config import Follow, Watch
from backport.watch.results import handle
from backport.watch.state import Event, State


@dataclass(frozen=True, slots=True)
class Last:
    """The last posting of a followed series with its bytes, and when the first one was made."""

    patches: tuple[Posted, ...]
    since: int


def last_posting(found: Lineage, mails: Mails) -> Last | None:
    """What is to be looked for in the history; None where nothing was posted."""
    last = next((each for each in reversed(found.revisions) if each.posts), None)
    if last is None:
        return None
    posts, _ = lives.completed(last, found) if last.whole else (last.posts, ())
    raw = mails.read([post.where for post in posts])
    patches = tuple(Posted(post, each.raw) for post, each in zip(posts, raw, strict=True))
    return Last(patches, min((each.date for each in found.revisions if each.date), default=0))


def look(watch: Watch, postings: Sequence[tuple[Follow, Last]], state: State, progress: Progress) -> None:
    """Handle what is new in the history for each follow: commits that its postings became, fixes and reverts of those."""
    sources = open_sources(watch.kernels, [watch.branch, *watch.targets], cache_folder(), Silent())
    tip = resolve_one(sources.clones, watch.branch, f"{watch.source}: branch")
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        room = _Room(watch, state, tip, sources.clones, store, History(store))
        for follow in watch.follows:
            room.look(follow, [last for one, last in postings if one is follow], progress)


@dataclass(frozen=True, slots=True)
class _Room:
    """One look at the history."""

    watch: Watch
    state: State
    tip: str
    clones: tuple[Clone, ...]
    store: Store
    history: History

    def look(self, follow: Follow, postings: Sequence[Last], progress: Progress) -> None:
        told = self._definition(follow)
        merged = [event for last in postings for event in self._merged(follow, last)]
        known = [oid for kind in ("merged", "fix") for oid in self._known(follow, kind)]
        mine = list(dict.fromkeys([*self._commits(told), *known, *(_commit(event) for event in merged)]))
        fixes, marker = self._fixes(follow, mine)
        events = [*merged, *fixes]
        if events:
            commits = self._in_order([*mine, *map(_commit, fixes)])
            label = "merged" if merged else "fix"
            handle(
                self.watch,
                follow,
                label,
                events,
                lambda patches: self._defined(told, follow, commits, patches),
                self.state,
                progress,
            )
        if mine:
            self.state.set_tip(marker, self.tip)

    def _merged(self, follow: Follow, last: Last) -> Iterator[Event]:
        for each in fate(last.patches, last.since, self.clones, self.watch.branch, self.store).became:
            key = f"merged:{follow.name}:{each.commit}"
            if not self.state.knows(key):
                how = (
                    f"{each.commit[:12]} by {each.rule}, {each.distance} % of the lines differ, {each.release or 'in no release'}"
                )
                yield Event(key, "merged", follow.name, each.subject, self._date(each.commit), "ok", "", how)

    def _fixes(self, follow: Follow, commits: Sequence[str]) -> tuple[list[Event], str]:
        """Later commits that matter, from where the branch was left; and the mark for where that is.

        One more commit is one more to look for, from the beginning; so is a branch that was rewound.
        """
        marker = f"{follow.name}:{len(commits)}"
        left = self.state.tip(marker)
        if not commits or left == self.tip:
            return [], marker
        patches = read_patches([self.history.commit(oid) for oid in self._in_order(commits)], self.history, self.store)
        here = left and left in self.store.has([left]) and self.history.is_ancestor(left, self.tip)
        since = left if here else next((patch.parent for patch in patches if patch.parent), "")
        library = Library(self.store, Trees(self.store), self.history)
        found, _ = follow_ups(Series(follow.name, "", since, tuple(patches)), since, self.tip, library, Silent())
        wanted = [one for one in found if one.rank is not Rank.MAYBE]
        events = [self._fix(follow, one) for one in wanted]
        return [event for event in events if not self.state.knows(event.key)], marker

    def _fix(self, follow: Follow, one: FollowUp) -> Event:
        kind = "revert" if any(trace.rule == "reverts" for trace in one.traces) else "fix"
        said = f"{one.commit[:12]} is {one.rank.value}: {one.traces[0].why}"
        return Event(
            f"fix:{follow.name}:{one.commit}", kind, follow.name, one.subject, self._date(one.commit), "person", "", said
        )

    def _definition(self, follow: Follow) -> Definition | None:
        places = [self.watch.source.parent / "patches", *catalog.places()]
        return catalog.find(follow.series, places) if follow.series else None

    def _commits(self, told: Definition | None) -> list[str]:
        return [] if told is None else [patch.commit for patch in ingest(told, self.clones, self.store, Silent()).patches]

    def _known(self, follow: Follow, kind: str) -> list[str]:
        return [key.rpartition(":")[2] for key in self.state.keys(f"{kind}:{follow.name}:")]

    def _in_order(self, commits: Sequence[str]) -> list[str]:
        """As they stand in the branch; those that are not in it (any more) first."""
        first = min(commits, key=self._date, default="")
        parents = self.history.commit(first).parents if first else ()
        places = positions(self.store, parents[0] if parents else "", self.tip)
        return sorted(dict.fromkeys(commits), key=lambda oid: places.get(oid, -1))

    def _defined(self, told: Definition | None, follow: Follow, commits: Sequence[str], patches: Path) -> Definition:
        """A definition of these commits, with what the one that is followed says of them."""
        found = [self.history.commit(oid) for oid in commits]
        rows = tuple(DefinedCommit(one.oid, squeezed(one.subject), "", 0) for one in found)
        base = next((one.parents[0] for one in found if one.parents), "")
        target = self.watch.targets[0]
        made = Definition(
            Path("series.toml"), follow.name, follow.name, self.watch.kernels[0], f"{base}..", target, rows, (), (), ()
        )
        if told is None:
            return write(made, patches)
        written = write(replace(made, title=told.title, config=told.config), patches)
        return replace(written, accepted=told.accepted, recordings=told.recordings)

    def _date(self, oid: str) -> int:
        return int(self.history.commit(oid).committer.rpartition(b"> ")[2].split(b" ")[0])


def _commit(event: Event) -> str:
    return event.key.rpartition(":")[2]

"""`backport compare`: a posting against another, against what was merged, or against patches that lie somewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.drift.uapi.feature import compare_named, series_surface
from backport.drift.uapi.surface import Reader
from backport.git.clone import Clone
from backport.git.history import History
from backport.git.since import with_diffs
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.commits import read_patches
from backport.ingest.mail import lives
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.diff import read_diff
from backport.ingest.mail.message import read
from backport.ingest.mail.moved import Version, compare
from backport.ingest.mail.posted import make
from backport.ingest.mail.source import Mails, open_mails
from backport.ingest.sources import open_sources
from backport.mainline import Posted, fate
from backport.model.errors import InputError
from backport.model.mail import Lineage
from backport.model.moved import Movement
from backport.model.progress import Progress, Silent
from backport.model.series import Patch
from backport.settings import cache_folder
from backport.uapi import comparison

MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Question:
    """What `backport compare` was asked: a series in a source, and two sides: `v3`, `merged`, or a source of patches."""

    series: str
    source: str
    sides: tuple[str, str]
    kernels: tuple[str, ...]
    tip: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: its patches to compare line by line; for the API either the mails to make commits of, or the commits."""

    versions: tuple[Version, ...]
    mails: tuple[Found, ...] = ()
    named: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()


def movement(question: Question, progress: Progress) -> Movement:
    """What moved between the two sides. Without a history the patches are compared, and what programs see is not.

    InputError for a side that there is not, and for one that does not apply where its API is asked for.
    """
    with open_mails(question.source, cache_folder(), progress) as mails:
        found = lives.life(mails.archive, question.series)
        if not question.kernels:
            one, other = (_side(name, found, mails, None, [], question, progress) for name in question.sides)
            return Movement(question.sides, compare(one.versions, other.versions), None)
        sources = open_sources(question.kernels, [question.tip], cache_folder(), progress)
        with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
            sides = [_side(name, found, mails, store, sources.clones, question, progress) for name in question.sides]
            moved = compare(sides[0].versions, sides[1].versions)
            progress.stage("uapi", 2)
            reader = Reader(Trees(store), store)
            seen = [series_surface(_patches(side, sources.clones, store, question), reader).surface for side in sides]
            compared = compare_named((question.sides[0], seen[0]), (question.sides[1], seen[1]))
            progress.done(compared.verdict)
            return Movement(question.sides, moved, comparison(compared))


def _patches(side: _Side, clones: Sequence[Clone], store: Store, question: Question) -> list[Patch]:
    commits = side.commits
    if not commits:
        commits = make(side.mails, clones, store, named=side.named, fallback=question.base or question.tip, hidden=True).commits
    history = History(store)
    return read_patches([history.commit(oid) for oid in commits], history, store)


def _side(
    name: str, found: Lineage, mails: Mails, store: Store | None, clones: Sequence[Clone], question: Question, progress: Progress
) -> _Side:
    if name == MERGED:
        if store is None:
            raise InputError("there is no history to look for what was merged", where="--kernel", then="give a mainline clone")
        return _merged(found, mails, store, clones, question)
    if name in {str(each.version) for each in found.revisions} | {each.identity for each in found.revisions}:
        revision = lives.latest(found, name)
        posts, _ = lives.completed(revision, found)
        raw = mails.read([post.where for post in posts])
        named = tuple(post.base_commit for post in revision.members if post.base_commit)[:1]
        return _of_mails(raw, named)
    if not Path(name).exists():
        known = ", ".join(str(each.version) for each in found.revisions)
        raise InputError(f"there is no side {name!r}", then=f"there are {known}, {MERGED}, or a file or folder of patches")
    with open_mails(name, cache_folder(), Silent()) as others:
        revisions = [each for each in lives.all_revisions(others.archive) if each.posts]
        if len(revisions) != 1:
            raise InputError(f"{len(revisions)} series are in it", where=name, then="give a file or folder with one")
        return _of_mails(others.read([post.where for post in revisions[0].posts]), ())


def _of_mails(raw: Sequence[Found], named: tuple[str, ...]) -> _Side:
    from backport.ingest.mail.subject import parse

    taken = [read(each.raw) for each in raw]
    versions = tuple(Version(parse(mail.subject).title, read_diff(mail.body)) for mail in taken)
    return _Side(versions, tuple(raw), named)


def _merged(found: Lineage, mails: Mails, store: Store, clones: Sequence[Clone], question: Question) -> _Side:
    """The commits that the last posting became, in the order of the posting."""
    last = next(each for each in reversed(found.revisions) if each.posts)
    posts, _ = lives.completed(last, found)
    patches = [Posted(post, raw.raw) for post, raw in zip(posts, mails.read([post.where for post in posts]), strict=True)]
    first = min((each.date for each in found.revisions if each.date), default=0)
    became = fate(patches, first, clones, question.tip, store).became
    if not became:
        raise InputError("nothing of it was merged", where=question.tip, then="name another branch or release with --in")
    commits = tuple(each.commit for each in became)
    landed = {each.commit: each for each in with_diffs(store, commits)}
    return _Side(tuple(Version(landed[oid].subject, read_diff(landed[oid].diff)) for oid in commits), commits=commits)

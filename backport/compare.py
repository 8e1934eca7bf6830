"""`backport compare`: a posting against another, against what was merged, or against patches that lie somewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from backport.drift.uapi.feature import compare_named, series_surface
from backport.drift.uapi.surface import Reader
from backport.examine import open_histories
from backport.git.clone import Clone
from backport.git.history import History
from backport.git.publish import unbundle
from backport.git.since import with_diffs
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.commits import ingest, read_patches
from backport.ingest.mail import lives
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.diff import read_diff
from backport.ingest.mail.message import read
from backport.ingest.mail.moved import Version, compare
from backport.ingest.mail.posted import make
from backport.ingest.mail.source import Mails, open_mails
from backport.mainline import Posted, fate
from backport.model.definition import Definition
from backport.model.errors import InputError
from backport.model.mail import Lineage
from backport.model.moved import Movement
from backport.model.progress import Progress, Silent
from backport.model.series import Patch
from backport.output import MARK as REPORT
from backport.settings import cache_folder
from backport.uapi import comparison
from backport.verify.check import read as read_report

MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Question:
    """What `backport compare` was asked: a series in a source, and two sides: `v3`, `merged`, or a source of patches.

    Without a source the series is the `definition`, and `merged` means its commits.
    """

    series: str
    source: str
    sides: tuple[str, str]
    kernels: tuple[str, ...]
    tip: str
    base: str = ""
    definition: Definition | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: its patches to compare line by line; for the API either the mails to make commits of, or the commits."""

    versions: tuple[Version, ...]
    mails: tuple[Found, ...] = ()
    named: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()


def movement(question: Question, progress: Progress) -> Movement:
    """What moved between the two sides. Where what programs see cannot be compared, the patches are, and it is said why.

    That is without a history, and where a side does not apply to any revision in it. InputError for a side that there is not.
    """
    with ExitStack() as stack:
        asked = _Asked(question, None, None)
        if question.definition is None:
            mails = stack.enter_context(open_mails(question.source, cache_folder(), progress))
            asked = _Asked(question, mails, lives.life(mails.archive, question.series))
        if not question.kernels and not (question.definition is not None and question.definition.embedded):
            one, other = (_side(name, asked, None, []) for name in question.sides)
            return Movement(question.sides, compare(one.versions, other.versions), None, "no kernel history")
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backport-")))
        sources = open_histories(question.definition, question.kernels, [question.tip], scratch, progress)
        store = stack.enter_context(sources.store(scratch / "run.git"))
        sides = [_side(name, asked, store, sources.clones) for name in question.sides]
        moved = compare(sides[0].versions, sides[1].versions)
        progress.stage("uapi", 2)
        try:
            reader = Reader(Trees(store), store)
            seen = [series_surface(_patches(side, sources.clones, store, question), reader).surface for side in sides]
        except InputError as error:
            progress.done("not looked at")
            return Movement(question.sides, moved, None, f"{error.what}, {error.where}")
        compared = compare_named((question.sides[0], seen[0]), (question.sides[1], seen[1]))
        progress.done(compared.verdict)
        return Movement(question.sides, moved, comparison(compared))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question with what was found of the series in the mails, where it is in mails."""

    question: Question
    mails: Mails | None
    found: Lineage | None


def _patches(side: _Side, clones: Sequence[Clone], store: Store, question: Question) -> list[Patch]:
    commits = side.commits
    if not commits:
        commits = make(side.mails, clones, store, named=side.named, fallback=question.base or question.tip, hidden=True).commits
    history = History(store)
    return read_patches([history.commit(oid) for oid in commits], history, store)


def _side(name: str, asked: _Asked, store: Store | None, clones: Sequence[Clone]) -> _Side:
    if name == MERGED:
        if store is None:
            raise InputError("there is no history to look for what was merged", where="--kernel", then="give a mainline clone")
        return _merged(asked, store, clones)
    found, mails = asked.found, asked.mails
    known = [str(each.version) for each in found.revisions] if found is not None else []
    if found is not None and mails is not None and name in {*known, *(each.identity for each in found.revisions)}:
        revision = lives.latest(found, name)
        posts, _ = lives.completed(revision, found)
        raw = mails.read([post.where for post in posts])
        named = tuple(post.base_commit for post in revision.members if post.base_commit)[:1]
        return _of_mails(raw, named)
    if not Path(name).exists():
        sides = ", ".join([*known, MERGED])
        raise InputError(f"there is no side {name!r}", then=f"there are {sides}, or a file or folder of patches")
    run = next((folder for folder in (Path(name), Path(name).parent) if (folder / REPORT).is_file()), None)
    if run is not None and store is not None:
        return _of_run(run, store)
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


def _merged(asked: _Asked, store: Store, clones: Sequence[Clone]) -> _Side:
    """The commits of the definition; or those that the last posting became, in the order of the posting."""
    definition = asked.question.definition
    commits = _became(asked, store, clones) if definition is None else _defined(definition, store, clones)
    return _of_commits(commits, store)


def _of_commits(commits: tuple[str, ...], store: Store) -> _Side:
    landed = {each.commit: each for each in with_diffs(store, commits)}
    return _Side(tuple(Version(landed[oid].subject, read_diff(landed[oid].diff)) for oid in commits), commits=commits)


def _of_run(folder: Path, store: Store) -> _Side:
    """What a finished run made: its patch files may hold several commits each, so that these come from its bundle."""
    result, _ = read_report(folder / REPORT)
    for made in result.artifacts:
        if made.kind == "bundle":
            unbundle(store, folder / made.path)
    return _of_commits(tuple(patch.commit for patch in result.patches if patch.commit), store)


def _defined(definition: Definition, store: Store, clones: Sequence[Clone]) -> tuple[str, ...]:
    return tuple(patch.commit for patch in ingest(definition, clones, store, Silent()).patches)


def _became(asked: _Asked, store: Store, clones: Sequence[Clone]) -> tuple[str, ...]:
    found, mails, question = asked.found, asked.mails, asked.question
    last = next((each for each in reversed(found.revisions) if each.posts), None) if found is not None else None
    if found is None or mails is None or last is None:
        return ()
    posts, _ = lives.completed(last, found)
    patches = [Posted(post, raw.raw) for post, raw in zip(posts, mails.read([post.where for post in posts]), strict=True)]
    first = min((each.date for each in found.revisions if each.date), default=0)
    became = fate(patches, first, clones, question.tip, store).became
    if not became:
        raise InputError("nothing of it was merged", where=question.tip, then="name another branch or release with --in")
    return tuple(each.commit for each in became)

"""`series new NAME --from SOURCE`: a posted series becomes a definition, with its mails beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.ingest.definition import NAME
from backport.ingest.mail import credit, defined, lives, message, prerequisites
from backport.ingest.mail.attest import Keys, attest, dns_text, insist
from backport.ingest.mail.base import Base
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.posted import Made, make
from backport.ingest.mail.prerequisites import Need
from backport.ingest.mail.source import Mails, open_mails
from backport.ingest.select import write
from backport.ingest.sources import open_sources
from backport.model.attestation import Attested, Policy
from backport.model.definition import Definition
from backport.model.errors import InputError
from backport.model.mail import Lineage, Note, Revision
from backport.model.progress import Progress
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Wish:
    """What `series new --from` was asked for. Empty texts are questions that the mails answer."""

    name: str
    source: str
    series: str = ""
    revision: str = ""
    title: str = ""
    base: str = ""
    onto: str = ""
    guards: tuple[str, ...] = ()
    hidden: bool = False
    policy: Policy = Policy.OFF
    keyrings: tuple[str, ...] = ()
    dns: bool = False
    trailers: bool = True
    sloppy: bool = False
    prerequisites: bool = False


@dataclass(frozen=True, slots=True)
class Adopted:
    """A posted series as a definition: the revision that was taken, how its base was found, how many patches are another's.

    `notes` say what is odd about it, what it needs first, and which trailers were left out; `attested` of each mail who signed
    it, nothing where nobody asked.
    """

    definition: Definition
    revision: Revision
    base: Base
    filled: int
    notes: tuple[Note, ...] = ()
    attested: tuple[Attested, ...] = ()


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the mails say: the revision, its patches as mails and where each is from, lines to add to each, what comes first.

    `before` has the mails of what comes first, by their places.
    """

    revision: Revision
    raw: tuple[Found, ...]
    sources: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    needs: tuple[Need, ...]
    before: Mapping[str, Found]
    notes: tuple[Note, ...]


def adopt(wish: Wish, kernels: Sequence[str], patches: Path, progress: Progress) -> Adopted:
    """Write the definition of a posted series, whole or not at all. InputError for one that lacks patches or does not apply."""
    if not NAME.fullmatch(wish.name):
        raise InputError(f"{wish.name!r} is no name for a series", then="letters, digits and ._- only")
    with open_mails(wish.source, cache_folder(), progress, wish.guards) as mails:
        taken = _take(mails, wish)
    revision = taken.revision
    keys = Keys(wish.keyrings, dns_text if wish.dns else None)
    named = [wish.base] if wish.base else [post.base_commit for post in revision.members if post.base_commit][:1]
    clones = open_sources(kernels, [*named, *filter(None, [wish.onto])], cache_folder(), progress)
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, clones.store(Path(folder) / "run.git") as store:
        wanted = wish.prerequisites
        first = prerequisites.look(taken.needs, clones.clones, next(iter(named), ""), revision.date, store, taken=wanted)
        before = [taken.before[post.where] for post in first.posts] if wanted else []
        raw = [*before, *taken.raw]
        attested = attest(raw, keys) if wish.policy is not Policy.OFF else []
        insist(attested, wish.policy)
        try:
            made = make(
                raw,
                clones.clones,
                store,
                named=named,
                needs=() if wish.base else first.commits,
                fallback=wish.base or wish.onto or "HEAD",
                hidden=wish.hidden,
                lines=[*[()] * len(before), *taken.lines],
            )
        except InputError as error:
            then = prerequisites.advice(first, taken=wanted) or error.then
            raise InputError(error.what, where=error.where, then=then) from error
        title = wish.title or _printable(revision.title) or wish.name
        definition = defined.define(wish.name, title, made, wish.onto or made.base.name, store, wish.policy)
    written = _write(definition, made, keys, patches)
    notes = (*revision.notes, *first.notes, *taken.notes)
    return Adopted(written, revision, made.base, sum(map(bool, taken.sources)), notes, tuple(attested))


def _take(mails: Mails, wish: Wish) -> _Taken:
    found = _life(mails, wish)
    revision = lives.latest(found, wish.revision)
    posts, sources = lives.completed(revision, found)
    raw = mails.read([post.where for post in posts])
    told = raw if revision.cover is None else [*mails.read([revision.cover.where]), *raw]
    lines, notes = credit.chosen(found, revision, posts, sloppy=wish.sloppy) if wish.trailers else ([()] * len(posts), [])
    needs = prerequisites.needs([message.read(each.raw).body for each in told], mails.archive)
    own = {post.where for post in posts}
    needs = tuple(replace(need, posts=tuple(post for post in need.posts if post.where not in own)) for need in needs)
    wheres = list(dict.fromkeys(post.where for need in needs for post in need.posts))
    before = dict(zip(wheres, mails.read(wheres), strict=True)) if wish.prerequisites else {}
    return _Taken(revision, tuple(raw), sources, tuple(lines), needs, before, tuple(notes))


def _write(definition: Definition, made: Made, keys: Keys, patches: Path) -> Definition:
    target = patches / definition.name
    fresh = not target.exists()
    try:
        defined.write_mails(definition, made, target, keys.used)
        return write(definition, patches)
    except BaseException:
        if fresh:
            shutil.rmtree(target, ignore_errors=True)
        raise


def _life(mails: Mails, wish: Wish) -> Lineage:
    """The series that is meant: the one that was named, else the only one there is."""
    if wish.series:
        return lives.life(mails.archive, wish.series)
    revisions = [each for each in lives.all_revisions(mails.archive) if each.posts]
    if not revisions:
        refused = mails.archive.refused()
        what = f"no series is in it: {refused[0].why}" if refused else "no series is in it"
        raise InputError(what, where=refused[0].where if refused else wish.source)
    found = lives.life(mails.archive, revisions[-1].identity)
    known = {each.identity for each in found.revisions}
    others = [each for each in revisions if each.identity not in known]
    if others:
        then = f"name one with --series, for instance --series '{revisions[-1].identity}'"
        raise InputError(f"{len(others) + 1} series are in it", where=wish.source, then=then)
    return found


def _printable(title: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in title)

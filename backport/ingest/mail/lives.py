"""Finds a series in an archive and tells its life: every revision, how they are linked, what people gave to each."""

from __future__ import annotations

from collections.abc import Sequence

from backport.ingest.mail.archive import Archive
from backport.ingest.mail.dropped import dropped
from backport.ingest.mail.grouping import group
from backport.ingest.mail.revisions import WITHIN, Shelf, lineage
from backport.ingest.mail.trailers import carried, gather
from backport.model.errors import InputError
from backport.model.mail import Given, Kind, Lineage, Link, Post, Revision

_ROUNDS = 4


def all_revisions(archive: Archive) -> list[Revision]:
    """Every series of the archive, by date."""
    found = [revision for posts in _threads(archive.posts()) for revision in group(posts)]
    return sorted(found, key=lambda revision: (revision.date, revision.head.number))


def all_links(revisions: Sequence[Revision]) -> list[Link]:
    """How they follow one another."""
    return Shelf(revisions).links()


def life(archive: Archive, wanted: str) -> Lineage:
    """The series that a Message-ID of any of its mails, or words of its title, mean; of several the one posted last.

    InputError where there is none. Only the threads that may have to do with it are read.
    """
    threads = _start(archive, wanted)
    revisions: list[Revision] = []
    members: list[Revision] = []
    asked: set[str] = set()
    for _ in range(_ROUNDS):
        revisions = [revision for posts in _threads(archive.posts(sorted(threads))) for revision in group(posts)]
        chosen = _chosen(revisions, wanted)
        links = Shelf(revisions).links()
        members = lineage(chosen, links, revisions)
        new = [each for each in members if each.identity not in asked]
        asked |= {each.identity for each in new}
        more = archive.related(new, WITHIN) - threads
        if not more:
            break
        threads |= more
    names = {each.identity for each in members}
    return Lineage(
        tuple(members),
        tuple(link for link in links if link.later in names),
        _given(members, archive.posts(sorted({each.head.thread for each in members}))),
        dropped(members),
    )


def latest(found: Lineage, version: str = "") -> Revision:
    """The revision to work with: the highest that is whole, or the one called `version`. InputError where there is none."""
    named = [each for each in found.revisions if version in ("", str(each.version), each.identity)]
    if not named:
        known = ", ".join(str(each.version) for each in found.revisions)
        raise InputError(f"there is no revision {version}", then=f"there are: {known}")
    usable = [each for each in named if each.posts and (each.whole or version)]
    if not usable:
        notes = "; ".join(note.what for note in named[-1].notes)
        raise InputError(
            f"no revision is whole: {notes}", where=named[-1].identity, then="name one with --revision to take it as it is"
        )
    return usable[-1]


def completed(revision: Revision, found: Lineage) -> tuple[tuple[Post, ...], tuple[str, ...]]:
    """The patches of a revision, a partial reroll filled up from what it mends; and where each is from ('' for its own)."""
    if not any(note.kind == "partial" for note in revision.notes):
        return revision.posts, ("",) * len(revision.posts)
    earlier = next((n.post for n in revision.notes if n.kind == "partial" and n.post), "")
    link = found.link_of(revision.identity)
    names = [earlier, link.earlier if link is not None else ""]
    mended = next((each for name in names for each in found.revisions if each.identity == name and each.whole), None)
    if mended is None:
        raise InputError(
            "a partial reroll, and what it mends is not there", where=revision.identity, then="take an earlier revision"
        )
    mine = {post.label.number: post for post in revision.posts}
    posts = tuple(mine.get(post.label.number, post) for post in mended.posts)
    return posts, tuple("" if post.label.number in mine else mended.identity for post in posts)


def _start(archive: Archive, wanted: str) -> set[int]:
    thread = archive.thread_of(wanted.strip("<>"))
    if thread is not None:
        return {thread}
    titled = archive.titled(wanted) if wanted.strip() else []
    if not titled:
        raise InputError(
            "there is no such series", where=wanted, then="list them with --list; give a Message-ID or words of the title"
        )
    return set(titled[-3:])


def _chosen(revisions: Sequence[Revision], wanted: str) -> Revision:
    """The revision that has the mail; by words, the latest one whose own title has them, else the latest with such a patch."""
    from backport.ingest.mail.subject import title_key

    name = wanted.strip("<>")
    for revision in revisions:
        if any(post.message_id == name for post in revision.members):
            return revision
    thread = next((each.head.thread for each in revisions if any(name in post.parents for post in each.members)), None)
    key = title_key(wanted)
    own = [each for each in revisions if key in title_key(each.title)]
    having = own or [each for each in revisions if any(key in title_key(post.title) for post in each.posts)]
    if key and having:
        return max(having, key=lambda each: (each.date, each.version))
    if revisions:
        return next((each for each in revisions if each.head.thread == thread), revisions[0])
    raise InputError("the mail is there, but its thread holds no patch", where=wanted)


def _given(members: Sequence[Revision], posts: Sequence[Post]) -> tuple[tuple[str, tuple[Given, ...]], ...]:
    threads: dict[int, list[Post]] = {}
    for post in posts:
        threads.setdefault(post.thread, []).append(post)
    found: list[tuple[Revision, tuple[Given, ...]]] = []
    for revision in members:
        own = gather(revision, threads.get(revision.head.thread, []))
        told = {(each.patch, each.trailer) for each in own}
        more = [each for each in carried(revision, found) if (each.patch, each.trailer) not in told]
        found.append((revision, (*own, *more)))
    return tuple((revision.identity, given) for revision, given in found)


def _threads(posts: Sequence[Post]) -> list[list[Post]]:
    found: dict[int, list[Post]] = {}
    for post in posts:
        found.setdefault(post.thread, []).append(post)
    return [each for each in found.values() if any(post.kind in (Kind.PATCH, Kind.COVER) for post in each)]

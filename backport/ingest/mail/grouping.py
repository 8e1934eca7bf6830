"""Groups the mails of a thread into series: which patches were posted together, under which label.

A thread is not a series: in 3.6 % of the threads of a real list two mails claim one number, and a foreign patch gets in. What
holds mails together is tried in order of trust: the message-ids of one run of `git send-email`, the reply to the same cover, the
reply to the first patch, the same parent within an hour. What then does not fit (another sender, a number twice) is taken out
and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backport.ingest.mail.runs import run_of
from backport.model.mail import Kind, Note, Post, Revision, Version

_HOUR = 3600
_DEEPEST = 100
_TRUST = ("message-id run", "one file or folder", "reply to the cover", "reply to the first patch", "posted together", "alone")


@dataclass(slots=True)
class _Cluster:
    """Mails that were posted together, before anybody looked at their numbers."""

    cover: Post | None = None
    posts: list[Post] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


def group(posts: Sequence[Post]) -> list[Revision]:
    """The series in one thread, in the order in which they were posted. Each patch is in one of them, none in two."""
    unique, twice = _once(posts)
    ancestors = _Ancestors(unique)
    covers = [post for post in unique if post.kind is Kind.COVER]
    clusters: dict[object, _Cluster] = {cover.message_id: _Cluster(cover) for cover in covers}
    firsts = [post for post in unique if post.kind is Kind.PATCH and post.label.number == 1]
    for post in unique:
        if post.kind is Kind.PATCH:
            root, rule = _root(post, covers, firsts, ancestors, clusters)
            cluster = clusters.setdefault(root, _Cluster())
            cluster.posts.append(post)
            cluster.rules.append(rule)
    found = [revision for cluster in clusters.values() for revision in _revisions(cluster, twice)]
    heads = {member.message_id: revision for revision in found for member in revision.members}
    found = [_with_context(revision, unique, ancestors, heads) for revision in found]
    return sorted(found, key=lambda revision: (revision.date, revision.head.number))


class _Ancestors:
    """Whom a mail answers, and whom that answers; a loop of references ends where it began."""

    def __init__(self, posts: Iterable[Post]) -> None:
        self._parents: Mapping[str, tuple[str, ...]] = {post.message_id: post.parents for post in posts}

    def of(self, post: Post) -> list[str]:
        """Ids of all ancestors, the nearest first."""
        found: dict[str, None] = dict.fromkeys(reversed(post.parents))
        nearest = post.parents[-1:] and post.parents[-1]
        for _ in range(_DEEPEST):
            above = self._parents.get(nearest or "", ())
            new = [name for name in reversed(above) if name not in found and name != post.message_id]
            if not new:
                break
            found.update(dict.fromkeys(new))
            nearest = above[-1]
        return list(found)


def _once(posts: Sequence[Post]) -> tuple[list[Post], dict[str, list[Post]]]:
    """The mails, the first of each message-id; and those that came again with an id that was there."""
    first: dict[str, Post] = {}
    twice: dict[str, list[Post]] = {}
    for post in posts:
        if post.message_id in first:
            twice.setdefault(post.message_id, []).append(post)
        else:
            first[post.message_id] = post
    return list(first.values()), twice


def _root(
    post: Post, covers: Sequence[Post], firsts: Sequence[Post], ancestors: _Ancestors, clusters: Mapping[object, _Cluster]
) -> tuple[object, str]:
    """What a patch belongs to (a key of clusters), and the rule that says so."""
    label = post.label
    run = run_of(post.message_id)
    if label.number is None:
        return ((run, label.version), "one file or folder") if run.startswith("box ") else (post.message_id, "alone")
    near = ancestors.of(post)
    alike = [cover for cover in covers if _same_label(cover, post)]
    if run and (same := [cover for cover in alike if run_of(cover.message_id) == run]):
        return same[0].message_id, "message-id run"
    by_id = {cover.message_id: cover for cover in alike}
    if cover := next((by_id[name] for name in near if name in by_id), None):
        return cover.message_id, "reply to the cover"
    key = (label.version, label.total)
    if run:
        return (run, *key), "one file or folder" if run.startswith("box ") else "message-id run"
    heads = {
        first.message_id for first in firsts if first is not post and _same_label(first, post) and first.address == post.address
    }
    if first := next((name for name in near if name in heads), None):
        return first, "reply to the first patch"
    if label.number == 1:
        return post.message_id, "reply to the first patch"
    together = (post.parents[-1:], post.address, *key)
    before = clusters.get(together)
    if before is not None and before.posts and abs(before.posts[-1].date - post.date) > _HOUR:
        return (*together, post.message_id), "alone"
    return together, "posted together"


def _same_label(one: Post, other: Post) -> bool:
    return one.label.version == other.label.version


def _revisions(cluster: _Cluster, twice: Mapping[str, Sequence[Post]]) -> list[Revision]:
    """One series of a cluster, and one of what was in it and cannot be of it: foreign patches, second claims to a number."""
    notes: list[Note] = []
    taken: dict[int, Post] = {}
    outside: list[list[Post]] = []
    head = cluster.cover or (cluster.posts[0] if cluster.posts else None)
    owner = head.address if head else ""
    run = run_of(head.message_id) if head else ""
    for post in cluster.posts:
        number = len(taken) + 1 if post.label.number is None else post.label.number
        if post.address != owner and not (run and run_of(post.message_id) == run) and not _munged(post, head):
            notes.append(
                Note("foreign", f"{_place(post)} is from {post.address}, the series from {owner}: left out", post.message_id)
            )
            outside.append([post])
        elif number not in taken:
            taken[number] = post
        elif post.patch_id and post.patch_id == taken[number].patch_id:
            notes.append(
                Note("duplicate", f"{_place(post)} came twice with the same change: the first is taken", post.message_id)
            )
        else:
            notes.append(Note("duplicate", f"{_place(post)} came again with another change: left out", post.message_id))
            _second(outside, post)
    made = [_revision(cluster.cover, taken, _weakest(cluster.rules), notes, twice)] if head else []
    for posts in outside:
        again = Note("unlabelled", "a number of a series that was there already, posted again under the same label")
        foreign = Note("foreign", "posted into the series of somebody else")
        note = foreign if posts[0].address != owner else again
        rest = {post.label.number or 1: post for post in posts}
        made.append(_revision(None, rest, "posted together" if len(posts) > 1 else "alone", [note], twice))
    return made


def _second(outside: list[list[Post]], post: Post) -> None:
    """Second claims to numbers by the same sender: together, as long as their own numbers do not collide."""
    for posts in outside:
        if posts[0].address == post.address and all(post.label.number != other.label.number for other in posts):
            posts.append(post)
            return
    outside.append([post])


def _munged(post: Post, head: Post | None) -> bool:
    """A list that writes itself into From (`Name via list <list@...>`), or an address of the same name: not somebody else."""
    if head is None:
        return False
    one, other = (name.split(" via ")[0].strip().casefold() for name in (post.name, head.name))
    return bool(one) and one == other


def _revision(
    cover: Post | None, taken: Mapping[int, Post], rule: str, notes: Sequence[Note], twice: Mapping[str, Sequence[Post]]
) -> Revision:
    posts = tuple(taken[number] for number in sorted(taken))
    head = cover or posts[0]
    totals = Counter(post.label.total for post in posts if post.label.total is not None)
    said = cover.label.total if cover is not None and cover.label.total is not None else None
    total = said if said is not None else (totals.most_common(1)[0][0] if totals else len(posts))
    told = [*notes, *_numbers(taken, total, totals, cover)]
    if cover is None and total > 1:
        told.append(Note("no-cover", "there is no letter 0/N"))
    if "RESEND" in head.label.tags:
        told.append(Note("resend", "its label says RESEND", head.message_id))
    told += [
        Note("duplicate", f"{_place(post)}: two mails with one Message-ID, the first is taken", post.message_id)
        for post in (head, *posts)
        if any(other.patch_id != post.patch_id for other in twice.get(post.message_id, ()))
    ]
    return Revision(posts, cover, head.label.version, total, rule, tuple(dict.fromkeys(told)))


def _numbers(taken: Mapping[int, Post], total: int, totals: Counter[int], cover: Post | None) -> list[Note]:
    """What is wrong with the numbers."""
    found = []
    missing = [number for number in range(1, min(total, 10_000) + 1) if number not in taken]
    if missing:
        shown = ", ".join(f"{number}/{total}" for number in missing[:12]) + (" ..." if len(missing) > 12 else "")
        found.append(Note("missing", f"{len(missing)} of {total} are not there: {shown}"))
    beyond = [number for number in taken if number > total]
    if beyond:
        found.append(Note("beyond", f"{', '.join(f'{number}/{total}' for number in beyond)}: more than the series says it has"))
    said = sorted({*totals, *([cover.label.total] if cover is not None and cover.label.total is not None else [])})
    if len(said) > 1:
        found.append(Note("mixed-total", f"its labels disagree on how many there are: {', '.join(map(str, said))}"))
    empty = [post for post in taken.values() if not post.patch_id]
    found += [Note("empty", f"{_place(post)} holds no diff that can be read", post.message_id) for post in empty]
    return found


def _with_context(revision: Revision, posts: Sequence[Post], ancestors: _Ancestors, members: Mapping[str, Revision]) -> Revision:
    """Adds what only the rest of the thread shows: a partial reroll (missing numbers, and a reply to the series it mends)."""
    if any(note.kind == "missing" for note in revision.notes) and revision.posts and revision.cover is None:
        above = next((members[name] for name in ancestors.of(revision.posts[0]) if name in members), None)
        if above is not None and above is not revision:
            mine = ", ".join(_place(post) for post in revision.posts)
            what = f"a partial reroll: {mine} in answer to {above.version} of the series"
            notes = tuple(note for note in revision.notes if note.kind not in ("missing", "no-cover"))
            return _noted(revision, (*notes, Note("partial", what, above.identity)))
    return revision


def _noted(revision: Revision, notes: tuple[Note, ...]) -> Revision:
    return Revision(revision.posts, revision.cover, revision.version, revision.total, revision.rule, notes)


def _weakest(rules: Iterable[str]) -> str:
    return max(rules, key=_TRUST.index, default="alone")


def _place(post: Post) -> str:
    label = post.label
    version = "" if label.version == Version() else f"{label.version} "
    return f"{version}{label.number}/{label.total or '?'}" if label.number is not None else f"{version}patch"

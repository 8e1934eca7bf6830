"""Links each revision of a series to the one before it, across threads, and says by which rule.

Rules in order of trust; the first that finds anything decides, and among what it finds the highest version below, then the
latest, is taken. The last three may be wrong: two series of one author on one file within a month are often two series (`erofs:
fix X` v2 and `erofs: fix Y` v1), which is why they ask for the very next version or for most of the words of the title.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backport.ingest.mail.subject import title_key
from backport.model.mail import Link, Post, Revision

WITHIN = 90  # days: how far apart the weak rules look
_NEAR = 14
_DAY = 86400
_ALIKE = 0.6


class Shelf:
    """Revisions, found by what they have in common."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self.revisions = sorted(revisions, key=lambda revision: (revision.date, revision.head.number))
        self._dates = [revision.date for revision in self.revisions]
        self._words = [frozenset(title_key(revision.title).split()) for revision in self.revisions]
        self._by: dict[tuple[str, str], list[Revision]] = {}
        for revision in self.revisions:
            for key in self._keys(revision):
                self._by.setdefault(key, []).append(revision)

    def _keys(self, revision: Revision) -> set[tuple[str, str]]:
        keys = {("id", post.message_id) for post in revision.members} | {("who", revision.head.address)}
        keys |= {("change", post.change_id) for post in revision.members if post.change_id}
        keys |= {("patch", post.patch_id) for post in revision.posts if post.patch_id}
        keys |= {("title", _key(post)) for post in revision.posts} | {("name", title_key(revision.title))}
        keys |= {("thread", str(revision.head.thread))}
        return keys

    def having(self, kind: str, values: Iterable[str]) -> list[Revision]:
        """The revisions that have one of the values, each once."""
        found = {id(each): each for value in values for each in self._by.get((kind, value), ())}
        return list(found.values())

    def alike(self, revision: Revision) -> list[Revision]:
        """The revisions of the last WITHIN days that have a good part of the words of this one's title."""
        words = frozenset(title_key(revision.title).split())
        first, last = (bisect_left(self._dates, date) for date in (revision.date - WITHIN * _DAY, revision.date + 1))
        near = zip(self.revisions[first:last], self._words[first:last], strict=True)
        return [each for each, other in near if len(words & other) >= _ALIKE / 2 * max(len(words | other), 1)]

    def link(self, revision: Revision) -> Link | None:
        """The revision before this one, None for a first one or where no rule finds any."""
        seen = _Seen(revision)
        for rule in _RULES:
            found = [each for each in rule.candidates(self, seen) if _precedes(each, revision) and rule.holds(each, seen)]
            if not found:
                continue
            best = max(found, key=lambda each: (each.version, len(each.posts) > 0, each.date, each.head.number))
            return Link(revision.identity, best.identity, rule.name, rule.why(best, seen))
        return None

    def links(self) -> list[Link]:
        """The links of all of them."""
        return [link for revision in self.revisions if (link := self.link(revision)) is not None]


class _Seen:
    """What the rules ask of the later revision, worked out once."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision
        self.titles = {key for post in revision.posts if len((key := _key(post)).split()) > 2}
        self.patches = {post.patch_id for post in revision.posts if post.patch_id}
        self.files = {path for post in revision.posts for path in post.paths}
        self.name = title_key(revision.title)

    def shares_title(self, other: Revision) -> bool:
        return any(_key(post) in self.titles for post in other.posts)

    def shares_file(self, other: Revision) -> bool:
        return any(path in self.files for post in other.posts for path in post.paths)

    def same_person(self, other: Revision) -> bool:
        """The same address, or the same name from another."""
        one, other_head = self.revision.head, other.head
        return one.address == other_head.address or (bool(one.name) and one.name.casefold() == other_head.name.casefold())

    def same_name(self, other: Revision) -> bool:
        return self.name == title_key(other.title)

    def related(self, other: Revision) -> bool:
        return self.same_name(other) or self.shares_title(other) or self.shares_file(other)

    def days(self, other: Revision) -> float:
        return abs(self.revision.date - other.date) / _DAY

    def alike(self, other: Revision) -> float:
        """How many of the words of both titles they share, the names of subsystems before the colons aside."""
        one, two = _words(self.revision.title), _words(other.title)
        return len(one & two) / max(len(one | two), 1)


def _words(title: str) -> set[str]:
    return set(title_key(title.rpartition(": ")[2] or title).split())


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    candidates: Callable[[Shelf, _Seen], list[Revision]]
    holds: Callable[[Revision, _Seen], bool]
    why: Callable[[Revision, _Seen], str]


def _precedes(other: Revision, revision: Revision) -> bool:
    """Whether `other` can be the one before: posted earlier, and a lower version, or the same one posted again."""
    if other is revision or other.identity == revision.identity or not _before(other, revision):
        return False
    if other.version < revision.version:
        return True
    if other.version != revision.version:
        return False
    again = "RESEND" in revision.head.label.tags or not revision.head.label.labelled
    promoted = "RFC" in other.head.label.tags and "RFC" not in revision.head.label.tags
    return again or promoted


def _before(other: Revision, revision: Revision) -> bool:
    one, two = other.date, revision.date
    if one and two and one != two:
        return one < two
    return other.head.number < revision.head.number


def _key(post: Post) -> str:
    return title_key(post.title)


def _labelled(other: Revision, seen: _Seen) -> bool:
    """The weak rules look only for what must exist: the version before one that says it has one."""
    return other.version < seen.revision.version


def _close(other: Revision, seen: _Seen) -> bool:
    """The very version before, at most two weeks old, and not much larger or smaller."""
    sizes = sorted((len(other.posts), len(seen.revision.posts)))
    following = seen.revision.version.major - other.version.major == 1
    return following and seen.days(other) <= _NEAR and sizes[1] <= sizes[0] + 2


def _ids(seen: _Seen) -> list[str]:
    return [name for post in seen.revision.members for name in post.mentions]


def _titles(seen: _Seen, other: Revision) -> str:
    common = seen.titles & {_key(post) for post in other.posts}
    return f"{len(common)} of {len(seen.revision.posts)} patch titles"


_RULES = (
    _Rule(
        "change-id",
        lambda shelf, seen: shelf.having("change", (p.change_id for p in seen.revision.members if p.change_id)),
        lambda other, seen: True,
        lambda other, seen: next(p.change_id for p in other.members if p.change_id),
    ),
    _Rule(
        "named in the text",
        lambda shelf, seen: shelf.having("id", _ids(seen)),
        lambda other, seen: seen.related(other) and (seen.same_person(other) or seen.shares_title(other)),
        lambda other, seen: f"links to {other.identity}",
    ),
    _Rule(
        "same thread",
        lambda shelf, seen: shelf.having("thread", [str(seen.revision.head.thread)]),
        lambda other, seen: seen.same_person(other) and (seen.same_name(other) or seen.shares_title(other)),
        lambda other, seen: f"posted in answer to it; {_titles(seen, other)}",
    ),
    _Rule(
        "author and series title",
        lambda shelf, seen: shelf.having("name", [title_key(seen.revision.title)]),
        lambda other, seen: seen.same_person(other),
        lambda other, seen: other.title,
    ),
    _Rule(
        "author and a patch title",
        lambda shelf, seen: shelf.having("title", seen.titles),
        lambda other, seen: seen.same_person(other),
        lambda other, seen: _titles(seen, other),
    ),
    _Rule(
        "the same change",
        lambda shelf, seen: shelf.having("patch", seen.patches),
        lambda other, seen: _labelled(other, seen) or seen.same_person(other),
        lambda other, seen: f"{len(seen.patches & {p.patch_id for p in other.posts})} patches with the same patch-id",
    ),
    _Rule(
        "a patch title",
        lambda shelf, seen: shelf.having("title", seen.titles),
        lambda other, seen: _labelled(other, seen),
        lambda other, seen: _titles(seen, other),
    ),
    _Rule(
        "words of the title",
        lambda shelf, seen: shelf.alike(seen.revision),
        lambda other, seen: (
            _labelled(other, seen)
            and seen.days(other) <= WITHIN
            and (
                seen.alike(other) >= _ALIKE
                or (
                    _close(other, seen)
                    and seen.alike(other) >= _ALIKE / 2
                    and seen.same_person(other)
                    and seen.shares_file(other)
                )
            )
        ),
        lambda other, seen: f"{seen.alike(other):.0%} of the words alike, {seen.days(other):.0f} days apart",
    ),
    _Rule(
        "author and a file",
        lambda shelf, seen: shelf.having("who", [seen.revision.head.address]),
        lambda other, seen: _close(other, seen) and seen.shares_file(other),
        lambda other, seen: f"{seen.days(other):.0f} days apart",
    ),
)


def lineage(revision: Revision, links: Sequence[Link], revisions: Iterable[Revision]) -> list[Revision]:
    """All revisions that links join with this one, oldest first."""
    names = {revision.identity}
    while True:
        more = {name for link in links if {link.later, link.earlier} & names for name in (link.later, link.earlier)} - names
        if not more:
            break
        names |= more
    return sorted(
        (each for each in revisions if each.identity in names), key=lambda each: (each.version, each.date, each.head.number)
    )

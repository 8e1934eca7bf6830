"""From mail to mainline: which posted patch became which commit, and what that makes of the series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backport.git.clone import Clone, resolve_one, tags_of
from backport.git.history import History
from backport.git.since import Landed, commits_since, first_tags, with_diffs
from backport.git.store import Store
from backport.ingest.mail.diff import changed_lines, read_diff
from backport.ingest.mail.message import read
from backport.ingest.mail.subject import title_key
from backport.model.mail import Became, Fate, Post

_ALIKE = 0.5
_DAY = 86400
_YEAR = 365 * _DAY
_RULES = ("patch-id", "title and author", "title", "changed lines")


@dataclass(frozen=True, slots=True)
class Posted:
    """A patch of the last posting with its bytes."""

    post: Post
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Side:
    """What two versions of a change are compared by."""

    patch_id: str
    lines: frozenset[bytes]


def fate(patches: Sequence[Posted], since: int, clones: Sequence[Clone], tip: str, store: Store) -> Fate:
    """What became of these patches in the history below `tip`, from `since` (seconds; the first posting) on.

    Tried in order: the same patch-id; the same title and author; the same title; more than half of the changed lines. The last
    may take a backport, or a second patch of the same kind, for the one that was posted: the distance tells.
    """
    sides = {each.post.message_id: _side_of_mail(each.raw) for each in patches}
    paths = sorted({path.encode() for each in patches for path in each.post.paths})
    newest = resolve_one(clones, tip, "--in")
    found = commits_since(store, newest, max(since - _DAY, 0), paths) if paths else []
    landed = {each.commit: _side(each.diff) for each in with_diffs(store, [each.commit for each in found])}
    taken: dict[str, tuple[Landed, str]] = {}
    for rule in _RULES:
        for each in patches:
            if each.post.message_id not in taken:
                free = [one for one in found if one.commit not in {other.commit for other, _ in taken.values()}]
                match = _match(rule, each.post, sides[each.post.message_id], free, landed)
                if match is not None:
                    taken[each.post.message_id] = (match, rule)
    releases = _releases(clones, store, [one.commit for one, _ in taken.values()])
    became = tuple(
        Became(
            name,
            one.commit,
            one.subject,
            rule,
            _distance(sides[name], landed[one.commit]),
            releases.get(one.commit, ""),
            one.date,
        )
        for name, (one, rule) in sorted(taken.items(), key=lambda item: list(sides).index(item[0]))
    )
    lost = tuple(name for name in sides if name not in taken)
    return Fate(became, lost, _state(became, lost), until=_committed(store, newest))


def with_dropped(outcome: Fate, earlier: Fate, last: int) -> Fate:
    """What became of a series, together with what became of the patches that it dropped on its way.

    `last` is when it was posted last: where the history goes a year beyond that and has nothing of it, it counts as dropped.
    """
    gone = outcome.state == "posted" and last and outcome.until - last > _YEAR
    became = (*outcome.became, *earlier.became)
    return replace(outcome, became=became, dropped=earlier.lost, state="dropped" if gone and not became else outcome.state)


def _committed(store: Store, commit: str) -> int:
    """When a commit was made, in seconds since 1970."""
    return int(History(store).commit(commit).committer.split(b" ")[-2])


def _match(rule: str, post: Post, side: _Side, found: Sequence[Landed], landed: Mapping[str, _Side]) -> Landed | None:
    """The commit that a rule takes for the patch: the oldest of several, since later ones are backports or reverts of reverts."""
    key = title_key(post.title)
    if rule == "patch-id":
        alike = [one for one in found if side.patch_id and landed[one.commit].patch_id == side.patch_id]
    elif rule == "title and author":
        alike = [one for one in found if title_key(one.subject) == key and _same_person(post, one)]
    elif rule == "title":
        alike = [one for one in found if title_key(one.subject) == key and len(key.split()) > 2]
    else:
        near = [(_overlap(side, landed[one.commit]), one) for one in found]
        best = max(near, key=lambda pair: pair[0], default=None)
        alike = [best[1]] if best is not None and best[0] > _ALIKE else []
    return alike[-1] if alike else None


def _same_person(post: Post, one: Landed) -> bool:
    name = post.name.split(" via ")[0].strip().casefold()
    return one.address == post.address or (bool(name) and one.name.casefold() == name)


def _side_of_mail(raw: bytes) -> _Side:
    return _side(read(raw).body)


def _side(text: bytes) -> _Side:
    diff = read_diff(text)
    return _Side(diff.patch_id, frozenset(changed_lines(diff.files)))


def _overlap(one: _Side, other: _Side) -> float:
    return len(one.lines & other.lines) / max(len(one.lines | other.lines), 1)


def _distance(one: _Side, other: _Side) -> int:
    return 0 if one.patch_id == other.patch_id else round(100 * (1 - _overlap(one, other)))


def _releases(clones: Sequence[Clone], store: Store, commits: Sequence[str]) -> dict[str, str]:
    """The first tag with each commit. The scratch store is given the clones' tags, which is all that name-rev looks at."""
    packed = b"# pack-refs with: sorted \n" + b"".join(
        b"%s refs/tags/%s\n" % (oid.encode(), name.encode("utf-8", "surrogateescape")) for name, oid in sorted(tags_of(clones))
    )
    (store.folder / "packed-refs").write_bytes(packed)
    return first_tags(store, commits)


def _state(became: Sequence[Became], lost: Sequence[str]) -> str:
    if not became:
        return "posted"
    if lost:
        return "partly applied"
    return "released" if all(each.release for each in became) else "applied"

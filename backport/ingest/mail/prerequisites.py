"""What a series says that it needs first: `prerequisite-patch-id`, `-change-id`, `-message-id`, and `Depends-on: MESSAGE-ID|URL`.

git format-patch --base writes the first below the first patch, b4 all three into the cover letter, people the last. A patch-id
names one patch, the others a posting with all its patches. Each is looked for by its patch-id among the commits that stand on
the base (or, where none is named, are less than a year older than the series); what no history has is taken from the mails of the
same archive. What a prerequisite needs itself is not followed: format-patch and b4 list all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.git.clone import Clone, resolve, tips_of
from backport.git.history import History
from backport.git.since import patch_ids
from backport.git.store import Store
from backport.ingest.mail import lives
from backport.ingest.mail.archive import Archive
from backport.model.mail import Note, Post
from backport.model.series import decode

_LINE = re.compile(rb"^prerequisite-(patch|change|message)-id:[ \t]*<?([^\s<>]{4,200})>?[ \t\r]*$", re.M)
_DEPENDS = re.compile(rb"^Depends-on:[ \t]*(?:https?://[^\s<>]*/)?<?([^\s<>/]{1,190}@[^\s<>/]{1,190})>?/?[ \t\r]*$", re.M | re.I)
_MOST = 100
_YEAR = 365 * 86400


@dataclass(frozen=True, slots=True)
class Need:
    """A prerequisite as a mail names it: "patch", "change" or "message", the id, and the patches of the archive that it means."""

    kind: str
    value: str
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was said of each prerequisite, the commits that some are, and the patches that are nothing but mails, in order."""

    notes: tuple[Note, ...] = ()
    commits: tuple[str, ...] = ()
    posts: tuple[Post, ...] = ()


def needs(bodies: Sequence[bytes], archive: Archive) -> tuple[Need, ...]:
    """The prerequisites that mails name, in order, each once."""
    named = [(decode(match[1]), decode(match[2])) for body in bodies for match in _LINE.finditer(body)]
    named += [("message", decode(match[1])) for body in bodies for match in _DEPENDS.finditer(body)]
    return tuple(Need(kind, value, _meant(kind, value, archive)) for kind, value in list(dict.fromkeys(named))[:_MOST])


def _meant(kind: str, value: str, archive: Archive) -> tuple[Post, ...]:
    """The patches that an id means: the last mail with the patch-id, else all of the posting (`CHANGE-ID:v2`: that revision)."""
    name, _, version = value.partition(":") if kind == "change" else (value, "", "")
    found = [post for post in archive.named(kind, name) if version in ("", str(post.label.version))]
    if kind == "patch" or not found:
        return tuple(found[-1:])
    revisions = lives.life(archive, found[-1].message_id).revisions
    return next((each.posts for each in revisions if found[-1] in each.members), ())


def look(wanted: Sequence[Need], clones: Sequence[Clone], base: str, date: int, store: Store, *, taken: bool = False) -> Found:
    """Find each prerequisite in the histories. `base` is what the series names, '' for nothing; `date` when it was posted;
    `taken` whether those that are only mails are put in front, which is told.
    """
    ids = {need.value for need in wanted if need.kind == "patch"}
    ids |= {post.patch_id for need in wanted for post in need.posts if post.patch_id}
    tips = [tip for clone in clones for tip in tips_of(clone)] if ids else []
    (known,) = resolve(clones, [base])
    landed = patch_ids(store, tips, known or "", max(date - _YEAR, 0), ids) if tips else {}
    history = History(store)
    notes: list[Note] = []
    commits: list[str] = []
    posts: dict[str, Post] = {}
    for need in wanted:
        names = [need.value] if need.kind == "patch" else [post.patch_id for post in need.posts]
        here = [landed[name] for name in names if name in landed]
        lacking = [post for post in need.posts if post.patch_id not in landed]
        commits += here
        posts |= {post.where: post for post in lacking}
        said = f"is commit {here[-1][:12]} ({history.commit(here[-1]).subject})" if here else ""
        if lacking:
            which = f"{len(lacking)} patches, the last {lacking[-1].title}" if len(lacking) > 1 else lacking[0].title
            then = "put in front" if taken else "no history given here is known to have it"
            said = f"was posted as {lacking[0].message_id} ({which}); {then}"
        notes.append(
            Note(
                "prerequisite",
                f"{need.kind}-id {need.value} {said or 'is in no history given here, nor among the mails'}",
                need.posts[-1].message_id if need.posts else "",
            )
        )
    return Found(tuple(notes), tuple(reversed(commits)), tuple(posts.values()))


def advice(found: Found, *, taken: bool) -> str:
    """What to do where a series does not apply and needs something that no history has; '' where that cannot be the reason."""
    if found.posts and not taken:
        return f"it needs {len(found.posts)} patches that were only posted ({found.posts[0].title} ...): add --with-prerequisites"
    lacking = sum(not note.post and "nor among" in note.what for note in found.notes)
    return f"it needs {lacking} patches first that are nowhere here: give mail or a history that has them" if lacking else ""

"""What a series says that it needs first: `prerequisite-patch-id`, `prerequisite-change-id`, `prerequisite-message-id`.

git format-patch --base writes the first below the first patch, b4 all three into the cover letter. A patch-id is looked for among
the commits that stand on the base (or, where none is named, are less than a year older than the series) and among the mails of
the same archive; the others among the mails.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backport.git.clone import Clone, resolve, tips_of
from backport.git.history import History
from backport.git.since import patch_ids
from backport.git.store import Store
from backport.ingest.mail.archive import Archive
from backport.model.mail import Note, Post
from backport.model.series import decode

_LINE = re.compile(rb"^prerequisite-(patch|change|message)-id:[ \t]*<?([^\s<>]{4,200})>?[ \t\r]*$", re.M)
_MOST = 100
_YEAR = 365 * 86400


@dataclass(frozen=True, slots=True)
class Need:
    """A prerequisite as a mail names it: "patch", "change" or "message", the id, and the last mail of the archive that is it."""

    kind: str
    value: str
    post: Post | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was said of each prerequisite, and the commits that some of them are."""

    notes: tuple[Note, ...] = ()
    commits: tuple[str, ...] = ()


def needs(bodies: Sequence[bytes], archive: Archive) -> tuple[Need, ...]:
    """The prerequisites that mails name, in order, each once."""
    named = [(decode(match[1]), decode(match[2])) for body in bodies for match in _LINE.finditer(body)]
    found = []
    for kind, value in list(dict.fromkeys(named))[:_MOST]:
        posts = archive.named(kind, value.partition(":")[0] if kind == "change" else value)
        found.append(Need(kind, value, posts[-1] if posts else None))
    return tuple(found)


def look(wanted: Sequence[Need], clones: Sequence[Clone], base: str, date: int, store: Store) -> Found:
    """Find each prerequisite in the histories. `base` is what the series names, '' for nothing; `date` when it was posted."""
    ids = {need.value for need in wanted if need.kind == "patch"}
    tips = [tip for clone in clones for tip in tips_of(clone)] if ids else []
    (known,) = resolve(clones, [base])
    landed = patch_ids(store, tips, known or "", max(date - _YEAR, 0), ids) if tips else {}
    history = History(store)
    notes, commits = [], []
    for need in wanted:
        oid = landed.get(need.value) if need.kind == "patch" else None
        if oid is not None:
            said = f"is commit {oid[:12]} ({history.commit(oid).subject})"
            commits.append(oid)
        elif need.post is not None:
            said = f"was posted as {need.post.message_id} ({need.post.title}); no history given here is known to have it"
        else:
            said = "is in no history given here, nor among the mails"
        post = need.post.message_id if need.post is not None else ""
        notes.append(Note("prerequisite", f"{need.kind}-id {need.value} {said}", post))
    return Found(tuple(notes), tuple(reversed(commits)))

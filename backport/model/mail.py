"""What was posted: mails, the series they form, and how one revision follows from another.

Message-ids, names and titles are text made for display and for comparison; whatever is applied stays bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a mail is for a series: a patch, the letter before the patches, a pull request, or talk."""

    PATCH = "patch"
    COVER = "cover"
    PULL = "pull"
    TALK = "talk"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The revision that a subject claims: 2 of `v2`, (3, 1) of `v3.1`; `suffix` keeps what else it said ("-changed")."""

    major: int = 1
    minor: int = 0
    suffix: str = ""

    def __str__(self) -> str:
        return f"v{self.major}" + (f".{self.minor}" if self.minor else "") + self.suffix


@dataclass(frozen=True, slots=True)
class Label:
    """What the brackets of a subject say: `[RFC PATCH v3 2/7] title`.

    `number` and `total` are None where it counts nothing (a single patch). `tags` are the words beside PATCH, in upper case,
    sorted: RFC, RESEND, NET-NEXT. `labelled` tells a `v1` that was written from one that nobody wrote.
    """

    patch: bool
    pull: bool
    reply: bool
    version: Version
    labelled: bool
    number: int | None
    total: int | None
    tags: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Trailer:
    """One line such as `Reviewed-by: Name <address>`; `value` as it was written."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Post:
    """One mail of an archive, without its text: `where` is what its source reads it again by.

    `date` is in seconds since 1970 (0: none that can be believed), `parents` the message-ids it answers, the nearest last.
    `blobs` are pairs of path and the abbreviated id of the blob that the patch was made on ("" for a new file or where none is
    written). `number` is its place in the archive; `whole` says that a reply speaks of the series, not of one patch.
    """

    number: int
    where: str
    message_id: str
    parents: tuple[str, ...]
    date: int
    name: str
    address: str
    label: Label
    kind: Kind
    patch_id: str
    blobs: tuple[tuple[str, str], ...]
    trailers: tuple[Trailer, ...]
    change_id: str
    base_commit: str
    mentions: tuple[str, ...]
    whole: bool
    thread: int

    @property
    def title(self) -> str:
        """The subject without its brackets."""
        return self.label.title

    @property
    def paths(self) -> frozenset[str]:
        """The files that the patch touches."""
        return frozenset(path for path, _ in self.blobs)


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a series that a reader must know before it is used: `kind` is a stable word, `what` a sentence.

    "missing", "duplicate", "foreign", "partial", "resend", "unlabelled", "uncounted", "no-cover", "beyond", "mixed-total".
    `post` is the message-id of the mail it is about, or ''.
    """

    kind: str
    what: str
    post: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the series cannot be applied as it is."""
        return self.kind in ("missing",)


@dataclass(frozen=True, slots=True)
class Revision:
    """One posting of a series: its patches in order, the cover if there is one, and what is odd about it.

    `rule` says what held the mails together: "alone", "message-id run", "one file or folder", "reply to the cover",
    "reply to the first patch", "posted together".
    """

    posts: tuple[Post, ...]
    cover: Post | None
    version: Version
    total: int
    rule: str
    notes: tuple[Note, ...] = ()

    @property
    def head(self) -> Post:
        """The mail that names the series: the cover, else the first patch."""
        return self.cover or self.posts[0]

    @property
    def identity(self) -> str:
        """The message-id of `head`: the id by which a series is asked for."""
        return self.head.message_id

    @property
    def title(self) -> str:
        """What the series is called."""
        return self.head.title

    @property
    def date(self) -> int:
        """When the first of its mails was sent."""
        return min((post.date for post in self.members if post.date), default=0)

    @property
    def members(self) -> tuple[Post, ...]:
        """The cover and the patches."""
        return ((self.cover,) if self.cover else ()) + self.posts

    @property
    def whole(self) -> bool:
        """Whether nothing keeps it from being applied."""
        return not any(note.blocks for note in self.notes)


@dataclass(frozen=True, slots=True)
class Link:
    """A revision and the earlier one that it follows: the rule that linked them, and what that rule saw."""

    later: str
    earlier: str
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Given:
    """A trailer that somebody gave in a reply: to a `patch` (its message-id) or, where `patch` is '', to the whole series.

    `by` is the sender of the reply; `mismatch` says in words how the trailer's name or address differs from it, or is ''.
    `carried` names the earlier revision whose identical patch it was given to, or is ''.
    """

    trailer: Trailer
    patch: str
    by: str
    message_id: str
    mismatch: str = ""
    carried: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A mail that was left out, where it is (file and line, or archive and object), and why."""

    where: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A patch that is in no later revision: its message-id and title, the last revision that has it, the first without it."""

    patch: str
    title: str
    last: str
    since: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """The life of a series in an archive: its revisions, oldest first, the links between them, trailers, patches dropped."""

    revisions: tuple[Revision, ...]
    links: tuple[Link, ...]
    given: tuple[tuple[str, tuple[Given, ...]], ...] = ()
    dropped: tuple[Dropped, ...] = ()

    def link_of(self, identity: str) -> Link | None:
        """The link from a revision to the one before it, None for the first."""
        return next((link for link in self.links if link.later == identity), None)

    def given_to(self, identity: str) -> tuple[Given, ...]:
        """The trailers that a revision was given."""
        return next((given for key, given in self.given if key == identity), ())


@dataclass(frozen=True, slots=True)
class Became:
    """The commit that a posted patch became: by which rule it was found, and how far it is from the posting.

    `rule`: "patch-id", "title and author", "title", "changed lines". `distance` is the share of the changed lines, in percent,
    that only one of the two has. `release` is the first tag that has the commit, '' where none has; `date` when it was
    committed (seconds since 1970).
    """

    patch: str
    commit: str
    subject: str
    rule: str
    distance: int
    release: str
    date: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the patches of a series, those of the last posting that became nothing, and the state of the whole.

    `state`: "posted", "applied" (commits that no release has), "released", "partly applied"; "dropped" where nothing of it was
    taken in the year after the last posting, which may yet be wrong (parts of the real-time patches were taken years later).
    `dropped` are patches of earlier postings that are in no later one and became nothing; `until` is how far the history goes
    (seconds since 1970).
    """

    became: tuple[Became, ...]
    lost: tuple[str, ...]
    state: str
    dropped: tuple[str, ...] = ()
    until: int = 0

    @property
    def release(self) -> str:
        """The last release that brought a part of it; numbers compare as numbers, and -rc is before the release."""
        names = {each.release for each in self.became if each.release}
        return max(
            names, key=lambda name: [int(n) for n in re.findall(r"\d+", name + ("" if "-rc" in name else "-999"))], default=""
        )

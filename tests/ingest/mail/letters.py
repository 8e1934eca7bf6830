"""Mails of our own writing, one call each; and the series that a list of them makes."""

from __future__ import annotations

from collections.abc import Sequence

from backport.ingest.mail.archive import Archive
from backport.ingest.mail.grouping import group
from backport.ingest.mail.lives import all_revisions
from backport.ingest.mail.posts import read
from backport.ingest.mail.rows import row_of
from backport.model.mail import Revision

DAY = 86400
START = 1_250_000_000
ANN = "Ann Author <ann@example.com>"
BEA = "Bea Other <bea@example.org>"


def diff(path: str = "mm/a.c", line: str = "new", blob: str = "1111111") -> str:
    """A change of one line."""
    return f"diff --git a/{path} b/{path}\nindex {blob}..2222222 100644\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-old\n+{line}\n"


def letter(
    subject: str,
    identity: str = "",
    to: str | Sequence[str] = (),
    *,
    who: str = ANN,
    when: int = START,
    text: str = "text\n",
    change: str | None = "mm/a.c new",
) -> bytes:
    """One mail. `to` are the ids that it answers, the nearest last; `change` is `path line`, None for no diff."""
    parents = [to] if isinstance(to, str) else list(to)
    lines = [f"From: {who}", f"Subject: {subject}", f"Date: {_date(when)}"]
    lines += [f"Message-ID: <{identity}>"] if identity else []
    if parents:
        lines += [f"In-Reply-To: <{parents[-1]}>", "References: " + " ".join(f"<{name}>" for name in parents)]
    body = text + ("---\n\n" + diff(*change.split(" ", 1)) if change is not None else "")
    return ("\n".join(lines) + "\n\n" + body).encode()


def _date(when: int) -> str:
    from email.utils import formatdate

    return formatdate(when)


def archived(mails: Sequence[bytes]) -> Archive:
    """An archive with these mails."""
    archive = Archive(None)
    with archive.change():
        archive.add("test", [row_of(read(mail, f"place{number}")) for number, mail in enumerate(mails, 1)])
    return archive


def grouped(*mails: bytes) -> list[Revision]:
    """The series of these mails, by date."""
    with archived(mails) as archive:
        return all_revisions(archive)


def in_one_thread(*mails: bytes) -> list[Revision]:
    """The series of these mails, which must be one thread."""
    with archived(mails) as archive:
        (thread,) = archive.titled("")
        return group(archive.posts([thread]))


def kinds(revision: Revision) -> list[str]:
    """The notes of a series by kind."""
    return [note.kind for note in revision.notes]


def shape(revision: Revision) -> str:
    """`v2 0+1,2/2`: the revision, 0 where there is a cover, the numbers of its patches, how many it says there are."""
    numbers = ",".join(str(post.label.number or 1) for post in revision.posts)
    return f"{revision.version} {'0+' if revision.cover else ''}{numbers}/{revision.total}"

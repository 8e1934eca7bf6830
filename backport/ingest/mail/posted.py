"""From mails to a series that can be replayed: made on their base, by git am, with ids that come out the same each time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes

from backport.git.am import Applied, apply_mails
from backport.git.clone import Clone
from backport.git.store import Store
from backport.ingest.mail import message
from backport.ingest.mail.base import Base, find_base, stand_in
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.credit import credit
from backport.ingest.mail.diff import PostedDiff, read_diff
from backport.ingest.mail.hidden import find_hidden
from backport.model.errors import InputError

_HEADER = re.compile(rb"\A(?:[A-Za-z][A-Za-z0-9-]*:|From )")
_KEPT = (b"from", b"subject", b"date", b"message-id")


@dataclass(frozen=True, slots=True)
class Made:
    """A posted series as commits: its base, the commits in order, the mails that they were made of, and lines added to each."""

    base: Base
    commits: tuple[str, ...]
    mails: tuple[Found, ...]
    lines: tuple[tuple[str, ...], ...] = ()


def make(
    mails: Sequence[Found],
    clones: Sequence[Clone],
    store: Store,
    *,
    named: Sequence[str] = (),
    needs: Sequence[str] = (),
    fallback: str = "",
    hidden: bool = False,
    lines: Sequence[tuple[str, ...]] = (),
) -> Made:
    """Make commits of a series' mails, on the base that they name or that is found from their blob ids.

    `lines` are put below the message of each, where they are given.

    InputError, with mail, line and reason, for the first one that git refuses, and for one that adds bidirectional or zero-width
    characters unless `hidden` allows them.
    """
    ready = [for_am(each.raw) for each in mails]
    diffs = [read_diff(message.read(raw).body) for raw in ready]
    for each, raw, diff in zip(mails, ready, diffs, strict=True):
        _refuse_hidden(each.where, raw, diff, hidden)
    base = find_base(named, diffs, clones, store, fallback, needs)
    return Made(base, remake(mails, base.commit, store, lines), tuple(mails), tuple(lines))


def remake(mails: Sequence[Found], base: str, store: Store, lines: Sequence[Sequence[str]] = ()) -> tuple[str, ...]:
    """The commits of mails on a base that is known, with `lines` below the message of each. InputError as `make`."""
    ready = [for_am(each.raw) for each in mails]
    commits: list[str] = []
    at = stand_in(base, [read_diff(message.read(raw).body) for raw in ready], store)
    while len(commits) < len(mails):  # one git am for each run of equal strip levels: one, but for odd quilt series
        first = len(commits)
        last = next((i for i in range(first, len(mails)) if mails[i].strip != mails[first].strip), len(mails))
        paths = sorted({path for raw in ready[first:last] for path in _paths(raw)})
        applied = apply_mails(store, at, ready[first:last], paths, mails[first].strip)
        if applied.stopped >= 0:
            raise _refused(mails[first + applied.stopped], applied)
        commits += applied.commits
        at = commits[-1]
    return credit(commits, lines, store) if any(lines) else tuple(commits)


def for_am(raw: bytes) -> bytes:
    """A mail as git am is to see it. All but four kinds go through byte by byte.

    The mbox's `From ` line goes. A mail sent as CRLF throughout loses its CRs. A plain diff gets the headers that it lacks. A
    part whose decoded lines all end in CRLF (MIME's form of text) is written out as 8bit, since git would take the CRs for the
    file's.
    """
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    if not _HEADER.match(raw):
        raw = b"From: nobody <nobody@localhost>\nSubject: [PATCH] patch\n\n" + raw
    head, body = message.split(raw)
    coding = re.search(rb"^content-transfer-encoding:[ \t]*(\S+)", head, re.M | re.I)
    many = re.search(rb"^content-type:[ \t]*multipart/", head, re.M | re.I) is not None
    if not re.search(rb"^date:", head, re.M | re.I):
        head += b"\n" + message.NO_DATE
    if (many or (coding is not None and coding[1].lower() in (b"base64", b"quoted-printable"))) and _has_crlf(raw):
        return _plain(head, message.read(raw).body)
    return head + b"\n\n" + body


def _has_crlf(raw: bytes) -> bool:
    """Whether a decoded part ends its lines in CRLF: seen in decoded base64, and in quoted-printable that spells `=0D`."""
    parts = [part.get_payload(decode=True) for part in message_from_bytes(raw).walk() if not part.is_multipart()]
    return any(isinstance(part, bytes) and b"\r\n" in part and part.count(b"\r\n") == part.count(b"\n") for part in parts)


def _plain(head: bytes, body: bytes) -> bytes:
    kept = [m[0] for m in re.finditer(rb"^([A-Za-z-]+):[^\n]*(?:\n[ \t][^\n]*)*", head, re.M) if m[1].lower() in _KEPT]
    charset = re.search(rb"charset=\"?([\w.-]+)", head, re.I)
    typed = b"Content-Type: text/plain; charset=%s" % (charset[1] if charset else b"UTF-8")
    return b"\n".join([*kept, typed, b"Content-Transfer-Encoding: 8bit"]) + b"\n\n" + body


def _paths(raw: bytes) -> list[bytes]:
    files = read_diff(message.read(raw).body).files
    return [path for file in files for path in (file.old, file.new) if path]


def _refused(mail: Found, applied: Applied) -> InputError:
    place = f"{mail.where}:{applied.line}" if applied.line else mail.where
    said = f"git refuses the mail: {applied.said}"
    return InputError(said, where=place, then="is it made for this base? give another with --base, or the mail as it was sent")


def _refuse_hidden(where: str, raw: bytes, diff: PostedDiff, allowed: bool) -> None:
    found = None if allowed else find_hidden(diff)
    if found is not None:
        at = raw[: max(raw.find(found.line if found.path else b"+" + found.line), 0)].count(b"\n") + 1
        what = (
            f"{'a file name' if found.path else 'an added line'} hides the character {found.code} (bidirectional or of no width)"
        )
        raise InputError(what, where=f"{where}:{at}", then="look at it with `cat -A`; --allow-hidden takes it all the same")

"""What an archive remembers of a mail: who, when, which label, which change, and the trailers that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote

from backport.ingest.mail import message, subject
from backport.ingest.mail.diff import PostedDiff, holds_diff, read_diff
from backport.ingest.mail.message import Mail
from backport.model.mail import Kind, Label, Trailer
from backport.model.series import decode, show_path

# Every repetition has an end, so that no hostile line makes them try without one: a line of `A-A-A-...` took 1.2 GB.
_TRAILER = re.compile(
    rb"\n[ \t]?([A-Z][A-Za-z]{0,30}(?:-[A-Za-z]{1,30}){0,5}-[Bb]y|Fixes)[ \t]{0,9}:[ \t]{0,9}(\S[^\r\n]{0,300})"
)
_BASE = re.compile(rb"^base-commit: *([0-9a-f]{40})\b", re.M)
_CHANGE = re.compile(rb"^[Cc]hange-[Ii]d: *(\S{4,120})", re.M)
_LINK = re.compile(rb"https?://(?:[\w.-]{1,60}\.)?(?:kernel\.org|marc\.info|msgid\.link)/([^\s<>]{1,400})")
_LINKED = re.compile(rb"[^\"']+?(?:@|%40)[^\"'\])]+")
_WHOLE = re.compile(rb"\b(?:the|this|whole|entire|full)\s+(?:patch\s?)?(?:series|patchset|set)\b")
# A MIME mail without these holds nothing for us. They stand at the beginning of a line, where quoted-printable leaves them whole.
_OF_USE = re.compile(
    rb"\n(?:[A-Z][A-Za-z]{0,30}(?:-[A-Za-z]{1,30}){0,5}-[Bb]y:|Fixes:|\+\+\+ |diff --git "
    rb"|(?i:content-transfer-encoding:\s{0,9}base64))"
)
_MOST_FILES = 2000
_MOST_TRAILERS = 100
_MOST_MENTIONS = 50


@dataclass(frozen=True, slots=True)
class Read:
    """One mail as an archive takes it in. `where` is what its source reads it again by."""

    where: str
    mail: Mail
    label: Label
    kind: Kind
    diff: PostedDiff | None
    trailers: tuple[Trailer, ...]
    change_id: str
    base_commit: str
    mentions: tuple[str, ...]
    whole: bool

    @property
    def blobs(self) -> tuple[tuple[str, str], ...]:
        """Path and old blob id of each file."""
        files = self.diff.files[:_MOST_FILES] if self.diff is not None else ()
        return tuple((_shown(file.path), "" if not file.old else file.old_blob) for file in files)


def read(raw: bytes, where: str) -> Read:
    """A mail, understood. MailRefusedError where it is not read."""
    mail = message.read(raw, of_use=_OF_USE)
    label = subject.parse(mail.subject)
    diff = read_diff(mail.body) if not label.reply and holds_diff(mail.body) else None
    kind = _kind(label, diff)
    body = mail.body
    posted = kind in (Kind.PATCH, Kind.COVER)
    change = _CHANGE.search(body) if posted and b"hange-" in body else None
    base = _BASE.search(body) if posted and b"\nbase-commit:" in body else None
    mentions = list(islice(_mentions(body), _MOST_MENTIONS)) if posted and b"://" in body else []
    trailers = _trailers(body)
    return Read(
        where=where,
        mail=mail,
        label=label,
        kind=kind,
        diff=diff if kind is Kind.PATCH else None,
        trailers=trailers,
        change_id=decode(change[1]) if change else "",
        base_commit=base[1].decode() if base else "",
        mentions=tuple(dict.fromkeys(unquote(decode(found)) for found in mentions)),
        whole=bool(trailers) and kind is Kind.TALK and _WHOLE.search(body.lower()) is not None,
    )


def _kind(label: Label, diff: PostedDiff | None) -> Kind:
    """A numbered patch without a diff keeps its number: a hole in the series would be worse than an empty patch that is told."""
    if label.pull:
        return Kind.PULL
    if label.reply:
        return Kind.TALK
    if label.patch and label.number == 0:
        return Kind.COVER
    if diff is not None and (diff.files or diff.problem):
        return Kind.PATCH
    return Kind.PATCH if label.patch and label.number is not None else Kind.TALK


def _trailers(body: bytes) -> tuple[Trailer, ...]:
    """Trailer lines of the message, none that a reply quotes, none below a diff."""
    if b"-by:" not in body and b"-By:" not in body and b"Fixes:" not in body:
        return ()
    end = body.find(b"\ndiff --git ")
    text = b"\n" + body[: end if end >= 0 else len(body)]  # "^" would be tried at each byte
    return tuple(Trailer(decode(m[1]), decode(m[2].strip())) for m in islice(_TRAILER.finditer(text), _MOST_TRAILERS))


def _mentions(body: bytes) -> Iterator[bytes]:
    """The message-ids in links to archives. A link is cut into its parts by hand: one expression for all of it took hours."""
    for link in _LINK.finditer(body):
        for part in link[1].split(b"/"):
            if match := _LINKED.match(part):
                yield match[0]
                break


def _shown(path: bytes) -> str:
    text = path.decode("utf-8", "replace")
    return text if text.isascii() and text.isprintable() else show_path(path)

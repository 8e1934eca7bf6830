"""Takes a mail apart as bytes: headers first, and the full MIME reader only for the few mails that need it.

Splitting headers by hand reads 20,000 mails a second, email.parser 2,500. The body is what `git mailinfo` would go on with: the
transfer encoding undone, the character set left alone, so that no byte of a patch is lost to a wrong `charset`. The email package
is imported where it is needed: a question to an archive of mails that were read before is answered sooner than it loads.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from binascii import a2b_qp
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backport.model.errors import InputError
from backport.model.series import decode

if TYPE_CHECKING:
    from email.message import Message

LARGEST = 32 << 20  # a mail; lists stop at 1 MB, and the largest patch of the kernel's history in one mail has 8
LONGEST_HEAD = 256 << 10
MOST_PARTS = 200
_DEEPEST = 20  # multiparts in one mail; the email package asks each line of all that are open: of 90, for 17 seconds
_MOST_PARENTS = 200
NO_DATE = b"Date: Sat, 1 Jan 2000 00:00:00 +0000"  # for who has none; not 1970, which rpm refuses in a changelog
_FIRST_DATE, _LAST_DATE = 631152000, 4102444800  # 1990 and 2100: what is outside was never true
_FIELDS = frozenset((
    b"subject", b"from", b"date", b"message-id", b"in-reply-to", b"references", b"content-type", b"content-transfer-encoding",
))  # fmt: skip
_FIELD = re.compile(rb"\n([SsFfDdMmIiRrCc][A-Za-z-]*):([^\n]*(?:\n[ \t][^\n]*)*)")
_PERSON = re.compile(r'"?([^"<>,@\\()]*?)"?\s*<([^<>@\s,"]+@[^<>@\s,"]+)>')
_ID = re.compile(rb"<\s*([^<>\s]+)\s*>")
_PLAIN = (b"", b"7bit", b"8bit", b"binary")


class MailRefusedError(InputError):
    """A mail that is not read, with the 1-based line that is the reason."""

    def __init__(self, what: str, line: int = 1) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart. `body` has its transfer encoding undone; `line` is where it begins in the mail, 0 where it was decoded.

    `date` is the sender's own, in seconds since 1970; the first Received header's where the sender's cannot be, else 0.
    """

    message_id: str
    parents: tuple[str, ...]
    date: int
    name: str
    address: str
    subject: str
    body: bytes
    line: int


def read(raw: bytes, *, of_use: re.Pattern[bytes] | None = None) -> Mail:
    """The mail. MailRefusedError where it is larger than we read, or broken beyond what git would take.

    A MIME mail in which `of_use` finds nothing is not taken apart, which costs ten times as much as the rest: its body is empty.
    """
    if len(raw) > LARGEST:
        raise MailRefusedError(too_large(len(raw)), 0)
    head, body = split(raw)
    fields = _fields(head)
    coding = fields.get(b"content-transfer-encoding", b"").strip().lower()
    many = fields.get(b"content-type", b"").lower().lstrip().startswith(b"multipart/")
    plain = coding in _PLAIN and not many
    name, address = person(text(fields.get(b"from", b"")[:2000]))
    return Mail(
        message_id=_first_id(fields.get(b"message-id", b"")),
        parents=_parents(fields),
        date=_date(fields, head),
        name=name,
        address=address,
        subject=text(fields.get(b"subject", b"")[:8000]),
        body=body
        if plain
        else _decoded(body, coding)
        if not many
        else _parts(fields[b"content-type"], body)
        if of_use is None or of_use.search(raw)
        else b"",
        line=head.count(b"\n") + 3 if plain else 0,
    )


def too_large(size: int) -> str:
    """Why a mail of so many bytes is refused."""
    return f"the mail has {size >> 20} MB, and more than {LARGEST >> 20} are not read"


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The first of each header that we use, still folded; most of the eighty that a mail of today has are passed over."""
    found: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(b"\n" + head):
        if (key := name.lower()) in _FIELDS:
            found.setdefault(key, value)
    return found


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Head and body, with the CRs of a mail that was sent as CRLF throughout taken away, as `git mailsplit` does.

    A mail whose head ends its lines in LF keeps every CR of its body: they are the file's.
    """
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    end = raw.find(b"\n\n", 0, LONGEST_HEAD)
    other = raw.find(b"\r\n\r\n", 0, end + 2 if end >= 0 else LONGEST_HEAD)
    if other >= 0:
        return raw[:other].replace(b"\r\n", b"\n"), raw[other + 4 :].replace(b"\r\n", b"\n")
    if end < 0:
        if len(raw) > LONGEST_HEAD:
            raise MailRefusedError(f"its headers are longer than {LONGEST_HEAD >> 10} kB, or never end")
        return raw, b""
    return raw[:end], raw[end + 2 :]


def text(raw: bytes) -> str:
    """A header for display: unfolded, encoded words decoded, whatever charset they lie about; one line."""
    value = b" ".join(raw.split())
    if b"=?" not in value:
        return decode(value)
    from email.errors import HeaderParseError
    from email.header import decode_header

    try:
        parts = decode_header(value.decode("ascii", "surrogateescape"))
    except (HeaderParseError, ValueError):
        return decode(value)
    shown = [
        decode(part, (charset or "utf-8").encode("ascii", "replace"))
        if isinstance(part, bytes)
        else decode(part.encode("ascii", "surrogateescape"))
        for part, charset in parts
    ]
    return " ".join("".join(shown).split())


def person(value: str) -> tuple[str, str]:
    """Name and address of a From line; the address in lower case, for comparison."""
    if simple := _PERSON.fullmatch(value):
        return simple[1].strip(), simple[2].lower()
    from email.utils import parseaddr

    name, address = parseaddr(value)
    if "@" not in address and (match := re.search(r"<([^<>\s]+@[^<>\s]+)>", value)):
        name, address = value[: match.start()].strip(' "'), match[1]
    return name.strip(), address.lower()


def _parents(fields: dict[bytes, bytes]) -> tuple[str, ...]:
    """The ids that it answers, the nearest last: References, then In-Reply-To, which some programs set alone or otherwise."""
    found = _ID.findall(fields.get(b"references", b""))[-_MOST_PARENTS:]
    for oid in _ID.findall(fields.get(b"in-reply-to", b""))[:1]:
        found = [other for other in found if other != oid] + [oid]
    return tuple(dict.fromkeys(decode(oid) for oid in found))


def _first_id(value: bytes) -> str:
    match = _ID.search(value)
    return decode(match[1] if match else value.strip())[:500]


def _date(fields: dict[bytes, bytes], head: bytes) -> int:
    """The sender's date, else that of the first Received header, else 0."""
    stamp = _stamp(fields.get(b"date", b""))
    if not stamp and (received := re.search(rb"^received:[^;]{0,2000};([^\n]*)", head, re.M | re.I)):
        stamp = _stamp(received[1])
    return stamp


def _stamp(value: bytes) -> int:
    """A date in seconds since 1970, 0 where it is none or was never true."""
    from email.utils import mktime_tz, parsedate_tz

    try:
        parsed = parsedate_tz(value[:200].decode("latin-1").strip())
        stamp = mktime_tz(parsed) if parsed is not None else 0
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0
    return int(stamp) if _FIRST_DATE < stamp < _LAST_DATE else 0


def _decoded(body: bytes, coding: bytes) -> bytes:
    """A body of one part with its transfer encoding undone; an unknown encoding is none, as for mailinfo."""
    try:
        if coding == b"base64":
            return _text_lines(b64decode(body, validate=False))
        return _text_lines(a2b_qp(body)) if coding == b"quoted-printable" else body
    except binascii.Error as error:
        raise MailRefusedError(f"its base64 is broken: {error}") from error


def _parts(kind: bytes, body: bytes) -> bytes:
    """The text parts of a MIME mail one after the other, as mailinfo puts them, each with its transfer encoding undone.

    `kind` is its Content-Type; of its other headers the email package would have to read eighty first.
    """
    raw = b"Content-Type:" + kind + b"\n\n" + body
    if raw.count(b"\nContent-Type:") + raw.count(b"\ncontent-type:") > MOST_PARTS:
        raise MailRefusedError(f"it has more than {MOST_PARTS} MIME parts")
    if len(re.findall(rb"^content-type:\s{0,9}multipart/", raw, re.M | re.I)) > _DEEPEST:
        raise MailRefusedError(f"it has more than {_DEEPEST} MIME parts that have parts themselves")
    from email import message_from_bytes
    from email.errors import MessageError

    try:
        parts = [part for part in message_from_bytes(raw).walk() if not part.is_multipart()]
        if len(parts) > MOST_PARTS:
            raise MailRefusedError(f"it has more than {MOST_PARTS} MIME parts")
        found = [_payload(part) for part in parts if _is_text(part)]
    except (MessageError, RecursionError, ValueError, LookupError, AssertionError) as error:
        raise MailRefusedError(f"its MIME structure cannot be read: {error}") from error
    return b"".join(body if body.endswith(b"\n") or not body else body + b"\n" for body in found)


def _is_text(part: Message) -> bool:
    kind = part.get_content_type()
    return (kind.startswith("text/") and kind != "text/html") or kind in ("application/octet-stream", "application/x-patch")


def _payload(part: Message) -> bytes:
    body = part.get_payload(decode=True)
    return _text_lines(body if isinstance(body, bytes) else b"")


def _text_lines(raw: bytes) -> bytes:
    """Where every line of a decoded part ends in CRLF, that is MIME's own form of a text, not the file's."""
    every = b"\r\n" in raw and raw.count(b"\r\n") == raw.count(b"\n")
    return raw.replace(b"\r\n", b"\n") if every else raw

"""Formats commits as the patch mails that git am, quilt and patch(1) all take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.git.store import Store
from backport.model.series import decode

_OPTIONS = ("--stdout", "--no-numbered", "--no-signature", "--no-renames", "--binary", "--full-index", "--no-ext-diff")
# Where mailinfo would end the message, or mailsplit the mail: mailinfo.c patchbreak(), mailsplit.c is_from_line().
_BREAKS = re.compile(rb"^(?=diff -|Index: |---(?:[ \t]|$)|From .*\d\d:\d\d)", re.M)
_HEADER = re.compile(rb"\A(?=>?From |From:|Date:|Subject:|\[PATCH)", re.I)


def format_patches(store: Store, commits: Sequence[str]) -> list[bytes]:
    """Each commit as a mail, in order; `commits` are a chain, oldest first. One process.

    Renames are written as a deletion and an addition, which patch(1) and quilt understand in every version. A line of a
    message that would end it early for `git am` (a quoted diff, a `---`) is indented by one space.
    """
    if not commits:
        return []
    out = store.git.run(["format-patch", *_OPTIONS, f"{commits[0]}^..{commits[-1]}"])
    starts = [out.index(b"From %s Mon Sep 17 00:00:00 2001\n" % commit.encode()) for commit in commits]
    mails = [out[start:end] for start, end in zip(starts, [*starts[1:], len(out)], strict=True)]
    return [_shielded(mail, store.read(commit, "commit")) for mail, commit in zip(mails, commits, strict=True)]


def _shielded(mail: bytes, commit: bytes) -> bytes:
    """The mail with its message made safe; git prints the body as it is, re-encoded to UTF-8 where a header names a charset."""
    head, _, message = commit.partition(b"\n\n")
    encoding = re.search(rb"^encoding (.+)$", head, re.M)
    body = message.lstrip(b"\n").partition(b"\n\n")[2].lstrip(b"\n")
    if encoding:
        body = decode(body, encoding[1]).encode()
    at = mail.find(b"\n\n") + 2
    if not body or not mail.startswith(body, at):
        return _with_charset(mail, at)
    safe = _HEADER.sub(b" ", _BREAKS.sub(b" ", body))
    return _with_charset(mail[:at] + safe + mail[at + len(body) :], at)


def _with_charset(mail: bytes, at: int) -> bytes:
    """A mail whose message is not UTF-8 says latin-1, which is what such messages of the kernel's first years are.

    Without the header, git am warns and stores the bytes as they are, and mail programs show nonsense.
    """
    head, text = mail[:at], mail[at:].partition(b"\n---\n")[0]
    if b"\nContent-Type:" in head or _is_utf8(head + text):
        return mail
    fields = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-8859-1\nContent-Transfer-Encoding: 8bit\n"
    return re.sub(rb"^Content-T.*\n|^MIME-.*\n", b"", head, flags=re.M)[:-1] + fields + b"\n" + mail[at:]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

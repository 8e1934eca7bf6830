"""Formats commits as the patch mails that git am, quilt and patch(1) all take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.git.store import Store

_OPTIONS = ("--stdout", "--no-numbered", "--no-signature", "--no-renames", "--binary", "--full-index", "--no-ext-diff")
# Where mailinfo would end the message, or mailsplit the mail: mailinfo.c patchbreak(), mailsplit.c is_from_line().
_BREAKS = re.compile(rb"^(?=diff -|Index: |---(?:[ \t]|$)|From .*\d\d:\d\d)", re.M)
# What patch(1) takes for the beginning of a change, at any indentation: pch.c, intuit_diff_type().
_QUOTED_DIFF = re.compile(rb"^(?=[ \tX]*(?:diff --git |@@ -\d|\*{8}|Prereq:|\d[\d,]*[acd][\d,]*$))", re.M)
_HEADER = re.compile(rb"\A(?=>?From |From:|Date:|Subject:|\[PATCH)", re.I)


def format_patches(store: Store, commits: Sequence[str]) -> list[bytes]:
    """Each commit as a mail, in order; `commits` are a chain, oldest first. One process.

    Renames are written as a deletion and an addition, which patch(1) and quilt understand in every version. A line of a
    message that would end it early for `git am` (a `---`, an `Index:`) is indented by one space. A diff that a message quotes is
    disarmed with `| ` before its `diff --git` and `@@`: patch(1), which rpm and quilt run, applies it however far it is indented.
    """
    if not commits:
        return []
    out = store.git.run(["format-patch", *_OPTIONS, f"{commits[0]}^..{commits[-1]}"])
    starts = [out.index(b"From %s Mon Sep 17 00:00:00 2001\n" % commit.encode()) for commit in commits]
    mails = [out[start:end] for start, end in zip(starts, [*starts[1:], len(out)], strict=True)]
    return [_shielded(mail, store.read(commit, "commit")) for mail, commit in zip(mails, commits, strict=True)]


def _shielded(mail: bytes, commit: bytes) -> bytes:
    """The mail with its message made safe.

    git prints as many body lines as the message has (pretty.c, pp_remainder, which trims each at its end), so they are found by
    counting: looking for the `---` that ends them would find the one that the message itself holds.
    """
    count = _body_lines(commit.partition(b"\n\n")[2])
    head, _, rest = mail.partition(b"\n\n")
    lines = rest.split(b"\n")
    text = _HEADER.sub(b" ", _BREAKS.sub(b" ", _QUOTED_DIFF.sub(b"| ", b"\n".join(lines[:count]))))
    return b"\n".join([_with_charset(head, text), b"", *([text] if count else []), *lines[count:]])


def _body_lines(message: bytes) -> int:
    """How many lines git prints below the subject, which is the first paragraph. Blank is what git's isspace() says."""
    lines = [line.strip(b" \t\r") for line in message.partition(b"\0")[0].split(b"\n")]
    while lines and not lines[-1]:
        lines.pop()
    first = next((i for i, line in enumerate(lines) if line), 0)
    after = next((i for i, line in enumerate(lines) if i > first and not line), len(lines))
    return len(lines) - next((i for i, line in enumerate(lines) if i > after and line), len(lines))


def _with_charset(head: bytes, text: bytes) -> bytes:
    """A mail whose message is not UTF-8 says latin-1, which is what such messages of the kernel's first years are.

    Without the header, git am warns and stores the bytes as they are, and mail programs show nonsense.
    """
    if _is_utf8(head + text):
        return head
    fields = [b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=ISO-8859-1", b"Content-Transfer-Encoding: 8bit"]
    kept = [line for line in head.split(b"\n") if not line.startswith((b"MIME-", b"Content-T"))]
    return b"\n".join(kept + fields)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

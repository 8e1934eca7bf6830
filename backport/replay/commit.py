"""Writes the commit that a landed patch becomes: upstream's author, date and message, and two trailers that say what was done."""

from __future__ import annotations

import re

from backport.git.store import Store
from backport.model.series import Patch
from backport.model.verdict import Verdict

_COMMITTER = b"backport <backport@localhost>"
_TRAILER = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*:\s|\(cherry picked from commit |\[[^]]*\]\s*$|[ \t]")


def write_commit(patch: Patch, tree: str, parent: str, verdict: Verdict, store: Store) -> str:
    """The id of the new commit.

    The committer is this tool at the upstream commit's own date: whoever runs it, whenever, gets the same id.
    """
    date = patch.committer.rpartition(b"> ")[2]
    lines = [b"tree " + tree.encode(), b"parent " + parent.encode(), b"author " + patch.author]
    lines.append(b"committer " + _COMMITTER + b" " + (date or b"0 +0000"))
    if patch.encoding:
        lines.append(b"encoding " + patch.encoding)
    message = with_trailers(patch.message, [_picked(patch), b"Backport-verdict: " + verdict.value.encode()])
    return store.write("commit", b"\n".join(lines) + b"\n\n" + message)


def with_trailers(message: bytes, trailers: list[bytes]) -> bytes:
    """The message with trailers at its end: in its last paragraph if that is made of trailers, else in one of their own.

    The rule is that of `git cherry-pick -x` (sequencer.c, append_signoff), which also takes the kernel's bracketed notes
    ("[marcelo: cast pfn assignment to u64]") for part of the block when they stand inside one.
    """
    body = message.rstrip(b"\n")
    paragraph = body.rpartition(b"\n\n")[2] if b"\n\n" in body else b""
    rows = paragraph.split(b"\n")
    conforming = bool(paragraph) and all(_TRAILER.match(row) for row in rows) and not rows[0].startswith((b" ", b"\t", b"["))
    return body + (b"\n" if conforming else b"\n\n") + b"\n".join(trailers) + b"\n"


def _picked(patch: Patch) -> bytes:
    return b"(cherry picked from commit %s)" % patch.commit.encode()

"""Writes the commit that a landed patch becomes: upstream's author, date and message, and two trailers that say what was done."""

from __future__ import annotations

import re

from backport.git.store import Store
from backport.model.series import Patch
from backport.model.verdict import PatchOutcome, rules_of

_COMMITTER = b"backport <backport@localhost>"
_DATE = re.compile(rb"> (\d+ [+-]\d{4})\Z")
_GENERATED = (b"Signed-off-by: ", b"(cherry picked from commit ")
_TRAILER = re.compile(rb"[A-Za-z0-9-]+[ \t]*:")


def write_commit(patch: Patch, outcome: PatchOutcome, parent: str, store: Store) -> str:
    """The id of the new commit of a patch that landed.

    The committer is this tool at the upstream commit's own date: whoever runs it, whenever, gets the same id.
    """
    date = _DATE.search(patch.committer)
    lines = [b"tree " + outcome.tree.encode(), b"parent " + parent.encode(), b"author " + patch.author]
    lines.append(b"committer " + _COMMITTER + b" " + (date[1] if date else b"0 +0000"))
    if patch.encoding:
        lines.append(b"encoding " + patch.encoding)
    message = with_trailers(patch.message, [_picked(patch), b"Backport-verdict: " + _said(outcome)])
    return store.write("commit", b"\n".join(lines) + b"\n\n" + message)


def with_trailers(message: bytes, trailers: list[bytes]) -> bytes:
    """The message with trailers at its end: in its last paragraph if that is made of trailers, else in one of their own."""
    body = message.rstrip(b"\n")
    return body + (b"\n" if _ends_in_trailers(body) else b"\n\n") + b"\n".join(trailers) + b"\n"


def _ends_in_trailers(body: bytes) -> bool:
    """Whether the last paragraph is one of trailers, by the rule of `git cherry-pick -x` (trailer.c, find_trailer_start).

    It is one if nothing else is in it, or if git made one of its trailers and they are a quarter of its lines: that keeps the
    kernel's bracketed notes ("[marcelo: cast pfn assignment to u64]") and a stray line inside the block. The subject never is.
    """
    lines = [line for line in body.split(b"\n") if not line.startswith(b"#")]
    while lines and not lines[-1].strip():
        lines.pop()
    blank = [number for number, line in enumerate(lines) if not line.strip()]
    if not blank:
        return False
    trailers = others = 0
    continued = False  # an indented line counts as the line above it does
    for line in lines[blank[-1] + 1 :]:
        if not line.startswith((b" ", b"\t")):
            continued = line.startswith(_GENERATED) or _TRAILER.match(line) is not None
            trailers += continued
        others += not continued
    generated = any(line.startswith(_GENERATED) for line in lines[blank[-1] + 1 :])
    return trailers * 3 >= others if generated else trailers > 0 and not others


def _picked(patch: Patch) -> bytes:
    return b"(cherry picked from commit %s)" % patch.commit.encode()


def _said(outcome: PatchOutcome) -> bytes:
    """The verdict, and the rules that made it so: `resolved (context)`."""
    rules = ", ".join(rules_of(outcome.files))
    return f"{outcome.verdict.value} ({rules})".encode() if rules else outcome.verdict.value.encode()

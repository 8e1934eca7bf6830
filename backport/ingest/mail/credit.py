"""Puts what people gave in replies (Reviewed-by, Tested-by ...) into the commits of a posted series, as `b4 am` does.

Below the trailers that a patch has already, in the order of the mails, each once. What was given to the whole series goes into
every patch. A trailer of somebody else than who sent it (neither the address nor the name agree) is left out unless it is asked
for, and so is a refusal (Nacked-by); both are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.git.store import Store
from backport.ingest.mail.message import person
from backport.model.mail import Given, Lineage, Note, Post, Revision

_LINE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*:[ \t]*\S|\(cherry picked from commit |\[[^]]*:")
_FOLDED = re.compile(rb"[ \t]+\S")
_PERSONS = "-by"


def chosen(
    found: Lineage, revision: Revision, posts: Sequence[Post], *, sloppy: bool = False
) -> tuple[list[tuple[str, ...]], list[Note]]:
    """For each patch the lines to add, and what was left out. `sloppy` takes trailers that are not their sender's as well."""
    every = [given for each in found.revisions for given in found.given_to(each.identity) if given.patch]
    whole = [given for given in found.given_to(revision.identity) if not given.patch]
    notes: dict[str, Note] = {}
    lines = []
    for post in posts:
        taken: dict[tuple[str, str], str] = {_key(each.key, each.value): "" for each in post.trailers}
        for given in [*(one for one in every if one.patch == post.message_id), *whole]:
            if (why := _against(given)) and not (sloppy and not _refuses(given)):
                what = f"{given.trailer.key}: {given.trailer.value} is left out: {why}"
                notes.setdefault(what, Note("trailer", what, given.message_id))
            else:
                taken.setdefault(_key(given.trailer.key, given.trailer.value), _shown(given))
        lines.append(tuple(filter(None, taken.values())))
    return lines, list(notes.values())


def credit(commits: Sequence[str], lines: Sequence[Sequence[str]], store: Store) -> tuple[str, ...]:
    """The chain of commits again, with these lines below each message. Nothing is made anew above the first that gets one."""
    made: list[str] = []
    for number, (oid, more) in enumerate(zip(commits, lines, strict=True)):
        raw = store.read(oid, "commit")
        head, _, message = raw.partition(b"\n\n")
        if number:
            head = head.replace(b"\nparent " + commits[number - 1].encode(), b"\nparent " + made[-1].encode(), 1)
        if more:
            message = with_trailers(message, [line.encode("utf-8", "surrogateescape") for line in more])
        new = head + b"\n\n" + message
        made.append(oid if new == raw else store.write("commit", new))
    return tuple(made)


def with_trailers(message: bytes, lines: Sequence[bytes]) -> bytes:
    """The message with trailers below it: in its last paragraph where that is one of trailers, else in one of their own."""
    text = message.rstrip()
    last = text.rpartition(b"\n\n")[2].split(b"\n")
    block = b"\n\n" in text and _LINE.match(last[0]) and all(_LINE.match(line) or _FOLDED.match(line) for line in last)
    return text + (b"\n" if block else b"\n\n") + b"\n".join(lines) + b"\n"


def _against(given: Given) -> str:
    """Why a trailer does not go into a commit by itself, '' where it does."""
    if _refuses(given):
        return "it refuses the patch"
    name, address = person(given.trailer.value)
    sender, by = person(given.by)
    alike = address == by or (bool(name) and name.casefold() == sender.casefold())
    return given.mismatch if given.mismatch and not alike else ""


def _refuses(given: Given) -> bool:
    return given.trailer.key.lower().startswith("nack")


def _key(key: str, value: str) -> tuple[str, str]:
    """What two trailers that say the same have in common: the key, and the address or else the words."""
    _, address = person(value) if key.lower().endswith(_PERSONS) else ("", "")
    return key.lower(), address if "@" in address else " ".join(value.split()).lower()


def _shown(given: Given) -> str:
    line = f"{given.trailer.key}: {' '.join(given.trailer.value.split())}"
    return "".join(c if c.isprintable() else "?" for c in line)

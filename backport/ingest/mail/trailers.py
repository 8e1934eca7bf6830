"""Gathers what people gave in replies (Reviewed-by, Tested-by ...): to a patch, to the series, to an earlier identical patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backport.ingest.mail.message import person
from backport.model.mail import Given, Kind, Post, Revision, Trailer

_DEEPEST = 60
_NOT_FOR_OTHERS = {"signed-off-by", "co-developed-by"}


def gather(revision: Revision, thread: Sequence[Post]) -> tuple[Given, ...]:
    """The trailers of the replies to a revision, in order; one that two replies give counts once.

    A reply speaks of the patch that it answers, directly or through other replies; of the series where it answers the cover or
    says "the series". The same line by another address than the sender's is kept and told.
    """
    members = {post.message_id: post for post in revision.members}
    parents = {post.message_id: post.parents for post in thread}
    found: dict[tuple[str, str, str], Given] = {}
    for reply in thread:
        if reply.kind is not Kind.TALK or not reply.trailers:
            continue
        about = _about(reply, members, parents)
        if about is None:
            continue
        patch = "" if about is revision.cover or reply.whole else about.message_id
        for trailer in reply.trailers:
            if trailer.key.lower() in _NOT_FOR_OTHERS:
                continue
            key = (patch, trailer.key.lower(), trailer.value.lower())
            by = f"{reply.name} <{reply.address}>"
            found.setdefault(key, Given(trailer, patch, by, reply.message_id, _mismatch(trailer, reply)))
    return tuple(found.values())


def carried(revision: Revision, earlier: Sequence[tuple[Revision, Sequence[Given]]]) -> tuple[Given, ...]:
    """Trailers that earlier revisions were given for patches that are here unchanged (the same patch-id), the oldest first."""
    here = {post.patch_id: post.message_id for post in revision.posts if post.patch_id}
    found: dict[tuple[str, str], Given] = {}
    for other, given in earlier:
        ids = {post.message_id: post.patch_id for post in other.posts}
        for each in given:
            patch = here.get(ids.get(each.patch, ""), "") if each.patch else ""
            if patch:
                key = (patch, f"{each.trailer.key}:{each.trailer.value}".lower())
                found.setdefault(key, Given(each.trailer, patch, each.by, each.message_id, each.mismatch, other.identity))
    return tuple(found.values())


def _about(reply: Post, members: Mapping[str, Post], parents: Mapping[str, tuple[str, ...]]) -> Post | None:
    """The member that a reply answers: the nearest one up the chain of In-Reply-To, then the last of its References."""
    nearest = reply.parents[-1] if reply.parents else ""
    for _ in range(_DEEPEST):
        if nearest in members:
            return members[nearest]
        above = parents.get(nearest, ())
        if not above:
            break
        nearest = above[-1]
    return next((members[name] for name in reversed(reply.parents) if name in members), None)


def _mismatch(trailer: Trailer, reply: Post) -> str:
    """How a trailer's person differs from who sent it, in words; '' where it does not, or names nobody (`Fixes:`)."""
    if "@" not in trailer.value or not trailer.key.lower().endswith("-by"):
        return ""
    name, address = person(trailer.value)
    differ = []
    if address != reply.address:
        differ.append(f"the address {address} is not the sender's {reply.address}")
    if name.casefold() != reply.name.casefold() and name and reply.name:
        differ.append(f"the name {name!r} is not the sender's {reply.name!r}")
    return "; ".join(differ)

"""Patches of an earlier revision that no later one has: left out by the author, or taken by somebody meanwhile.

A patch goes on in a later revision under the same patch-id, the same title, or with a file in common and most of the words of
its title. One that was renamed and rewritten at once is thus told as dropped, as "dump: read packed inode only by valid
packed_nid" of June 2023, which an hour later was "dump: verify packed_nid when reading packed inode"; one that was squashed
into another always is.
"""

from __future__ import annotations

from collections.abc import Sequence

from backport.ingest.mail.subject import title_key
from backport.model.mail import Dropped, Post, Revision

_ALIKE = 0.6


def dropped(revisions: Sequence[Revision]) -> tuple[Dropped, ...]:
    """The patches that go on in no later revision, in order. A partial reroll drops nothing: it only says what it changes."""
    found: list[Dropped] = []
    for number, revision in enumerate(revisions):
        later = [each for each in revisions[number + 1 :] if each.posts]
        since = next((each for each in later if not any(note.kind == "partial" for note in each.notes)), None)
        if since is not None:
            gone = [post for post in revision.posts if not any(_goes_on(post, other) for each in later for other in each.posts)]
            found += [Dropped(post.message_id, post.title, revision.identity, since.identity) for post in gone]
    return tuple(found)


def _goes_on(post: Post, other: Post) -> bool:
    if post.patch_id and post.patch_id == other.patch_id:
        return True
    one, two = set(title_key(post.title).split()), set(title_key(other.title).split())
    return one == two or (bool(post.paths & other.paths) and len(one & two) >= _ALIKE * max(len(one | two), 1))

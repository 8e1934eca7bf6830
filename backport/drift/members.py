"""Struct members that the added lines name and that the target's structs do not have.

A struct that the target defines in sight of the file must lack it: where the base is a variable whose struct the function itself
says, that one; else some struct that has it upstream, and then no other struct in sight may have the name. Upstream is read the
same way, so that a member which our reader does not find there either (made by a macro) is never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backport.csource.accesses import Access
from backport.drift.side import Place
from backport.drift.view import Missing, View


def absent_members(view: View, named: Iterable[Access]) -> Iterator[Missing]:
    """The members that upstream has and the target has not. 3ddea128ad75 on 2.6.31: `kvm->irq_lock`, which 60eead79ad87 brought.

    May be wrong where the target has the struct twice (#if branches or two headers) and the member only in the one that is not
    built: then it says nothing. Says nothing either of a base that is a call or a chain where some other struct has the name, nor
    of a file that others include and that sees no struct itself (kernel/sched_fair.c).
    """
    asked = [access for access in named if access.name not in view.overlay.members]
    here = view.members({access.name for access in asked})
    tags = _defined(view, {access.tag for access in asked if access.tag})
    doubtful = [access for access in asked if not _has(here.get(access.name, ()), access.tag if access.tag in tags else b"")]
    if not doubtful:
        return
    there = view.upstream_members({access.name for access in doubtful})
    owners = _defined(view, {p.declaration.signature for places in there.values() for p in places} - {b""})
    macros = view.declared({access.name for access in doubtful})
    for access in doubtful:
        wanted = {access.tag} if access.tag in tags else owners
        place = next((p for p in there.get(access.name, ()) if p.declaration.signature in wanted), None)
        if place is None or any(p.declaration.kind == "macro" for p in macros.get(access.name, ())):
            continue
        tag = place.declaration.signature.decode("ascii", "replace")
        target = f"struct {tag} has no such member"
        yield Missing(access.name, "absent-member", view.change.path, access.line, place, target)


def _has(places: Iterable[Place], tag: bytes) -> bool:
    return any(not tag or place.declaration.signature == tag for place in places)


def _defined(view: View, tags: set[bytes]) -> set[bytes]:
    """Those tags whose struct the target defines once: what it has is known then."""
    found = view.declared(tags) if tags else {}
    whole = {tag: [p for p in found.get(tag, ()) if p.declaration.kind in ("struct", "union")] for tag in tags}
    return {tag for tag, places in whole.items() if len(places) == 1 and places[0].path not in view.overlay.files}

"""Struct members that the added lines name and that the target's structs do not have, or have with another type.

A struct that the target defines in sight of the file must lack it: where the chain that leads to it starts at a variable whose
struct the target's own function says, the one at its end (`vcpu->arch.apic->irr_pending`); else some struct that has it
upstream, and then no other struct in sight may have the name. Upstream is read the same way, so that a member which our reader
does not find there either (made by a macro) is never an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from backport.csource.accesses import Access, struct_variables
from backport.drift.shapes import kind
from backport.drift.side import Place
from backport.drift.view import Missing, View

_STRUCT = re.compile(rb"\b(?:struct|union)\s+(\w+)")
Members = Mapping[bytes, Collection[Place]]


def absent_members(view: View, named: Iterable[Access]) -> Iterator[Missing]:
    """The members that upstream has and the target has not. 3ddea128ad75 on 2.6.31: `kvm->irq_lock`, which 60eead79ad87 brought.

    May be wrong where the target has the struct twice (#if branches or two headers) and the member only in the one that is not
    built: then it says nothing. Says nothing either of a base that is a call where some other struct has the name, nor of a file
    that others include and that sees no struct itself (kernel/sched_fair.c).
    """
    asked = [access for access in named if access.name not in view.overlay.members]
    here = view.members({name for access in asked for name in (access.name, *access.path)})
    ends = {access: end_of_chain(_root(view, access), access.path, here) for access in asked}
    tags = _defined(view, set(ends.values()) - {b""})
    doubtful = []
    for access in asked:
        tag = ends[access] if ends[access] in tags else b""
        if not any(not tag or place.declaration.owner == tag for place in here.get(access.name, ())):
            doubtful.append(access)
    if not doubtful:
        return
    there = view.upstream_members({access.name for access in doubtful})
    owners = _defined(view, {p.declaration.owner for places in there.values() for p in places} - {b""})
    macros = view.declared({access.name for access in doubtful})
    for access in doubtful:
        known = ends[access] in tags
        wanted = {ends[access], access.tag} if known else owners
        place = next((p for p in there.get(access.name, ()) if p.declaration.owner in wanted), None)
        if place is None or any(p.declaration.kind == "macro" for p in macros.get(access.name, ())):
            continue
        owner = (ends[access] if known else place.declaration.owner).decode("ascii", "replace")
        target = f"struct {owner} has no such member"
        yield Missing(access.name, "absent-member", view.change.path, access.line, place, target)


def changed_members(view: View, named: Iterable[Access]) -> Iterator[Missing]:
    """Members whose struct is known and which are a pointer on one side only, or to another struct: something to look at."""
    asked = [a for a in named if a.name not in view.overlay.members and not a.designator and (a.tag or a.root)]
    here = view.members({name for access in asked for name in (access.name, *access.path)}) if asked else {}
    found = []
    for access in asked:
        tag = end_of_chain(_root(view, access), access.path, here)
        mine = [p for p in here.get(access.name, ()) if tag and p.declaration.owner == tag]
        if len(mine) == 1:
            found.append((access, tag, mine[0]))
    twins = view.twins(place for _, _, place in found)
    there = view.upstream.members_in({access.name for access, _, place in found if place.path in twins}, twins)
    for access, tag, place in found:
        theirs = [p for p in there.get(access.name, ()) if p.declaration.owner == tag]
        if len(theirs) == 1 and kind(_nameless(place)).clashes(kind(_nameless(theirs[0]))):
            spelled = place.declaration.spelled.decode("utf-8", "replace")
            said = theirs[0].declaration.spelled.decode("utf-8", "replace")
            target = f"{spelled} at {place}"
            yield Missing(access.name, "member-type-changed", view.change.path, access.line, None, target, said=said, sure=False)


def _root(view: View, access: Access) -> bytes:
    """The struct of the variable that a chain starts at: as the target's function declares it, unless the patch does that."""
    if access.designator or (access.function, access.root) in view.overlay.locals.get(view.change.path, ()):
        return access.tag
    code = view.function(access.function)
    return struct_variables(code).get(access.root, access.tag) if code is not None else access.tag


def end_of_chain(tag: bytes, path: Iterable[bytes], here: Members) -> bytes:
    """The struct at the end of a chain of members, empty where a step is unclear."""
    for step in path:
        places = [p for p in here.get(step, ()) if tag and p.declaration.owner == tag]
        spelled = places[0].declaration.spelled if len(places) == 1 else b""
        if found := _STRUCT.search(spelled):
            tag = found.group(1)
        elif spelled != step:  # `struct { ... } wext;` is spelled `wext`: its members count as those of the outermost struct
            return b""
    return tag


def _nameless(place: Place) -> bytes:
    return re.sub(rb"\b" + re.escape(place.declaration.name) + rb"\b", b" ", place.declaration.spelled)


def _defined(view: View, tags: set[bytes]) -> set[bytes]:
    """Those tags whose struct the target defines once: what it has is known then."""
    found = view.declared(tags) if tags else {}
    whole = {tag: [p for p in found.get(tag, ()) if p.declaration.kind in ("struct", "union")] for tag in tags}
    return {tag for tag, places in whole.items() if len(places) == 1 and places[0].path not in view.overlay.files}

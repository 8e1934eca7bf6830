"""What the added lines of one file use and declare, kept in the index: it follows from the blob and the line numbers alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from backport.csource.accesses import Access
from backport.csource.index import Index
from backport.csource.outline import Include
from backport.csource.uses import Use, asked

_TOPIC = "added-12"  # raise the number with what `asked` finds


@dataclass(frozen=True, slots=True)
class Added:
    """The added lines of one file. `declares` are names visible outside of functions; `locals` are (function, name).

    `members` are the struct members that the lines declare, `accesses` those that they name; of what is
    `reshaped` the lines change the head.
    """

    uses: tuple[Use, ...]
    declares: frozenset[bytes]
    locals: frozenset[tuple[bytes, bytes]]
    includes: tuple[Include, ...]
    lines: tuple[int, ...]
    members: frozenset[bytes] = frozenset()
    accesses: tuple[Access, ...] = ()
    reshaped: frozenset[bytes] = frozenset()


def read_added(text: bytes, oid: str, lines: Sequence[int], index: Index) -> Added:
    """Read the lines, or recall what an earlier run read in them."""
    key = hashlib.sha256(f"{oid} {','.join(map(str, lines))}".encode()).digest()[:20]
    kept = index.recall(_TOPIC, key)
    if kept is not None:
        return _load(kept, tuple(lines))
    found = asked(text, lines)
    declares = frozenset(d.name for d in found.declares if d.kind not in ("forward", "member"))
    members = frozenset(d.name for d in found.declares if d.kind == "member")
    added = Added(found.uses, declares, found.locals, found.includes, tuple(lines), members, found.members, found.reshaped)
    index.remember(_TOPIC, [(key, _dump(added))])
    return added


def _dump(added: Added) -> bytes:
    uses = [[u.name.decode("latin-1"), u.line, u.role, u.function.decode("latin-1"), u.scope, u.arguments] for u in added.uses]
    declares = sorted(name.decode("latin-1") for name in added.declares)
    pairs = sorted([f.decode("latin-1"), n.decode("latin-1")] for f, n in added.locals)
    found = [[i.path.decode("latin-1"), i.system, i.line, i.computed] for i in added.includes]
    members = sorted(name.decode("latin-1") for name in added.members)
    named = [
        [a.name.decode("latin-1"), a.line, a.tag.decode("latin-1"), a.designator, a.root.decode("latin-1"),
         [part.decode("latin-1") for part in a.path], a.function.decode("latin-1")]
        for a in added.accesses
    ]  # fmt: skip
    return json.dumps(
        [uses, declares, pairs, found, members, named, sorted(name.decode("latin-1") for name in added.reshaped)],
        separators=(",", ":"),
    ).encode()


def _load(kept: bytes, lines: tuple[int, ...]) -> Added:
    uses, declares, pairs, found, members, named, reshaped = json.loads(kept)
    return Added(
        tuple(Use(name.encode("latin-1"), line, role, at.encode("latin-1"), scope, n) for name, line, role, at, scope, n in uses),
        frozenset(name.encode("latin-1") for name in declares),
        frozenset((function.encode("latin-1"), name.encode("latin-1")) for function, name in pairs),
        tuple(Include(path.encode("latin-1"), system, line, computed) for path, system, line, computed in found),
        lines,
        frozenset(name.encode("latin-1") for name in members),
        tuple(_access(*each) for each in named),
        frozenset(name.encode("latin-1") for name in reshaped),
    )


def _access(name: str, line: int, tag: str, designator: bool, root: str, path: Sequence[str], function: str) -> Access:
    parts = tuple(part.encode("latin-1") for part in path)
    place = (root.encode("latin-1"), parts, function.encode("latin-1"))
    return Access(name.encode("latin-1"), line, tag.encode("latin-1"), designator, *place)

"""Code that stands elsewhere in the target: the function is further up or down, or in another file.

Recognised: a hunk lies within one function; the target does not have that function where the file's lines lead to, but defines
one of the same name once: in this file, in another of the folder, or of the folder above. Outside of functions, one file alone
has most of the lines around the hunk. The hunk is then settled within the two functions (or files) by the rules for context
drift, words and drifted blocks. Safe because a name is defined once in what is linked together, and the rule that settles
the hunk sees nothing but the function of that name, of which most lines must be upstream's. A function of another name is taken
for it if no other has these lines; sure only where upstream has none of that name any more, in its place nor in the file of the
target's: else it may be another driver's copy (b561e8274f75 is sure: iwl_rx_reply_compressed_ba() in iwl-tx.c).
Example: 75dd321d79d4 on 2.6.32.y (sched: Drop group_capacity to 1): the code was in sched.c before it was in sched_fair.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.git.merge import rows
from backport.replay.rules.anchor import anchor
from backport.replay.rules.drifted import drifted
from backport.replay.rules.edits import united
from backport.replay.rules.elsewhere import Group, Home, groups, homes
from backport.replay.rules.functions import functions, holding
from backport.replay.rules.lines import hunks, matched, squeezed
from backport.replay.rules.words import words
from backport.replay.situation import Resolution, Situation

RULE = "moved"
_INNER = (anchor, words, drifted)
_SAME = 0.5  # share of upstream's lines that the target's function must have, to be taken for the same one


@dataclass(frozen=True, slots=True)
class _Sides:
    base: Sequence[bytes]
    theirs: Sequence[bytes]


def moved(situation: Situation) -> Resolution | None:
    """The target's files with each hunk in the function that it was made for; None where one is in none, or in two."""
    base, theirs = situation.base, situation.theirs
    if base is None or theirs is None:
        return None
    sides = _Sides(rows(base), rows(theirs))
    parts: list[Resolution] = []
    for group in groups(base, hunks(sides.base, sides.theirs)):
        found = homes(situation, base, group)
        part = inside(situation, found[0], group, sides) if len(found) == 1 else None
        if part is None:
            return None
        parts.append(part)
    texts = united([part.texts for part in parts], lambda path: _target(situation, path))
    if not parts or texts is None:
        return None
    return Resolution(RULE, all(part.sure for part in parts), texts, tuple(item for part in parts for item in part.evidence))


def kept(situation: Situation) -> Iterator[tuple[bytes, bytes]]:
    """The functions that a patch changes and the target has, mostly alike, in one other file alone: their names, and the file."""
    base, theirs = situation.base, situation.theirs
    if base is None or theirs is None:
        return
    old = rows(base)
    for group in groups(base, hunks(old, rows(theirs))):
        found = homes(situation, base, group) if group.name else []
        if len(found) == 1 and found[0].path != situation.path:
            span = found[0].span
            if _share(old[group.span.start : group.span.end], found[0].lines[span.start : span.end]) >= _SAME:
                yield group.name, found[0].path


def _target(situation: Situation, path: bytes) -> bytes:
    own = situation.ours if path == situation.path else situation.library.trees.read(situation.tree, path)
    return own or b""


def inside(situation: Situation, home: Home, group: Group, sides: _Sides) -> Resolution | None:
    """A group settled in its home by the rules that know nothing of moves; None where they abstain, or it is another function."""
    span = group.span if group.name else replace(group.span, start=0, end=len(sides.base))
    old, here = sides.base[span.start : span.end], home.lines[home.span.start : home.span.end]
    new: list[bytes] = []
    at = span.start
    for hunk in group.hunks:
        new += [*sides.base[at : hunk.a], *sides.theirs[hunk.c : hunk.d]]
        at = hunk.b
    new += sides.base[at : span.end]
    if group.name and _share(old, here) < _SAME:
        return None
    texts = (b"".join(old), b"".join(here), b"".join(new))
    step = replace(situation, path=home.path, base=texts[0], ours=texts[1], theirs=texts[2], regions=())
    found = next((answer for rule in _INNER if (answer := rule(step)) is not None), None)
    if found is None:
        return None
    own = holding(b"".join(home.lines), home.span.start, home.span.end) if group.name else None
    if own is not None and own[0] != group.name and _is_upstreams(situation, home.path, own[0]):
        found = replace(found, sure=False)
    return _put_back(situation, home, found)


def _is_upstreams(situation: Situation, path: bytes, name: bytes) -> bool:
    """Whether upstream has a function of that name as well, before the patch: in the patch's file, or in the target's."""
    there = situation.library.trees.read(situation.patch.parent_tree, path) or b""
    return any(name in functions(text) for text in (situation.base or b"", there))


def _share(old: Sequence[bytes], here: Sequence[bytes]) -> float:
    return sum(run.size for run in matched([squeezed(row) for row in old], [squeezed(row) for row in here])) / len(old)


def _put_back(situation: Situation, home: Home, found: Resolution) -> Resolution:
    """The whole file of what was settled in a piece of it."""
    before, after = home.lines[: home.span.start], home.lines[home.span.end :]
    texts: Mapping[bytes, bytes | None] = {home.path: b"".join([*before, found.texts[home.path] or b"", *after])}
    where = "further up or down in the file" if home.path == situation.path else "in another file"
    evidence = tuple(
        replace(e, rule=RULE, line=e.line + home.span.start, offset=0, why=f"the code is {where}; {e.why}")
        for e in found.evidence
    )
    return Resolution(RULE, found.sure, texts, evidence)

"""Code that stands elsewhere in the target: the function is further up or down, or in another file.

Recognised: a hunk lies within one function; the target does not have that function where the file's lines lead to, but defines one
of the same name once: in this file, in another of the folder, or of the folder above (for a file that the target lacks).
The hunk is then settled within the two functions, by the rules for context drift, words and drifted blocks. Safe because a
name is defined once in what is linked together, and the rule that settles the hunk sees nothing but the function of that name;
sure only where most of upstream's function is in the target's.
Example: 061e2fd16863 on 2.6.32.y (KVM: SVM: Fix wrong intercept masks on 32 bit): enable_nmi_window was further down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backport.git.merge import rows
from backport.model.evidence import Evidence
from backport.replay.rules.anchor import anchor
from backport.replay.rules.drifted import drifted
from backport.replay.rules.functions import Span, functions, holding
from backport.replay.rules.lines import Hunk, hunks, matched, squeezed
from backport.replay.rules.words import words
from backport.replay.situation import Resolution, Situation

RULE = "moved"
_INNER = (anchor, words, drifted)
_SAME = 0.5  # share of upstream's lines that the target's function must have, to be taken for the same one
_MOST_FILES = 400
_MOST_BYTES = 24 << 20


@dataclass(frozen=True, slots=True)
class Home:
    """A function of the target: the file, its lines, and where in them it is."""

    path: bytes
    lines: Sequence[bytes]
    span: Span


def moved(situation: Situation) -> Resolution | None:
    """The target's files with each hunk in the function that it was made for; None where one is in none, or in two."""
    base, theirs = situation.base, situation.theirs
    if base is None or theirs is None:
        return None
    one, three = rows(base), rows(theirs)
    groups = _by_function(base, hunks(one, three))
    if groups is None:
        return None
    parts: list[tuple[Home, Resolution]] = []
    for (name, span), mine in groups.items():
        home = _home(situation, name)
        if home is None:
            return None
        part = _inside(situation, home, span, mine, (one, three))
        if part is None:
            return None
        parts.append((home, part))
    return _together(situation, parts) if parts else None


def _by_function(base: bytes, mine: Sequence[Hunk]) -> dict[tuple[bytes, Span], list[Hunk]] | None:
    groups: dict[tuple[bytes, Span], list[Hunk]] = {}
    for hunk in mine:
        found = holding(base, hunk.a, hunk.b)
        if found is None or len(functions(base)[found[0]]) > 1:
            return None
        groups.setdefault(found, []).append(hunk)
    return groups


def _home(situation: Situation, name: bytes) -> Home | None:
    """The one definition of a function in the target; None where there is none, or several.

    Nor in a file that the same patch changes by itself: two results for one file cannot both be taken.
    """
    homes = list(_homes(situation, name))
    others = {path for c in situation.patch.changes if c != situation.change for path in (c.old_path, c.new_path)}
    return homes[0] if len(homes) == 1 and homes[0].path not in others else None


def _homes(situation: Situation, name: bytes) -> Iterator[Home]:
    if situation.ours is not None and name in functions(situation.ours):
        yield from (Home(situation.path, rows(situation.ours), s) for s in functions(situation.ours)[name])
        return
    for path, text in neighbours(situation):
        if name in text and name in functions(text):
            yield from (Home(path, rows(text), s) for s in functions(text)[name])


def neighbours(situation: Situation) -> Iterator[tuple[bytes, bytes]]:
    """The target's other sources in the folder of a file and, where that has little, in the one above. Bounded in all."""
    library, ending = situation.library, situation.path[situation.path.rfind(b".") :]
    folder = situation.path.rpartition(b"/")[0]
    read = 0
    for place in (folder, folder.rpartition(b"/")[0]):
        entry = library.trees.entry(situation.tree, place) if place else None
        listing = library.trees.listing(entry.oid) if entry is not None and entry.mode == 0o040000 else {}
        files = {name: e for name, e in listing.items() if e.is_file and name.endswith(ending)}
        if len(files) > _MOST_FILES:
            continue
        library.store.prefetch(e.oid for e in files.values())
        for name, found in files.items():
            path = place + b"/" + name
            text = library.store.read(found.oid, "blob")
            read += len(text)
            if read > _MOST_BYTES:
                return
            if path != situation.path:
                yield path, text


def _inside(
    situation: Situation, home: Home, span: Span, mine: Sequence[Hunk], sides: tuple[Sequence[bytes], Sequence[bytes]]
) -> Resolution | None:
    """The function alone, settled by the rules that know nothing of moves."""
    one, three = sides
    old = one[span.start : span.end]
    new: list[bytes] = []
    at = span.start
    for hunk in mine:
        new += [*one[at : hunk.a], *three[hunk.c : hunk.d]]
        at = hunk.b
    new += one[at : span.end]
    here = home.lines[home.span.start : home.span.end]
    share = sum(r.size for r in matched([squeezed(r) for r in old], [squeezed(r) for r in here])) / len(old)
    if share < _SAME:
        return None
    texts = (b"".join(old), b"".join(here), b"".join(new))
    step = replace(situation, path=home.path, base=texts[0], ours=texts[1], theirs=texts[2], regions=())
    return next((found for rule in _INNER if (found := rule(step)) is not None), None)


def _together(situation: Situation, parts: Sequence[tuple[Home, Resolution]]) -> Resolution | None:
    texts: dict[bytes, list[bytes]] = {}
    evidence: list[Evidence] = []
    for home, part in sorted(parts, key=lambda p: (p[0].path, p[0].span.start), reverse=True):
        lines = texts.setdefault(home.path, list(home.lines))
        lines[home.span.start : home.span.end] = rows(part.texts[home.path] or b"")
        evidence += [_shifted(item, home, situation.path) for item in part.evidence]
    sure = all(part.sure for _, part in parts)
    return Resolution(RULE, sure, {path: b"".join(lines) for path, lines in texts.items()}, tuple(reversed(evidence)))


def _shifted(item: Evidence, home: Home, path: bytes) -> Evidence:
    where = "further up or down in the file" if home.path == path else "in another file"
    return replace(
        item, rule=RULE, path=home.path, line=item.line + home.span.start, offset=0, why=f"the function is {where}; {item.why}"
    )

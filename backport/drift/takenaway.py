"""What a patch takes away and code that it leaves alone still uses: upstream had converted that code before.

Looked at are the merged texts of the patch's own files. What it takes out of a header and other files lean on is asked of the
whole result (see `leaning`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backport.csource.outline import includes, outline
from backport.csource.tokens import KEYWORDS, blank, mentioned
from backport.drift.merged import differing_pieces, taken
from backport.drift.side import Place, fits
from backport.drift.view import Missing, View

_OUTER = ("function", "prototype", "macro", "typedef", "struct", "union", "enum", "constant", "variable", "extern", "made")


@dataclass(frozen=True, slots=True)
class Merged:
    """One file of the target without the patch and with it."""

    path: bytes
    before: bytes
    after: bytes


def lost_names(file: Merged) -> dict[bytes, str]:
    """The names that a file declares at file scope before the patch and not after it, with what they were."""
    was, now = differing_pieces(file.before, file.after)
    if not taken(was, now):  # lines were added, none went
        return {}
    still = {d.name for d in outline(now).declarations}
    gone = {d.name: d.kind for d in outline(was).declarations if d.kind in _OUTER and d.name not in still}
    if not gone:
        return {}
    elsewhere = {d.name for d in outline(file.after).declarations if d.kind in _OUTER and d.kind != "made"}
    return {name: kind for name, kind in gone.items() if name not in elsewhere}


def still_used(view: View, file: Merged, lost: Mapping[bytes, Mapping[bytes, str]]) -> Iterator[Missing]:
    """The lost names (by file that lost them) that a merged file goes on using where upstream's version does not.

    aa43f1114714 on 2.6.31 removes sendcmd(), which the older cciss.c calls in two more places.
    """
    kinds = {name: kind for names in lost.values() for name, kind in names.items()}
    words = mentioned(file.after) if kinds else frozenset()
    used = {name for name in kinds if name in words}
    used = used - mentioned(view.change.new) - view.overlay.names if used else used
    if not used:
        return
    own = {d.name for d in outline(file.after).declarations if d.kind != "member"}
    code = blank(file.after)
    elsewhere = {
        name: [p for p in places if p.path not in lost and p.path != file.path and _fitting(p, kinds[name])]
        for name, places in view.declared(used).items()
    }
    for name in sorted(used - own):
        found = re.search(use_of(name, kinds[name]), code)
        if found is not None and not elsewhere.get(name):
            line = code.count(b"\n", 0, found.start()) + 1
            where = next(path for path, names in lost.items() if name in names).decode("utf-8", "backslashreplace")
            target = f"line {line} of the merged file still uses it"
            yield Missing(name, "taken-away", view.change.path, 1, None, target, said=f"taken out of {where}")


def _fitting(place: Place, kind: str) -> bool:
    return fits(place, "tag" if kind in ("struct", "union", "enum") else "name")


def use_of(name: bytes, kind: str) -> bytes:
    """A use: a tag behind its word, any other name neither as a member nor as a label, a designator or a declared local."""
    if kind in ("struct", "union", "enum"):
        return rb"\b" + kind.encode() + rb"\s+" + re.escape(name) + rb"\b"
    return rb"(?<![\w.>])" + re.escape(name) + (rb"\s*\(" if kind in ("function", "prototype") else rb"\b(?!\s*:[^:])")


def no_longer_seen(view: View, file: Merged) -> Iterator[Missing]:
    """Names that a .c file used and saw only by an #include that the patch takes out. Its own added lines are asked elsewhere."""
    gone = {i.path for i in includes(file.before)} - {i.path for i in includes(file.after)}
    if not gone or not file.path.endswith(b".c"):
        return
    after = view.target.side.closure(file.path, includes(file.after), view.overlay)
    lost = {path: oid for path, oid in view.closure.files.items() if path not in after.files}
    names = mentioned(file.after) - KEYWORDS
    found = view.target.side.declared_in(names, lost) if lost else {}
    needed = {n: p for n, p in found.items() if any(fits(x, "name") and x.declaration.kind not in ("made",) for x in p)}
    if not needed:
        return
    own = {d.name for d in outline(file.after).declarations}
    seen = view.target.side.declared(set(needed), after, None)
    code = blank(file.after)
    for name in sorted(needed.keys() - own - seen.keys() - view.overlay.names):
        places = [p for p in needed[name] if fits(p, "name")]
        use = re.search(use_of(name, places[0].declaration.kind), code)
        if use is None or name in view.local_words:
            continue
        line = code.count(b"\n", 0, use.start()) + 1
        target = f"line {line} of the merged file uses it: declared in {places[0]}, which it then does not include"
        yield Missing(name, "not-included", view.change.path, 1, None, target, said="takes the #include away")

"""Code of the target that the series leaves alone and that leans on what it takes out of a header, or calls it as it was before.

Asked of the whole result, because a series may convert its users patch by patch. Upstream is the judge again: a file counts where
upstream's version, after the last patch, has converted its use (or is gone). Where the very patch that takes the name away left
that use upstream too, it is a warning: upstream built with it, as only dead code can (is_present_pte in the debug print of
mmu_set_spte, which 43a3795a3a12 forgot: a plan that put it in front of 3da0dd433dc3 ended in an error).

Members that a struct loses are `lostmembers`'; not seen are names that a source file outside of the header's folder declares for
itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from backport.csource.accesses import count_arguments
from backport.csource.closure import DEFAULT_ARCH, architecture
from backport.csource.outline import includes, outline
from backport.csource.tokens import blank
from backport.drift.arity import parameters
from backport.drift.takenaway import Merged, lost_names, use_of
from backport.drift.workbench import Workbench
from backport.model.finding import Finding, Level
from backport.model.result import Skipped
from backport.model.series import Patch, Series, show_path
from backport.model.verdict import Cause

_MOST = 60  # files that are read for one series: a header that loses what more of them use was not meant for this kernel
_TOLD = 10  # findings whose commit is looked for: each is a walk of the history

Takes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Change:
    """What happened to one name of a header: gone (`now` None), or taking another number of arguments."""

    header: bytes
    name: bytes
    kind: str
    was: Takes | None = None
    now: Takes | None = None


def check(series: Series, onto: str, result: str, bench: Workbench) -> tuple[tuple[Finding, ...], tuple[Skipped, ...]]:
    """The users that the series forgets, one finding for each name and file; and what was not looked at."""
    if onto == result or not series.patches:
        return (), ()
    changes = {change.name: change for change in _changes(series, onto, result, bench)}
    if not changes:
        return (), ()
    files = _mentioning(changes, result, bench)
    if files is None:
        why = "the clone lacks objects, so their users were not sought"
        return (), (Skipped("drift", f"{len(changes)} names taken out of headers", why),)
    found = [f for path in files[:_MOST] for f in _users(path, changes, series, result, bench)]
    told = [replace(f, introduced_by=converted_by(f, series, bench)) for f in found[:_TOLD]] + found[_TOLD:]
    left = len(files) - _MOST
    why = "they mention names that the series takes out of headers, and are too many to read"
    return tuple(told), (Skipped("drift", f"{left} files", why),) if left > 0 else ()


def _changes(series: Series, onto: str, result: str, bench: Workbench) -> Iterator[_Change]:
    paths = {c.old_path for patch in series.patches for c in patch.changes if c.old_path.endswith(b".h")}
    pairs = {path: (bench.trees.read(onto, path), bench.trees.read(result, path)) for path in sorted(paths)}
    brought = {c.new_path for patch in series.patches for c in patch.changes if c.new is not None}
    texts = [bench.trees.read(result, path) or b"" for path in sorted(brought) if path.endswith((b".h", b".c"))]
    declared = {d.name for text in texts for d in outline(text).declarations if d.kind != "member"}
    for path, (before, after) in pairs.items():
        if before is None or before == after:
            continue
        for name, kind in lost_names(Merged(path, before, after or b"")).items():
            if name not in declared and kind != "made":
                yield _Change(path, name, kind)
        was, now = _takes(before), _takes(after or b"")
        for name in was.keys() & now.keys():
            if was[name] != now[name]:
                yield _Change(path, name, "function", was[name], now[name])


def _takes(text: bytes) -> dict[bytes, Takes]:
    """The numbers of arguments of what a header declares once."""
    found: dict[bytes, list[Takes | None]] = {}
    for each in outline(text).declarations:
        if each.kind in ("function", "prototype", "macro"):
            found.setdefault(each.name, []).append(parameters(each))
    return {name: takes[0] for name, takes in found.items() if len(takes) == 1 and takes[0] is not None}


def _mentioning(changes: Mapping[bytes, _Change], tree: str, bench: Workbench) -> list[bytes] | None:
    """The files of the tree that have one of the words, in one process; only a header's own folder where it is no interface."""
    folders = {change.header.rpartition(b"/")[0] for change in changes.values()}
    own = [folder.decode("utf-8", "surrogateescape") for folder in folders if b"include" not in folder.split(b"/")]
    everywhere = len(own) < len(folders)
    where = ["*.c", "*.h"] if everywhere else [f"{folder}/*.[ch]" for folder in own]
    pattern = "|".join(sorted(name.decode("ascii") for name in changes if name.isascii()))
    return bench.grep(["-w", "-E", f"({pattern})"], tree, where)


def _users(path: bytes, changes: Mapping[bytes, _Change], series: Series, result: str, bench: Workbench) -> Iterator[Finding]:
    text = bench.trees.read(result, path) or b""
    code = blank(text)
    theirs = blank(bench.trees.read(series.patches[-1].tree, path) or b"")
    used = {name: line for name, change in changes.items() if (line := _line(code, change)) and not _line(theirs, change)}
    used = {name: line for name, line in used.items() if path != changes[name].header}
    if not used:
        return
    side = bench.side(result)
    closure = side.closure(path, includes(text))
    seen = side.declared(set(used), closure, (path, side.oid(path)))
    for name, line in used.items():
        change = changes[name]
        if change.header not in closure.files and bench.trees.entry(result, change.header) is not None:
            continue  # it has the name from somewhere else
        if change.now is None and any(place.declaration.kind != "forward" for place in seen.get(name, ())):
            continue
        patch = next(p for p in reversed(series.patches) if any(c.old_path == change.header for c in p.changes))
        forgotten = _line(blank(bench.trees.read(patch.tree, path) or b""), change) > 0
        yield _finding(path, line, change, patch, forgotten)


def _line(code: bytes, change: _Change) -> int:
    """The first line that uses the name as it was, 0 where none does."""
    for match in re.finditer(use_of(change.name, change.kind), code):
        if change.now is not None and change.was is not None:
            count = count_arguments(code, code.find(b"(", match.start()))
            if not change.was[0] <= count <= change.was[1] or change.now[0] <= count <= change.now[1]:
                continue
        return code.count(b"\n", 0, match.start()) + 1
    return 0


def _finding(path: bytes, line: int, change: _Change, patch: Patch, forgotten: bool) -> Finding:
    """One use that breaks; `forgotten` says that the patch left it upstream as well."""
    where, header = show_path(path), show_path(change.header)
    name = change.name.decode("ascii", "replace")
    said = f"taken out of {header}" if change.now is None else f"takes other arguments in {header}"
    said += f"; {patch.commit[:12]} left this use upstream too" if forgotten else ""
    target = f"{where}:{line} still uses it as it was"
    hint = f"convert {where} as upstream did, or keep {name} for it"
    common = (architecture(path) or DEFAULT_ARCH) == DEFAULT_ARCH
    level = Level.ERROR if common and not forgotten else Level.WARNING
    return Finding(level, "old-code-breaks", name, patch.commit, change.header, 1, said, target, hint=hint)


def converted_by(found: Finding, series: Series, bench: Workbench) -> Cause | None:
    """The last commit that changed the name in that file upstream, before the series: the one that converted it."""
    path = found.target.partition(":")[0].encode()
    until = series.patches[0].parent
    if not series.base or not until:
        return None
    commits = bench.history.mentions(found.symbol, series.base, until, [path])
    return commits[-1] if commits else None

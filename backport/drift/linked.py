"""Functions that added lines call and that the target defines only where another configuration builds them: no link.

Upstream is the judge: told are only symbols that upstream's definition does not need. Definitions are sought in the folders that
the series touches and in mm, kernel, lib, fs and block; one elsewhere is not found, so silence proves nothing. May be wrong where
the caller's own symbol implies the other by Kconfig (`depends on`, `select`): it is a warning, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from backport.csource.conditions import Wanted, conditions
from backport.csource.outline import includes
from backport.drift.added import read_added
from backport.drift.built import built
from backport.drift.side import Place, Side
from backport.drift.unchecked import LARGEST
from backport.drift.workbench import Lines, Workbench
from backport.model.finding import Finding, Level
from backport.model.result import Skipped
from backport.model.series import Patch, Series, show_path

KIND = "other-configuration"
_CORE = (b"mm", b"kernel", b"lib", b"fs", b"block")
_MOST = 400  # names in one search
_Calls = dict[bytes, dict[bytes, tuple[Patch, bytes, int]]]
"""By file of the result: each called name with the patch, its path there and the line."""


def check(series: Series, result: str, bench: Workbench) -> tuple[tuple[Finding, ...], tuple[Skipped, ...]]:
    """One warning for each function and file; and what could not be sought."""
    side, calls = bench.side(result), _Calls()
    for patch, lines in zip(series.patches, bench.added_lines(series.patches), strict=True):
        _learn(patch, lines, calls, bench)
    asked = {path: names for path, found in calls.items() if (names := _prototyped(side, path, found))}
    names = set().union(*asked.values())
    folders = {path.rpartition(b"/")[0] for path in asked}
    defined = _defined(side, names, folders, bench)
    if defined is None:
        why = "the clone lacks objects, so it is not known which configuration builds them"
        return (), (Skipped("drift", f"{len(names)} called functions", why),)
    found: list[Finding] = []
    upstream = bench.side(series.patches[-1].tree) if defined else side
    for path, wanted in asked.items():
        found += _unlinked(side, upstream, path, {name: defined[name] for name in wanted if name in defined}, calls[path], bench)
    return tuple(found), ()


def _learn(patch: Patch, lines: Lines, calls: _Calls, bench: Workbench) -> None:
    for change in patch.changes:
        rows = [number for number, _ in lines.get(change.new_path, ())]
        if change.new is None or not change.new.is_file or not rows or not change.new_path.endswith(b".c"):
            continue
        text = bench.store.read(change.new.oid, "blob")
        if len(text) > LARGEST:
            continue  # counted by the guard
        for use in read_added(text, change.new.oid, rows, bench.index).uses:
            if use.role == "call" and not use.scope:
                calls.setdefault(change.new_path, {}).setdefault(use.name, (patch, change.new_path, use.line))


def _prototyped(side: Side, path: bytes, names: Collection[bytes]) -> set[bytes]:
    """Of some names those that the file sees as prototypes only: what is inline, a macro or its own needs no other object."""
    text = side.text(path)
    if text is None:
        return set()
    closure = side.closure(path, includes(text))
    seen = side.declared(names, closure, (path, side.oid(path)))
    return {name for name, places in seen.items() if all(place.declaration.kind in ("prototype", "extern") for place in places)}


def _defined(
    side: Side, names: Collection[bytes], folders: Collection[bytes], bench: Workbench
) -> dict[bytes, list[Place]] | None:
    """Where a tree defines the functions, as far as these folders and the core go; None where it cannot be searched."""
    words, files = sorted(name.decode("ascii") for name in names if name.isascii()), dict[bytes, str]()
    where = [f":(glob){folder.decode('utf-8', 'surrogateescape')}/*.c" for folder in sorted({*folders, *_CORE}) if folder]
    for start in range(0, len(words), _MOST):
        any_of = "|".join(words[start : start + _MOST])
        pattern = rf"^[A-Za-z_].*\<({any_of})\>[[:space:]]*\(|^({any_of})\("
        paths = bench.grep(["-E", pattern], side.tree, where)
        if paths is None:
            return None
        files.update((path, side.oid(path)) for path in paths)
    found = side.declared_in(names, files)
    definitions = {name: [place for place in places if place.declaration.kind == "function"] for name, places in found.items()}
    shared = {name: [p for p in places if not _static(p)] for name, places in definitions.items()}
    return {name: places for name, places in shared.items() if places}


def _static(place: Place) -> bool:
    return re.match(rb"(?:\w+\s+)*?static\b", place.declaration.signature) is not None


def _unlinked(
    side: Side,
    upstream: Side,
    path: bytes,
    defined: Mapping[bytes, list[Place]],
    calls: Mapping[bytes, tuple[Patch, bytes, int]],
    bench: Workbench,
) -> Iterator[Finding]:
    needs = {name: wanted for name, places in defined.items() if (wanted := _needed(side, places) - built(side.text, path))}
    folders = {place.path.rpartition(b"/")[0] for name in needs for place in defined[name]} | {path.rpartition(b"/")[0]}
    theirs = _defined(upstream, needs, folders, bench) if needs else {}
    for name, wanted in needs.items():
        patch, own, line = calls[name]
        there = (theirs or {}).get(name)
        more = wanted - _needed(upstream, there) - _around(upstream, own, line) if there else frozenset()
        if there and more:
            told = " and ".join(sorted(each.decode("ascii").replace("!", "no ") for each in more))
            here = defined[name][0]
            target = f"defined in {show_path(here.path)}:{here.declaration.line}, which is built only with {told}"
            hint = "set it, or make the call depend on it: without it the kernel does not link"
            shown = name.decode("ascii", "replace")
            yield Finding(Level.WARNING, KIND, shown, patch.commit, own, line, str(there[0]), target, hint=hint)


def _needed(side: Side, places: Collection[Place]) -> Wanted:
    """What all definitions of a function need in common: of the Makefiles, and of the #if lines around it."""
    found = [built(side.text, place.path) | _around(side, place.path, place.declaration.line) for place in places]
    return frozenset.intersection(*found) if found else frozenset()


def _around(side: Side, path: bytes, line: int) -> Wanted:
    return conditions(side.text(path) or b"").at(line)

"""Struct members that the series takes out of a header and that files which it leaves alone still name.

Upstream is the judge: a file counts where upstream's version, after the last patch, names the member no more. Seen are accesses
by a variable that its function declares with a struct, through the members between (`holder->box.count`), and designators of an
initialiser; those behind a call or a cast are not, so silence proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from backport.csource.accesses import accesses
from backport.csource.closure import DEFAULT_ARCH, architecture
from backport.csource.outline import includes, outline
from backport.csource.tokens import Lines, blank
from backport.drift.leaning import converted_by
from backport.drift.members import end_of_chain
from backport.drift.side import Side
from backport.drift.workbench import Workbench
from backport.model.finding import Finding, Level
from backport.model.result import Skipped
from backport.model.series import Series, show_path

_MOST = 60  # files that are read for one struct
_TOLD = 10  # findings whose commit is looked for: each is a walk of the history
_WHY = "they mention a struct that loses members, and are too many to read"


def check(series: Series, onto: str, result: str, bench: Workbench) -> tuple[tuple[Finding, ...], tuple[Skipped, ...]]:
    """The users of lost members, one finding for each member and file; and what was not looked at."""
    if onto == result or not series.patches:
        return (), ()
    found: list[Finding] = []
    skipped: list[Skipped] = []
    paths = {c.old_path for patch in series.patches for c in patch.changes if c.old_path.endswith(b".h")}
    for header in sorted(paths):
        for tag, names in _lost(header, onto, result, bench).items():
            files = _mentioning(tag, names, header, result, bench)
            if files is None:
                why = "the clone lacks objects, so their users were not sought"
                skipped.append(Skipped("drift", f"{len(names)} members taken out of struct {_shown(tag)}", why))
                continue
            for path in files[:_MOST]:
                found += _users(path, header, tag, names, series, result, bench)
            if len(files) > _MOST:
                skipped.append(Skipped("drift", f"{len(files) - _MOST} files", _WHY))
    told = [replace(f, introduced_by=converted_by(f, series, bench)) for f in found[:_TOLD]]
    return (*told, *found[_TOLD:]), tuple(skipped)


def _lost(header: bytes, onto: str, result: str, bench: Workbench) -> Mapping[bytes, set[bytes]]:
    """The members that each struct of a header had and has no more; a struct that is gone altogether is `leaning`'s."""
    before, after = bench.trees.read(onto, header), bench.trees.read(result, header)
    if before is None or after is None or before == after:
        return {}
    was, now = _members(before), _members(after)
    return {tag: gone for tag, names in was.items() if tag in now and (gone := names - now[tag])}


def _members(text: bytes) -> dict[bytes, set[bytes]]:
    found: dict[bytes, set[bytes]] = {}
    for each in outline(text).declarations:
        if each.kind == "member" and each.owner:
            found.setdefault(each.owner, set()).add(each.name)
    return found


def _mentioning(tag: bytes, names: set[bytes], header: bytes, tree: str, bench: Workbench) -> list[bytes] | None:
    """The C files that have the tag and one of the members; only those of the header's folder where it is no interface."""
    folder = header.rpartition(b"/")[0]
    where = ["*.c", "*.h"] if b"include" in folder.split(b"/") else [f"{folder.decode('utf-8', 'surrogateescape')}/*.[ch]"]
    pattern = _any(names)
    direct = bench.grep(["--all-match", "-E", "-e", rf"\<{_shown(tag)}\>", "-e", rf"\<({pattern})\>"], tree, where)
    headers = bench.grep(["-E", rf"\<struct[[:space:]]+{_shown(tag)}\>"], tree, [each for each in where if each != "*.c"])
    if direct is None or headers is None:
        return None
    holders = _any(name for path in headers[:_MOST] for name in _holders(bench.trees.read(tree, path) or b"", tag))
    chain = rf"(->|\.)[[:space:]]*({holders})(\[[^]]*\])?[[:space:]]*(->|\.)[[:space:]]*({pattern})\>"
    chained = bench.grep(["-E", chain], tree, where) if holders else []
    return None if chained is None else sorted({*direct, *chained})


def _any(names: Iterable[bytes]) -> str:
    return "|".join(sorted({name.decode("ascii") for name in names if name.isascii()}))


def _holders(text: bytes, tag: bytes) -> Iterator[bytes]:
    """The members of other structs that are this struct or point to it."""
    spelled = re.compile(rb"\bstruct\s+" + re.escape(tag) + rb"\b")
    yield from (d.name for d in outline(text).declarations if d.kind == "member" and spelled.search(d.spelled))


def _users(
    path: bytes, header: bytes, tag: bytes, names: set[bytes], series: Series, result: str, bench: Workbench
) -> Iterator[Finding]:
    used = _named(path, tag, names, bench.side(result))
    theirs = _named(path, tag, names, bench.side(series.patches[-1].tree)) if used else {}
    patch = next(p for p in reversed(series.patches) if any(c.old_path == header for c in p.changes))
    level = Level.ERROR if (architecture(path) or DEFAULT_ARCH) == DEFAULT_ARCH else Level.WARNING
    for name in sorted(used.keys() - theirs.keys()):
        said = f"taken out of struct {_shown(tag)} in {show_path(header)}"
        target = f"{show_path(path)}:{used[name]} still uses it as it was"
        hint = f"convert {show_path(path)} as upstream did, or keep {_shown(name)} for it"
        yield Finding(level, "old-code-breaks", _shown(name), patch.commit, header, 1, said, target, hint=hint)


def _named(path: bytes, tag: bytes, names: set[bytes], side: Side) -> dict[bytes, int]:
    """Which of the members a file of a tree names as members of the struct, and the first line of each."""
    text = side.text(path) or b""
    plain, lines = blank(text), Lines(text)
    wanted = [number for number, row in enumerate(plain.split(b"\n"), 1) if any(name in row for name in names)]
    functions = [d for d in outline(text).declarations if d.kind == "function"] if wanted else []
    asked = [access for access in accesses(plain, lines, wanted, functions) if access.name in names and access.tag]
    steps = {step for access in asked for step in access.path}
    seen = side.members(steps, side.closure(path, includes(text)), (path, side.oid(path))) if steps else {}
    found: dict[bytes, int] = {}
    for access in asked:
        if end_of_chain(access.tag, access.path, seen) == tag:
            found.setdefault(access.name, access.line)
    return found


def _shown(name: bytes) -> str:
    return name.decode("ascii", "replace")

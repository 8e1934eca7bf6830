"""Names and places by which programs reach the kernel and that the target has given away: sysctls, module parameters, calls.

Asked of the merged files: a name that stands twice in one table of sysctls, a parameter that a module has twice, a system call
that stands at another place of an assembler table than upstream's. Upstream is the judge: what its own file has twice (branches
of an #if) may be there twice, and the place in its table is the number that programs use. Two tables that make one folder of
/proc/sys in two files are not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from backport.csource.outline import outline
from backport.csource.tokens import Lines, blank_comments
from backport.drift.workbench import Workbench
from backport.model.finding import Finding, Level
from backport.model.series import FileChange, Patch, Series

KIND = "number-clash"
Key = tuple[bytes, bytes]
"""What holds a name (a table, the file), and the name."""

_PROC = re.compile(rb'\.procname\s*=\s*"([^"\n]+)"')
_CTL = re.compile(rb"\.ctl_name\s*=\s*(\w+)")
_PARAM = re.compile(rb"\bmodule_param(?:_named|_string|_array|_array_named|_call|_cb)?\s*\(\s*(\w+)\s*,")
_UNNUMBERED = (b"0", b"CTL_UNNUMBERED", b"CTL_NONE")
_LABEL = re.compile(rb"^(?:ENTRY\()?(\w*(?:sys_?call|systbl)\w*)[:)]", re.I)
_ENTRY = re.compile(rb"^\s*(?:\.long|\.quad|\.word|\.llong|data8|PTR|CALL\()\s*\(?(.*)")
_CALL = re.compile(rb"\b[A-Za-z_]\w*")


def check(series: Series, result: str, bench: Workbench) -> tuple[Finding, ...]:
    """Every sysctl, module parameter and system call of the series that the merged target has twice or elsewhere."""
    found: list[Finding] = []
    for patch, lines in zip(series.patches, bench.added_lines(series.patches), strict=True):
        for change in patch.changes:
            rows = lines.get(change.new_path, ())
            if change.new is None or not change.new.is_file or not rows:
                continue
            if change.new_path.endswith(b".c") and any(_interesting(row) for _, row in rows):
                found += _of_source(patch, change, rows, result, bench)
            elif change.new_path.endswith(b".S") and any(_ENTRY.match(row) for _, row in rows):
                found += _of_table(patch, change, rows, result, bench)
    return tuple(found)


def _interesting(row: bytes) -> bool:
    return any(pattern.search(row) for pattern in (_PROC, _CTL, _PARAM))


def _texts(change: FileChange, result: str, bench: Workbench) -> tuple[bytes, bytes]:
    """The file as the patch leaves it upstream, and as it is in the merged tree."""
    upstream = bench.store.read(change.new.oid, "blob") if change.new is not None else b""
    return upstream, bench.trees.read(result, change.new_path) or b""


def _of_source(
    patch: Patch, change: FileChange, rows: Sequence[tuple[int, bytes]], result: str, bench: Workbench
) -> Iterator[Finding]:
    upstream, merged = _texts(change, result, bench)
    known, here = _names(upstream), _names(merged)
    for line, row in rows:
        for pattern, what in ((_PROC, "the sysctl"), (_CTL, "the sysctl number"), (_PARAM, "the module parameter")):
            for name in pattern.findall(row):
                twice = [key for key in here if key[1] == name and len(here[key]) > max(1, len(known.get(key, ())))]
                for key in twice if name not in _UNNUMBERED else ():
                    where = " and ".join(str(at) for at in here[key])
                    target = f"stands twice after the merge, on lines {where}" + _inside(key[0])
                    yield _finding(patch, change, line, name, f"adds {what} {_shown(name)}", target)


def _inside(table: bytes) -> str:
    return f" in {_shown(table)}" if table else ""


def _names(text: bytes) -> dict[Key, list[int]]:
    """The names of a file's sysctl tables and module parameters, with their lines."""
    plain, lines = blank_comments(text), Lines(text)
    tables = [d for d in outline(text).declarations if d.kind == "variable"]
    found: dict[Key, list[int]] = {}
    for pattern in (_PROC, _CTL, _PARAM):
        for match in pattern.finditer(plain):
            line = lines.line(match.start())
            table = next((d.name for d in tables if d.line <= line <= d.end), b"") if pattern is not _PARAM else b""
            if table or pattern is _PARAM:
                found.setdefault((table, match.group(1)), []).append(line)
    return found


def _of_table(
    patch: Patch, change: FileChange, rows: Sequence[tuple[int, bytes]], result: str, bench: Workbench
) -> Iterator[Finding]:
    """A call whose place in the merged table is not upstream's. Nothing where upstream has the call twice, or no table."""
    upstream, merged = (_calls(text) for text in _texts(change, result, bench))
    for line, row in rows:
        entry = _ENTRY.match(row)
        for name in _CALL.findall(entry.group(1)) if entry else ():
            for table, number in upstream.get(name, {}).items():
                mine = merged.get(name, {}).get(table)
                if mine is not None and mine != number:
                    said, target = f"{_shown(name)} is call {number}", f"it would be call {mine} after the merge"
                    yield _finding(patch, change, line, name, said, target)


def _calls(text: bytes) -> dict[bytes, dict[bytes, int]]:
    """The place of each call in each table of an assembler file; only names that stand once in it."""
    places: dict[bytes, dict[bytes, int]] = {}
    count: Counter[Key] = Counter()
    size: Counter[bytes] = Counter()
    table = b""
    for row in blank_comments(text).split(b"\n"):
        if label := _LABEL.match(row):
            table = label.group(1)
        elif table and (entry := _ENTRY.match(row)):
            for name in _CALL.findall(entry.group(1)):
                places.setdefault(name, {})[table] = size[table]
                count[table, name] += 1
                size[table] += 1
    return {name: {t: n for t, n in found.items() if count[t, name] == 1} for name, found in places.items()}


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _finding(patch: Patch, change: FileChange, line: int, name: bytes, said: str, target: str) -> Finding:
    hint = "programs reach it by this name or number: give the target's own another, or this one its own"
    return Finding(Level.ERROR, KIND, _shown(name), patch.commit, change.new_path, line, said, target, hint=hint)

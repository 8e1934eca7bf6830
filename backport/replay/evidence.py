"""Says of every hunk of a patch that landed where it stands, what put it there, and what that was checked for.

A rule brings its own evidence. For the rest it is read off the texts: what a merge changed in the target, beside what the patch
changed upstream.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from backport.csource.parse import function_at
from backport.git.merge import rows
from backport.git.store import Store
from backport.model.evidence import Evidence
from backport.model.series import decode
from backport.model.verdict import PLAIN, Conflict, FileOutcome, PatchOutcome
from backport.replay.guard.place import Change, around, changes, squeezed
from backport.replay.rules.shape import shape

_LARGEST = 2 << 20
_WHY = {
    "take": "the target's file was the one that the patch was made for",
    "3-way": "a three-way merge: around it both sides are alike",
}


def with_evidence(outcome: PatchOutcome, store: Store, checks: Sequence[str]) -> PatchOutcome:
    """The outcome of a patch that landed, each of its files with an entry for every hunk; `checks` are what the guard asked."""
    return replace(outcome, files=tuple(replace(file, evidence=_of(file, store, checks)) for file in outcome.files))


def with_causes(outcome: PatchOutcome, explained: PatchOutcome) -> PatchOutcome:
    """The outcome of a patch that rules resolved, with the causes of the conflicts that they resolved (those of `explained`)."""
    files = tuple(
        replace(file, evidence=tuple(_because(item, explained.conflicts) for item in file.evidence)) for file in outcome.files
    )
    return replace(outcome, files=files, causes=explained.causes)


def _because(item: Evidence, conflicts: Sequence[Conflict]) -> Evidence:
    near = [conflict for conflict in conflicts if conflict.path == item.path and conflict.causes]
    if item.rule in PLAIN or item.causes or not near:
        return item
    return replace(item, causes=min(near, key=lambda conflict: abs(conflict.line - item.line)).causes)


def _of(file: FileOutcome, store: Store, checks: Sequence[str]) -> tuple[Evidence, ...]:
    if file.result is None or not file.result.is_file or file.rule == "already":
        return file.evidence
    texts = [store.text(entry) or b"" for entry in (file.base, file.ours, file.theirs, file.result)]
    if any(b"\0" in text or len(text) > _LARGEST for text in texts):
        return file.evidence
    base, ours, theirs, result = texts
    upstream = changes(base, theirs)
    if file.rule == "take":
        return tuple(_evidence(file, "take", change, change, result, ("identical-base",)) for change in upstream)
    told = [*file.evidence]
    for change, origin in _paired(changes(ours, result), upstream):
        if not any(change.new < item.line <= change.new + max(1, len(change.added)) for item in file.evidence):
            told.append(_evidence(file, "3-way", change, origin, result, checks))
    return tuple(sorted((_checked(_at_home(item, result), checks) for item in told), key=lambda item: item.line))


def functions(text: bytes, path: bytes, line: int) -> Iterator[str]:
    """The function of a 1-based line, by the ways in which evidence names one: the rules', that of diff's headings, the parser's.

    The first knows by its name that a text is no C: a document with a function in it has none.
    """
    yield decode(shape(path, text).holder(line - 1))
    yield around(rows(text), line - 1, path)
    yield decode(function_at(text, line))


def _at_home(item: Evidence, result: bytes) -> Evidence:
    """In the function that its line has in the resulting file: a rule names that of the target's line, a merge has it already.

    A hunk of 3da0dd433dc3 puts a function before the one whose head it changes: its first line is in what it adds.
    """
    if not item.line or item.rule in PLAIN or item.function in functions(result, item.path, item.line):
        return item
    return replace(item, function=next(functions(result, item.path, item.line)))


def _checked(item: Evidence, checks: Sequence[str]) -> Evidence:
    return replace(item, checks=tuple(dict.fromkeys((*item.checks, *checks))))


def _paired(here: Sequence[Change], upstream: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Each change of the target with upstream's: the next one that adds and removes the same, else the nearest in order."""
    left = list(upstream)
    for number, change in enumerate(here):
        same = [other for other in left if _key(other) == _key(change)]
        origin = same[0] if same else upstream[min(number, len(upstream) - 1)] if upstream else change
        if same:
            left.remove(origin)
        yield change, origin


def _key(change: Change) -> tuple[list[bytes], list[bytes]]:
    return [squeezed(row) for row in change.removed], [squeezed(row) for row in change.added]


def _evidence(file: FileOutcome, rule: str, change: Change, origin: Change, result: bytes, checks: Sequence[str]) -> Evidence:
    function = around(rows(result), change.new, file.path)
    return Evidence(rule, file.path, function, change.new + 1, change.new - origin.new, _WHY[rule], checks=tuple(checks))

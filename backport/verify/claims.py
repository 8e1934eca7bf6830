"""What a report claims of lines, commits and causes: each is looked up where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from backport.git.merge import rows
from backport.model.codec import encode
from backport.model.difference import Difference
from backport.model.errors import InputError
from backport.model.evidence import Evidence
from backport.model.finding import Finding
from backport.model.result import RunResult
from backport.model.series import Patch, Series
from backport.model.verdict import PLAIN, Cause, FileOutcome, PatchOutcome, Verdict
from backport.prerequisites import folds_of, marked
from backport.replay.evidence import functions
from backport.replay.explain import explain, known_until
from backport.replay.guard import refusal
from backport.replay.guard.text import CHECKS
from backport.replay.settle import reason_of
from backport.replay.situation import Library
from backport.verify.chain import Checked

_WORD = re.compile(rb"\w+")


def patches(result: RunResult, checked: Sequence[Checked], base: str, library: Library) -> Iterator[Difference]:
    """Conflicts with their places, causes and needs, derived anew; verdicts and reasons that follow from them."""
    series = Series("", "", base, tuple(one.patch for one in checked))
    since = known_until(series, result.onto_commit, library.history)
    asked = [_before(one) for one in checked]
    for one, true in zip(checked, explain(series, lambda: since, asked, library.store, library.history), strict=True):
        if one.told.verdict.landed:
            yield from _causes(f"{one.place}.causes", one.told.causes, true.causes)
            yield from _equal(f"{one.place}.needs", one.told.needs, ())
            yield from _equal(f"{one.place}.conflicts", one.told.conflicts, ())
        elif one.told.verdict is Verdict.SUSPECT:
            yield from _suspect(one, [f for f in result.findings if f.patch == one.told.upstream])
        else:
            yield from _conflict(one, true)


def _before(one: Checked) -> PatchOutcome:
    """The outcome as the replay has it before causes are looked for: with the conflicts that rules resolved, too."""
    plain, verdict = one.plain, one.told.verdict
    if verdict in (Verdict.CONFLICT, Verdict.NOT_APPLICABLE):
        verdict = Verdict.CONFLICT if one.told.suggestions else plain.verdict
    reason = "" if one.told.suggestions else plain.reason
    return replace(plain, verdict=verdict, reason=reason or (reason_of(verdict, plain.conflicts) if plain.conflicts else ""))


def _conflict(one: Checked, true: PatchOutcome) -> Iterator[Difference]:
    told, place = one.told, one.place
    yield from _equal(f"{place}.verdict", told.verdict, true.verdict)
    if told.verdict is not Verdict.ALREADY_PRESENT or true.needs:
        (noted,) = marked([true], {}, folds_of(told))
        yield from _equal(f"{place}.reason", told.reason, noted.reason)
    if len(told.conflicts) != len(true.conflicts):
        yield Difference(f"{place}.conflicts", f"there are {len(true.conflicts)}")
    for number, (mine, other) in enumerate(zip(told.conflicts, true.conflicts, strict=False)):
        for field in ("path", "rule", "function", "line", "ours", "base", "theirs"):
            yield from _equal(f"{place}.conflicts[{number}].{field}", getattr(mine, field), getattr(other, field))
        yield from _causes(f"{place}.conflicts[{number}].causes", mine.causes, other.causes)
    yield from _causes(f"{place}.causes", told.causes, true.causes)
    yield from _equal(f"{place}.needs", told.needs, true.needs)


def _suspect(one: Checked, findings: Sequence[Finding]) -> Iterator[Difference]:
    (noted,) = marked([replace(one.told, reason=refusal(findings))], {}, folds_of(one.told))
    why = noted.reason if refusal(findings) else ""
    if one.merged == one.before:
        yield Difference(f"{one.place}.verdict", "the patch changes nothing")
    if not why and "by hand" not in one.told.reason:
        yield Difference(f"{one.place}.verdict", "no finding speaks against it")
    elif why and one.told.reason != why:
        yield Difference(f"{one.place}.reason", f"it is {why!r}")


def _causes(place: str, told: Sequence[Cause], true: Sequence[Cause]) -> Iterator[Difference]:
    if len(told) != len(true):
        yield Difference(place, f"there are {len(true)}: {', '.join(cause.commit[:12] for cause in true)}")
    for number, (mine, other) in enumerate(zip(told, true, strict=False)):
        for field in ("commit", "subject", "why"):
            yield from _equal(f"{place}[{number}].{field}", getattr(mine, field), getattr(other, field))


def evidence(checked: Sequence[Checked], library: Library) -> Iterator[Difference]:
    """Each hunk that a rule placed: in a line that there is, in the function that it says, for causes that exist."""
    for one in checked:
        for number, file in enumerate(one.told.files):
            if silent := _silent(file):
                yield Difference(f"{one.place}.files[{number}].evidence", f"nothing says what {' and '.join(silent)} did")
            for at, item in enumerate(file.evidence):
                yield from _evidence(f"{one.place}.files[{number}].evidence[{at}]", item, file, one.before, library)


def _silent(file: FileOutcome) -> list[str]:
    """The rules that made a file and have no evidence in it, where it has some at all."""
    told = {name for item in file.evidence for name in (item.rule, *item.rule.split("+"))}
    made = [] if file.rule in PLAIN or file.result is None or not file.evidence else file.rule.split("+")
    return [name for name in made if name not in told]


def _evidence(place: str, item: Evidence, file: FileOutcome, before: str, library: Library) -> Iterator[Difference]:
    if item.rule not in (file.rule, *file.rule.split("+"), "3-way"):
        yield Difference(f"{place}.rule", f"the file was made by {file.rule}")
    if missing := [name for name in CHECKS if name not in item.checks and file.rule not in ("take", "conflict")]:
        yield Difference(f"{place}.checks", f"it does not say {', '.join(missing)}")
    renamed = file.ours is not None and library.trees.entry(before, item.path) == file.ours
    if item.path != file.path and not renamed:
        yield Difference(f"{place}.path", f"it is {encode(file.path)}")
    for number, cause in enumerate(item.causes):
        yield from commit(f"{place}.causes[{number}]", cause, library)
    try:
        text = library.store.read(file.result.oid, "blob") if file.result is not None else b""
    except InputError:
        return  # said of the result itself
    if item.line > max(1, len(rows(text))):
        yield Difference(f"{place}.line", f"the file has {len(rows(text))} lines")
    elif item.line and item.function not in (found := tuple(functions(text, item.path, item.line))):
        names = dict.fromkeys(filter(None, found))
        yield Difference(f"{place}.function", f"line {item.line} is in {' or '.join(names) or 'no function'}")


def commit(place: str, cause: Cause, library: Library) -> Iterator[Difference]:
    """A commit that is named as the cause of something: it exists and is called so."""
    try:
        found = library.history.commit(cause.commit)
    except InputError as error:
        yield Difference(f"{place}.commit", error.what)
        return
    if found.subject != cause.subject:
        yield Difference(f"{place}.subject", f"{cause.commit[:12]} is {found.subject!r}")


def findings(result: RunResult, known: Mapping[str, Patch], library: Library) -> Iterator[Difference]:
    """Each finding stands on a line that its patch has."""
    for number, found in enumerate(result.findings):
        place = f"findings[{number}]"
        if found.introduced_by is not None:
            yield from commit(f"{place}.introduced_by", found.introduced_by, library)
        patch = known.get(found.patch)
        if patch is None:
            if found.patch:
                yield Difference(f"{place}.patch", "it is no patch of the series")
            continue
        if found.kind in _ON_ITS_MAIL:
            continue
        change = next((c for c in patch.changes if found.path in (c.new_path, c.old_path)), None)
        if change is None:
            yield Difference(f"{place}.path", "the patch does not touch it")
        elif change.new is not None and change.new.is_file:
            lines = rows(library.store.read(change.new.oid, "blob"))
            if found.line > max(1, len(lines)):
                yield Difference(f"{place}.line", f"the file has {len(lines)} lines")
            elif _of_the_line(found) and not _stands_in(found, lines[found.line - 1 : found.line]):
                yield Difference(f"{place}.line", f"{found.symbol} does not stand there")


_ON_ITS_MAIL = ("signed", "not-signed")
_ON_ITS_LINE = ("absent-symbol", "absent-member", "not-included", "absent-header")


def _of_the_line(found: Finding) -> bool:
    """Whether findings of this kind name a word of their own line; others name what the line leads to."""
    return found.kind in _ON_ITS_LINE


def _stands_in(found: Finding, lines: Sequence[bytes]) -> bool:
    words = _WORD.findall(found.symbol.encode("utf-8", "surrogateescape"))
    return not words or any(words[-1] in _WORD.findall(line) for line in lines)


def _equal(place: str, told: object, true: object) -> Iterator[Difference]:
    if told != true:
        yield Difference(place, f"it is {encode(true)!r}")

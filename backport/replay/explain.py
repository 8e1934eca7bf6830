"""Finds why a patch did not land: the enclosing function, and the upstream commits that changed those very lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from backport.git.history import History, group_lines
from backport.git.merge import rows
from backport.git.store import Store
from backport.model.series import Patch, Series, show_path
from backport.model.verdict import Cause, Conflict, FileOutcome, PatchOutcome, Verdict

_MOST = 8  # causes named for one conflict: more is a rewrite, and a list of fifty commits helps nobody


def explain(series: Series, outcomes: Sequence[PatchOutcome], store: Store, history: History) -> list[PatchOutcome]:
    """The same outcomes with function, causes and needs filled in for every patch that did not land.

    A patch `needs` an earlier one of the series that was left out when that one wrote the lines in conflict or brought the file.
    """
    patches = {patch.commit: patch for patch in series.patches}
    absent = {c.path for o in outcomes for c in o.conflicts if c.rule == "absent"}
    until = next((patches[o.upstream].parent for o in reversed(outcomes) if o.conflicts), "")
    brought = history.brought(absent, series.base, until) if absent and until else {}
    left_out = {o.upstream for o in outcomes if o.conflicts}
    explained = []
    for outcome in outcomes:
        if outcome.conflicts:
            outcome = _explained(outcome, patches[outcome.upstream], series.base, store, history, brought)
            needs = {c.commit for conflict in outcome.conflicts for c in conflict.causes} & left_out - {outcome.upstream}
            outcome = replace(outcome, needs=tuple(o.upstream for o in outcomes if o.upstream in needs))
        explained.append(outcome)
    return explained


def _explained(
    outcome: PatchOutcome, patch: Patch, since: str, store: Store, history: History, brought: Mapping[bytes, Cause]
) -> PatchOutcome:
    files = {file.path: file for file in outcome.files}
    conflicts: list[Conflict] = []
    for path in dict.fromkeys(conflict.path for conflict in outcome.conflicts):
        here = [conflict for conflict in outcome.conflicts if conflict.path == path]
        if here[0].rule == "content":
            conflicts.extend(_content(here, files[path], patch, since, store, history))
        elif path in brought:
            conflicts.extend(replace(c, causes=(replace(brought[path], why=f"brought {show_path(path)}"),)) for c in here)
        else:
            conflicts.extend(here)
    causes = tuple(dict.fromkeys(cause for conflict in conflicts for cause in conflict.causes))
    reason = outcome.reason
    if outcome.verdict is Verdict.NOT_APPLICABLE and causes:
        reason = f"{reason}; {causes[0].commit[:12]} brought {'it' if len(conflicts) == 1 else 'them'}"
    return replace(outcome, conflicts=tuple(conflicts), causes=causes, reason=reason)


def _content(
    conflicts: Sequence[Conflict], file: FileOutcome, patch: Patch, since: str, store: Store, history: History
) -> list[Conflict]:
    if file.base is None or file.ours is None or file.theirs is None:
        return list(conflicts)
    base, ours = rows(store.read(file.base.oid, "blob")), rows(store.read(file.ours.oid, "blob"))
    hunks = history.hunks(file.base.oid, file.theirs.oid)
    upstream_path = next((c.old_path for c in patch.changes if c.new_path == file.upstream_path), file.upstream_path)
    after_base, after_ours, found = 1, 1, []
    for conflict in conflicts:
        first = locate(base, rows(conflict.base), hunks, after_base)
        line = locate(ours, rows(conflict.ours), [(conflict.line, 0)], after_ours)
        after_base, after_ours = first + conflict.base.count(b"\n"), line + conflict.ours.count(b"\n")
        causes = _blamed(conflict, first, upstream_path, since, patch.parent, history)
        found.append(replace(conflict, line=line, function=enclosing(ours, line), causes=causes))
    return found


def _blamed(conflict: Conflict, first: int, path: bytes, since: str, until: str, history: History) -> tuple[Cause, ...]:
    """Who changed the lines on which the two sides differ already before the patch.

    Blame knows only lines that are still there; where upstream only removed something, the neighbouring lines' own history (log
    -L) names the commit. Both are bounded to since..patch^: what is older, the target has as well.
    """
    base, ours = rows(conflict.base), rows(conflict.ours)
    drifted = _differing(base, ours)
    spans = [(first + start, first + end - 1) for start, end in drifted]
    shown = show_path(path)
    if spans and (blamed := group_lines(history.blame(path, spans, since, until))):
        return tuple(replace(c, why=f"changed lines {_span(lines)} of {shown}") for c, lines in blamed.items())[:_MOST]
    last = max(first, first + len(base) - 1)
    touched = history.touched_lines(path, max(1, first - 1), last, since, until)
    return tuple(replace(c, why=f"changed or removed lines around {first} of {shown}") for c in touched)[:_MOST]


def locate(lines: Sequence[bytes], block: Sequence[bytes], near: Sequence[tuple[int, int]], after: int) -> int:
    """The 1-based line at which `block` stands in `lines`, not before `after`, nearest to one of the spots (line, length).

    The markers of a merge do not say where a conflict is in the base. Lines like `}` repeat, so of all places the one that the
    patch itself changes is taken; a block that stands nowhere (it cannot) gives the nearest spot.
    """
    size = len(block)
    spots = [line for line, _ in near if line >= after] or [after]
    if not size:
        return min(spots)
    starts = (at for at in range(after - 1, len(lines) - size + 1) if lines[at] == block[0])
    places = [at + 1 for at in starts if list(lines[at : at + size]) == list(block)]
    return min(places, key=lambda at: min(abs(at - spot) for spot in spots), default=min(spots))


def enclosing(lines: Sequence[bytes], line: int) -> str:
    """The name of the function that holds a 1-based line, '' where none does or it cannot be told.

    Looks back for the line in column one that opens a function and gives up at a closing brace in column one: kernel style
    (Documentation/CodingStyle, 3) puts both there. Wrong for a K&R definition or a macro that opens a body.
    """
    for text in reversed(lines[: max(0, line - 1)]):
        if text.startswith(b"}"):
            return ""
        if re.match(rb"[A-Za-z_]", text) and not text.rstrip().endswith((b":", b";")):
            names = re.findall(rb"([A-Za-z_]\w*)\s*\(", text)
            return names[0].decode() if names else ""
    return ""


def _differing(base: Sequence[bytes], ours: Sequence[bytes]) -> list[tuple[int, int]]:
    """Half-open ranges of `base` that `ours` does not have in this place."""
    matcher = difflib.SequenceMatcher(None, base, ours, autojunk=False)
    return [(a, b) for tag, a, b, _, _ in matcher.get_opcodes() if tag in ("replace", "delete")]


def _span(lines: Sequence[int]) -> str:
    return f"{lines[0]}-{lines[-1]}" if lines[0] != lines[-1] else f"{lines[0]}"

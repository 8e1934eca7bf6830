"""A patch in the target's words: names that the target has under another one, put back on the lines that the patch adds.

Where the guard refuses a patch for names alone, and the history between says what each was called before (see `mined`), the patch
is read with those names and settled anew, like any other, and with the guard's word on the names that it has now. Sure only
where it then merges: the names and a conflict in one are two steps away from what upstream did (3f7c5c10e9dc on 2.6.32.y).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from backport.csource.tokens import says
from backport.git.merge import rows
from backport.git.store import Store
from backport.model.evidence import Evidence
from backport.model.finding import Finding
from backport.model.series import Entry, FileChange, Patch
from backport.model.verdict import PLAIN, FileOutcome, PatchOutcome, rules_of
from backport.replay.guard.place import around, changes
from backport.replay.mined import Mined, Respelling
from backport.replay.mined_calls import MinedArgument, with_arguments
from backport.replay.rules.lines import hunks

RULE = "mined"
_LARGEST = 2 << 20
_SURE = 2  # lines of a commit that must show a name's predecessor before it is more than a suggestion


def respelt(patch: Patch, names: Sequence[Respelling], store: Store) -> Patch:
    """The patch with the target's names on the lines that it adds; what it takes away stays as upstream has it."""
    return replace(patch, changes=tuple(_respelt(change, names, store) for change in patch.changes))


def is_sure(names: Sequence[Respelling], outcome: PatchOutcome) -> bool:
    """Whether the patch merges with these names, and the history shows each more than once, and none beside its predecessor."""
    proved = all(name.outright and name.shown >= _SURE for name in names)
    return outcome.verdict.landed and not rules_of(outcome.files) and proved


def answered(findings: Sequence[Finding], left: Sequence[Finding], names: Sequence[Respelling]) -> tuple[Finding, ...]:
    """What the guard had against the patch in upstream's words and has not in the target's, as accepted because of `names`.

    The patch lands, but what it says upstream still means something else in the target: drift that nobody is told of is a guess.
    """
    still = {(finding.kind, finding.symbol, finding.path) for finding in left}
    why = f"put back by the rule {RULE}: {'; '.join(name.told for name in names)}"
    gone = [f for f in findings if f.blocks and (f.kind, f.symbol, f.path) not in still]
    return tuple(replace(finding, accepted=why) for finding in gone)


def in_upstreams_terms(
    files: Sequence[FileOutcome], patch: Patch, names: Sequence[Respelling], store: Store
) -> tuple[FileOutcome, ...]:
    """The outcomes with upstream's own blob as theirs, and the names as their rule and evidence where one was put back."""
    theirs = {change.new_path: change.new for change in patch.changes}
    return tuple(_told(file, theirs.get(file.upstream_path, file.theirs), names, store) for file in files)


def _respelt(change: FileChange, names: Sequence[Respelling], store: Store) -> FileChange:
    if change.new is None or not change.new.is_file:
        return change
    old, new = store.text(change.old) or b"", store.text(change.new) or b""
    if b"\0" in new or max(len(old), len(new)) > _LARGEST or not any(name.new in new for name in names):
        return change
    lines = rows(new)
    changed = hunks(rows(old), lines)
    spelt = [name for name in names if isinstance(name, Mined)]
    for hunk in changed:
        lines[hunk.c : hunk.d] = [_spelt(row, spelt) for row in lines[hunk.c : hunk.d]]
    text = with_arguments(b"".join(lines), changed, [name for name in names if isinstance(name, MinedArgument)])
    return change if text == new else replace(change, new=Entry(change.new.mode, store.write("blob", text)))


def _spelt(row: bytes, names: Sequence[Mined]) -> bytes:
    for name in names:
        before = rb"((?:->|\.)\s*)" if name.member else rb"()(?<!\w)"
        row = re.sub(before + re.escape(name.new) + rb"(?!\w)", lambda match, old=name.old: match.group(1) + old, row)  # type: ignore[misc]
    return row


def _told(file: FileOutcome, theirs: Entry | None, names: Sequence[Respelling], store: Store) -> FileOutcome:
    if file.theirs == theirs or file.result is None:
        return replace(file, theirs=theirs)
    rule = RULE if file.rule in PLAIN else f"{RULE}+{file.rule}"
    ours, result = store.text(file.ours) or b"", store.text(file.result) or b""
    evidence = [replace(item, rule=rule) for item in file.evidence]
    for change in changes(ours, result):
        used = [name for name in names if any(says(row, name.old) for row in change.added)]
        if used:
            why = "; ".join(name.told for name in used)
            causes = tuple({name.cause.commit: name.cause for name in used}.values())
            where = around(rows(result), change.new, file.path)
            evidence.append(Evidence(rule, file.path, where, change.new + 1, 0, why, causes, ("mined",)))
    return replace(file, theirs=theirs, rule=rule, evidence=tuple(evidence))

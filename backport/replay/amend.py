"""What a person changed beside the conflicts: lines that the merge had taken cleanly, files that the patch does not touch.

Applied to the tree of a patch that otherwise lands, before the guard sees it. Only for the patch that the recordings are about:
a line is not changed elsewhere because it reads the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backport.csource.parse import function_at
from backport.git.merge import rows
from backport.model.evidence import Evidence
from backport.model.recording import Kind, Recording, file_key
from backport.model.series import Entry, Patch, decode, show_path
from backport.model.verdict import FileOutcome
from backport.replay.recorded import RULE, chosen_text
from backport.replay.situation import Library

BY_HAND = "by-hand"


@dataclass(frozen=True, slots=True)
class Amended:
    """The tree with the changes and the outcomes of the files; `problem` says why one of them does not fit here any more."""

    tree: str
    files: tuple[FileOutcome, ...]
    problem: str = ""


def amend(
    patch: Patch, before: str, after: str, files: Sequence[FileOutcome], recordings: Sequence[Recording], library: Library
) -> Amended | None:
    """`after` (the target `before` with the patch) with what was recorded about this patch; None where nothing was."""
    mine = [r for r in recordings if r.kind is not Kind.CONFLICT and r.about(patch.commit, patch.subject)]
    paths = {f.upstream_path: f.path for f in files}
    asked: dict[bytes, list[Recording]] = {}
    for recording in mine:
        if recording.kind is Kind.LINES or recording.rule == BY_HAND:
            asked.setdefault(paths.get(recording.path, recording.path), []).append(recording)
    edits: dict[bytes, Entry | None] = {}
    evidence: dict[bytes, tuple[Evidence, ...]] = {}
    for path, decided in asked.items():
        entry = library.trees.entry(after, path)
        text = library.store.read(entry.oid, "blob") if entry is not None and entry.is_file else None
        made, found, problem = _amended(path, text, decided)
        if problem:
            return Amended(after, tuple(files), problem)
        mode = entry.mode if entry is not None and text is not None else decided[0].mode
        if decided[0].kind is Kind.FILE:
            mode = decided[0].mode
        edits[path] = Entry(mode, library.store.write("blob", made)) if made is not None else None
        evidence[path] = found
    if not edits:
        return None
    outcomes = [_outcome(f, edits, evidence) for f in files]
    known = {f.path for f in files}
    for path in edits.keys() - known:
        ours = library.trees.entry(before, path)
        outcomes.append(FileOutcome(path, path, RULE, None, ours, None, edits[path], evidence[path]))
    return Amended(library.trees.edit(after, edits), tuple(outcomes))


def _outcome(file: FileOutcome, edits: dict[bytes, Entry | None], evidence: dict[bytes, tuple[Evidence, ...]]) -> FileOutcome:
    if file.path not in edits:
        return file
    return replace(file, rule=RULE, result=edits[file.path], evidence=(*file.evidence, *evidence[file.path]))


def _amended(path: bytes, text: bytes | None, decided: Sequence[Recording]) -> tuple[bytes | None, tuple[Evidence, ...], str]:
    """One file with everything that was decided about it: its text, the evidence, or what does not fit."""
    found: list[Evidence] = []
    for recording in decided:
        if recording.kind is Kind.FILE:
            if file_key(BY_HAND, recording.path, text, None, None) != recording.key:
                return text, (), f"{show_path(path)} is another file than the one that was changed by hand on {recording.target}"
            text = chosen_text(recording, text, None)
            line = 0
        else:
            spots, fitting = _spots(rows(text or b""), recording)
            if text is None or len(spots) != 1:
                many = "no longer there" if not spots else "there more than once"
                return text, (), f"the lines of {show_path(path)} that were changed by hand on {recording.target} are {many}"
            text, line = _changed(rows(text), spots[0], fitting)
        why = f"changed on {recording.target} by {recording.by} (resolution {recording.key[:12]})"
        function = decode(function_at(text or b"", line))
        found.append(Evidence(RULE, path, function, line, 0, why, (), ("same-lines", "unique")))
    return text, tuple(found), ""


def _spots(lines: Sequence[bytes], recording: Recording) -> tuple[list[int], Recording]:
    """Where the lines stand in their surroundings, white space apart, and the recording with as much of those as fits.

    The outermost surrounding lines are given up one by one, as patch(1) does with fuzz, but never so far that the place is not
    the only one: with two, the first answer stands, which is none or several.
    """
    plain = [row.split() for row in lines]
    above, below = rows(recording.above), rows(recording.below)
    for fuzz in range(max(len(above), len(below)) + 1):
        fitting = replace(recording, above=b"".join(above[fuzz:]), below=b"".join(below[: max(0, len(below) - fuzz)]))
        block = [row.split() for row in rows(fitting.above) + rows(fitting.ours) + rows(fitting.below)]
        if not any(block):
            break
        found = [
            at for at in range(len(plain) - len(block) + 1) if plain[at] == block[0] and plain[at : at + len(block)] == block
        ]
        if found:
            return found, fitting
    return [], recording


def _changed(lines: Sequence[bytes], spot: int, recording: Recording) -> tuple[bytes, int]:
    """The text with the lines replaced, and the number of the first of them (1-based)."""
    start = spot + recording.above.count(b"\n")
    end = start + len(rows(recording.ours))
    crlf = any(row.endswith(b"\r\n") for row in lines[spot:end])
    made = rows(recording.result)
    if crlf != any(row.endswith(b"\r\n") for row in made):
        made = [row.rstrip(b"\r\n") + (b"\r\n" if crlf else b"\n") for row in made]
    return b"".join([*lines[:start], *made, *lines[end:]]), start + 1

"""Decides one file of one patch: taken, merged, already there, or in conflict.

The cases are those of a three-way merge over (upstream before, target, upstream after), in the order of trust: equal ids need
no reading at all, content is merged only when all three are different regular files, and every disagreement about
existence, kind or mode is a conflict of its own name. Renames of the patch are known from its own diff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from backport.git.merge import Merged, Region, Triple
from backport.model.series import TREE, Entry, FileChange
from backport.model.verdict import FileOutcome

UNKNOWN = Entry(-1, "")
"""Stands for what a merge that was not made yet will leave at a path (see `foresee`)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one file: `edits` to the tree, or a `conflict` (its rule) with its regions.

    `source` is the path at which the target has the file that `change` is about. `pending` is the merge that must be made before
    anything can be said.
    """

    change: FileChange
    source: bytes
    outcome: FileOutcome
    edits: Mapping[bytes, Entry | None] = field(default_factory=dict)
    conflict: str = ""
    regions: tuple[Region, ...] = ()
    pending: Triple | None = None


_Side = TypeVar("_Side", int, str)
Lookup = Callable[[bytes], Entry | None]
Merges = Callable[[Triple], Merged | None]


def decide(change: FileChange, at: Lookup, merges: Merges, moved: Mapping[bytes, bytes]) -> Decision:
    """What becomes of `change` where the target holds `at(path)`.

    `moved` tells where the target keeps a file that upstream calls otherwise; it is asked only about a file that is not in its
    place, for the series itself may have made that file since. `merges` makes (or foretells) a merge.
    """
    astray = change.old is not None and at(change.old_path) is None
    source = moved.get(change.old_path, change.old_path) if astray else change.old_path
    goal = source if change.new_path == change.old_path else change.new_path
    ours = at(source)
    case = _Case(change, source, goal, ours)
    if ours == UNKNOWN or (goal != source and at(goal) == UNKNOWN):
        return case.undecided()
    if change.old is None:
        return _added(case)
    if source != change.old_path and (change.new is None or goal != source):
        return case.conflict("deleted")  # both sides took the name away, each in its own manner
    if change.new is None:
        return _deleted(case)
    if goal != source and not _is_free(at(goal)):
        if ours is None and at(goal) == change.new:
            return case.already(at(goal))
        return case.conflict("exists")
    if ours is None:
        return case.conflict("absent")
    return _modified(case, merges)


@dataclass(frozen=True, slots=True)
class _Case:
    """One file with its three sides, and the decisions that can be taken about it."""

    change: FileChange
    source: bytes
    goal: bytes
    ours: Entry | None

    def outcome(self, rule: str, result: Entry | None) -> FileOutcome:
        upstream = self.change.new_path
        return FileOutcome(self.goal, upstream, rule, self.change.old, self.ours, self.change.new, result)

    def undecided(self) -> Decision:
        return self._decision(self.outcome("3-way", None), {self.source: UNKNOWN, self.goal: UNKNOWN})

    def already(self, result: Entry | None) -> Decision:
        return self._decision(self.outcome("already", result))

    def conflict(self, rule: str, regions: tuple[Region, ...] = ()) -> Decision:
        outcome = self.outcome("absent" if rule == "absent" else "conflict", None)
        return Decision(self.change, self.source, outcome, {}, rule, regions)

    def put(self, rule: str, result: Entry | None) -> Decision:
        edits: dict[bytes, Entry | None] = {self.source: None} if self.source != self.goal else {}
        return self._decision(self.outcome(rule, result), edits | {self.goal: result})

    def _decision(self, outcome: FileOutcome, edits: Mapping[bytes, Entry | None] | None = None) -> Decision:
        return Decision(self.change, self.source, outcome, edits or {})


def _added(case: _Case) -> Decision:
    if _is_free(case.ours):
        return case.put("take", case.change.new)
    return case.already(case.ours) if case.ours == case.change.new else case.conflict("exists")


def _deleted(case: _Case) -> Decision:
    if _is_free(case.ours):
        return case.already(None)
    return case.put("take", None) if case.ours == case.change.old else case.conflict("deleted")


def _modified(case: _Case, merges: Merges) -> Decision:
    old, new, ours = case.change.old, case.change.new, case.ours
    if old is None or new is None or ours is None:
        raise ValueError("a modified file has three sides")
    if ours == old:
        return case.put("take", new)
    if ours == new and case.source == case.goal:
        return case.already(ours)
    if not (old.is_file and new.is_file and ours.is_file):
        return case.conflict("kind")
    mode = _three_way(old.mode, ours.mode, new.mode)
    if mode is None:
        return case.conflict("mode")
    oid = _three_way(old.oid, ours.oid, new.oid)
    if oid is not None:
        return case.put("mode" if oid == ours.oid else "take", Entry(mode, oid))
    triple = Triple(old.oid, ours.oid, new.oid)
    merged = merges(triple)
    if merged is None:
        return replace(case.undecided(), pending=triple)
    if merged.result is None:
        return case.conflict("content" if merged.regions else "binary", merged.regions)
    result = Entry(mode, merged.result)
    return case.already(ours) if result == ours and case.source == case.goal else case.put("3-way", result)


def _three_way(base: _Side, ours: _Side, theirs: _Side) -> _Side | None:
    """The side that changed, or the value both agree on; None where both changed it differently."""
    if ours in (base, theirs):
        return theirs
    return ours if theirs == base else None


def _is_free(entry: Entry | None) -> bool:
    """Whether a file may be put there: a folder may be emptied by the same patch, and where it is not, the tree says so."""
    return entry is None or is_folder(entry)


def is_folder(entry: Entry | None) -> bool:
    """Whether a folder stands there."""
    return entry is not None and entry.mode == TREE

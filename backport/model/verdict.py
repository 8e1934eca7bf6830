"""What became of a patch on the target, and the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backport.model.cause import Cause as Cause
from backport.model.evidence import Evidence
from backport.model.series import Entry


class Verdict(StrEnum):
    """The verdicts of a patch; the design document defines each."""

    EXACT = "exact"
    MERGED = "merged"
    RESOLVED = "resolved"
    RECORDED = "recorded"
    SUGGESTED = "suggested"
    SUSPECT = "suspect"
    CONFLICT = "conflict"
    ALREADY_PRESENT = "already-present"
    NOT_APPLICABLE = "not-applicable"
    DROPPED = "dropped"

    @property
    def landed(self) -> bool:
        """Whether the patch made a commit on the target."""
        return self in (Verdict.EXACT, Verdict.MERGED, Verdict.RESOLVED, Verdict.RECORDED, Verdict.SUGGESTED)

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to look before the result may be used."""
        return self in (Verdict.CONFLICT, Verdict.SUSPECT)


@dataclass(frozen=True, slots=True)
class Conflict:
    """One region where target and patch disagree, or one path where they do.

    `rule` says what kind it is: "content" (both sides changed the lines), "absent" (the target has no such file), "exists" (it
    has one that the patch wants to add), "deleted", "mode", "kind" (symlink, submodule, file against folder), "binary".
    `line` is 1-based in the target's file, 0 where there is none. `ours`, `base`, `theirs` are the lines of target, upstream
    before the patch, and upstream after it; empty unless rule is "content".
    """

    path: bytes
    rule: str
    function: str
    line: int
    ours: bytes
    base: bytes
    theirs: bytes
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How one file of a patch was decided, with the ids that let anybody check it again.

    `rule`: "take" (target was identical to the patch's base), "3-way", "already" (the target has the result), "absent",
    "mode", "conflict", or the name of the rule that resolved it. `path` is where it landed, `upstream_path` where upstream
    has it (they differ over a rename). `evidence` has one entry for each hunk that was placed.
    """

    path: bytes
    upstream_path: bytes
    rule: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    result: Entry | None
    evidence: tuple[Evidence, ...] = ()


PLAIN = ("take", "3-way", "already", "absent", "mode", "conflict")
"""What stands in `FileOutcome.rule` where no rule of the ladder had a part in it."""


def rules_of(files: Sequence[FileOutcome]) -> tuple[str, ...]:
    """The rules that resolved some of these files, each once, in order."""
    return tuple(dict.fromkeys(file.rule for file in files if file.rule not in PLAIN))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A whole resolution of a patch in conflict that a person may take: not applied unless asked for.

    `rules` are those that made it, `tree` the target's tree with it, `files` all files of the patch with their results. `diff` is
    what it does to the files in conflict, against the target (unified; '' where nobody asked for it). Of `asked` times that the
    weakest of its rules answered on the corpus it was `right` that often (both 0: not measured). `doubts` are
    what the guard holds against it. `part` is the rule whose figures these are, where rules were never measured together.
    """

    rules: tuple[str, ...]
    tree: str
    files: tuple[FileOutcome, ...]
    diff: bytes = b""
    right: int = 0
    asked: int = 0
    doubts: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class PatchOutcome:
    """What became of one patch. `commit` and `tree` are those of the new commit, empty where none was made.

    `needs` names patches of the series that were left out and that this one builds upon (upstream ids); `reason` is one
    sentence for a person, empty for a patch that landed without remark. `suggestions` are ranked, the best first.
    """

    upstream: str
    subject: str
    verdict: Verdict
    files: tuple[FileOutcome, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    causes: tuple[Cause, ...] = ()
    needs: tuple[str, ...] = ()
    reason: str = ""
    commit: str = ""
    tree: str = ""
    suggestions: tuple[Suggestion, ...] = ()

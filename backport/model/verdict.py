"""What became of a patch on the target, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
class Cause:
    """An upstream commit (or a patch of the series that was left out) that made the difference.

    `why` says how it was found, in words a person can check: "changed lines 786-795 of arch/x86/kvm/mmu.c".
    """

    commit: str
    subject: str
    why: str


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
    "mode", or "conflict". `path` is where it landed, `upstream_path` where upstream has it (they differ over a rename).
    """

    path: bytes
    upstream_path: bytes
    rule: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    result: Entry | None


@dataclass(frozen=True, slots=True)
class PatchOutcome:
    """What became of one patch. `commit` and `tree` are those of the new commit, empty where none was made.

    `needs` names patches of the series that were left out and that this one builds upon (upstream ids); `reason` is one
    sentence for a person, empty for a patch that landed without remark.
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

"""What every rendering counts and how it calls things, so that the console, Markdown and JSON never disagree."""

from __future__ import annotations

import shlex
from typing import Any

from backport.model.evidence import Evidence
from backport.model.finding import Finding, Level
from backport.model.plural import plural
from backport.model.result import RunResult
from backport.model.verdict import PLAIN, Conflict, PatchOutcome, Suggestion, Verdict, rules_of

VERDICT_MEANS = {
    Verdict.EXACT: "the target's files were those that the patch was made for",
    Verdict.MERGED: "three-way merge, clean, and the guard agreed",
    Verdict.RESOLVED: "a named rule resolved it, and the guard agreed",
    Verdict.RECORDED: "a recorded resolution applied, and the guard agreed",
    Verdict.SUGGESTED: "a proposal was applied because you asked for it",
    Verdict.SUSPECT: "it merged cleanly, but the guard does not believe it",
    Verdict.CONFLICT: "target and patch disagree; not applied",
    Verdict.ALREADY_PRESENT: "the target has it already",
    Verdict.NOT_APPLICABLE: "it touches only what the target does not have",
    Verdict.DROPPED: "the series definition leaves it out",
}
CONFLICT_MEANS = {
    "content": "both sides changed these lines",
    "absent": "the target has no such file",
    "exists": "the target already has a file of that name",
    "deleted": "one side deletes the file, the other changes it",
    "mode": "the file modes disagree",
    "kind": "one side has a file, the other a symlink, submodule or folder",
    "binary": "both sides changed a binary file",
}


def counts(result: RunResult) -> dict[Verdict, int]:
    """How many patches have each verdict; every verdict is there, in the order of the model."""
    verdicts = [patch.verdict for patch in result.patches]
    return {verdict: verdicts.count(verdict) for verdict in Verdict}


def finding_counts(result: RunResult) -> dict[Level, int]:
    """How many findings there are of each level; every level is there."""
    levels = [finding.level for finding in result.findings if not finding.accepted]
    return {level: levels.count(level) for level in Level}


def summary(result: RunResult) -> dict[str, Any]:
    """The `summary` object of the document: what a CI job asks for without reading the patches."""
    return {
        "patches": len(result.patches),
        "landed": sum(patch.verdict.landed for patch in result.patches),
        "needs_person": result.needs_person,
        "verdicts": {str(verdict): number for verdict, number in counts(result).items()},
        "findings": {str(level): number for level, number in finding_counts(result).items()},
    }


def ranked(result: RunResult) -> list[Finding]:
    """The findings, the worst level first, otherwise in their own order."""
    return [found for level in Level for found in result.findings if found.level is level]


def unsettled(result: RunResult) -> list[PatchOutcome]:
    """The patches that somebody has to look at, in the order of the series."""
    return [patch for patch in result.patches if patch.verdict.needs_person]


def left_out(result: RunResult) -> list[PatchOutcome]:
    """The patches that made no commit and need nobody: dropped, not applicable, already there."""
    return [patch for patch in result.patches if not patch.verdict.landed and not patch.verdict.needs_person]


def remarked(result: RunResult) -> list[PatchOutcome]:
    """The patches that landed and have a reason beside it."""
    return [patch for patch in result.patches if patch.verdict.landed and patch.reason]


def ruled(result: RunResult) -> list[PatchOutcome]:
    """The patches that landed because rules resolved their conflicts."""
    return [patch for patch in result.patches if patch.verdict.landed and rules_of(patch.files)]


def by_rules(patch: PatchOutcome) -> list[Evidence]:
    """What rules placed of a patch, in the order of its files."""
    return [item for file in patch.files for item in file.evidence if item.rule not in PLAIN]


def measured(suggestion: Suggestion) -> str:
    """How far a suggestion may be trusted, in words."""
    if not suggestion.asked:
        return "never measured"
    share = 100 * suggestion.right // suggestion.asked
    alone = f", measured as {suggestion.part} alone" if suggestion.part else ""
    return f"right in {suggestion.right} of {suggestion.asked} real backports ({share} %{alone})"


def headline(result: RunResult) -> str:
    """The outcome in one sentence without outside text: landed, waiting and left out add up to the whole series."""
    if not result.patches:
        return "the series is empty: nothing was replayed"
    told = summary(result)
    parts = [f"{told['landed']} of {plural(told['patches'], 'patch', 'patches')} landed"]
    waiting = len(unsettled(result))
    if waiting:
        parts.append(f"{waiting} {'needs' if waiting == 1 else 'need'} a person")
    if left_out(result):
        parts.append(f"{len(left_out(result))} left out")
    if not result.needs_person:
        parts.append("nothing needs a person")
    found = [plural(number, level.value) for level, number in finding_counts(result).items() if number]
    return ", ".join(parts) + (f"; findings: {', '.join(found)}" if found else "")


def next_steps(result: RunResult, folder: str, *, embedded: bool = False) -> list[str]:
    """The commands that a packager types next: take the commits, build the package, look at the patches that wait.

    `folder` is where the run wrote; an embedded history has no clone of the user's that could take its commits.
    """
    steps = []
    for made in result.artifacts:
        path = shlex.quote(f"{folder}/{made.path}")
        if made.kind == "bundle" and not embedded:
            branch = f"backport/{result.series}"
            steps.append(f"git -C KERNEL fetch {path} {branch}:{branch}")
        elif made.kind == "srpm":
            steps.append(f"rpmbuild --rebuild {path}")
    if any(suggestion and not suggestion[0].doubts for suggestion in (patch.suggestions for patch in unsettled(result))):
        steps.append(f"backport run {shlex.quote(result.series)} --accept-suggestions")
    steps.extend(f"git -C KERNEL show {patch.upstream[:12]}" for patch in unsettled(result)[:1] if not embedded)
    return steps


def reason(patch: PatchOutcome) -> str:
    """Why a patch did not land, in one short phrase: its own reason, else its first conflict, else what the verdict means."""
    if patch.reason:
        return patch.reason
    if patch.verdict.landed:
        return ""
    if patch.conflicts:
        return CONFLICT_MEANS.get(patch.conflicts[0].rule, patch.conflicts[0].rule)
    return VERDICT_MEANS[patch.verdict]


def conflict_means(conflict: Conflict) -> str:
    """What kind of disagreement it is, in words."""
    return CONFLICT_MEANS.get(conflict.rule, conflict.rule)


def shares(lengths: list[int], budget: int) -> list[int]:
    """How many lines each of several texts may show within `budget`: what a short one leaves, a longer one gets."""
    given = [0] * len(lengths)
    for place, index in enumerate(sorted(range(len(lengths)), key=lambda i: (lengths[i], i))):
        given[index] = min(lengths[index], (budget - sum(given)) // (len(lengths) - place))
    return given

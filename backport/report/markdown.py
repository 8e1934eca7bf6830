"""The outcome as Markdown: for the summary page of a CI job, or to paste into a bug.

Deterministic, ends with a newline. Outside text can do nothing there: ids, paths, subjects and symbols stand in code spans,
where neither HTML nor `@somebody` nor `#1` means anything; sentences are escaped character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backport.model.finding import Finding
from backport.model.plural import plural
from backport.model.proof import Measured
from backport.model.result import RunResult
from backport.model.verdict import Cause, Conflict, PatchOutcome
from backport.report import safe
from backport.report.summary import (
    VERDICT_MEANS,
    by_rules,
    conflict_means,
    counts,
    headline,
    left_out,
    measured,
    ranked,
    reason,
    remarked,
    ruled,
    shares,
    unsettled,
)

EXCERPT = 60
SPECIAL = re.compile(r"[\\`*\[\]#~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})


def render(result: RunResult, boots: Sequence[Measured] = ()) -> str:
    """The whole summary: verdicts, what needs a person with both sides and causes, findings, what was left out or not done."""
    beside = (_ruled(result), _remarked(result), _carried(result), _left_out(result), _not_done(result))
    parts = (_head(result), _unsettled(result), _findings(ranked(result)), _proofs(result, boots), *beside)
    return "\n".join(line for part in parts for line in part) + "\n"


def prose(text: str) -> str:
    """A sentence in which every character means itself: no markup, no HTML, no mention, no issue number."""
    shown = SPECIAL.sub(lambda match: "\\" + match[0], safe.line(text).strip(" ").translate(ENTITIES))
    # The `#` of an entity is none of the text's. Mentions and numbers are looked for after the Markdown is gone, so that only
    # something that ends the word in the page helps against them.
    return re.sub(r"(?:@|\\#)(?=\w)", lambda match: match[0] + "<!-- -->", shown.replace("&\\#124;", "&#124;"))


def code(text: str | bytes) -> str:
    """A code span that shows exactly this text, whatever backticks it has; nothing for an empty text."""
    shown = safe.line(text)
    if not shown.strip(" "):
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def row(*cells: object) -> str:
    """A table row; a pipe inside a code span is the one thing that the span does not protect there."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _head(result: RunResult) -> Iterator[str]:
    yield f"## {prose(result.title or result.series)} onto {code(result.onto)}"
    yield ""
    yield f"**{headline(result)}.**"
    yield ""
    tip = f"new tip {code(result.tip[:12])}" if result.tip else "no new tip"
    yield f"Target {code(result.onto_commit[:12])}, kernel {code(result.kernel_version)}, {tip}, by {prose(result.tool)}."
    if not result.patches:
        return
    yield ""
    yield "| verdict | patches | |"
    yield "|---|---:|---|"
    for verdict, number in counts(result).items():
        if number:
            yield row(verdict, number, VERDICT_MEANS[verdict])


def _unsettled(result: RunResult) -> Iterator[str]:
    if not unsettled(result):
        return
    yield from ("", "### Needs a person")
    for patch in unsettled(result):
        yield from ("", f"#### {patch.verdict}: {_patch(patch)}")
        if patch.reason:
            yield from ("", prose(patch.reason))
        for conflict in patch.conflicts:
            yield from _conflict(conflict, patch, result.onto)
        yield from _causes(patch.causes)
        yield from _needs(patch)
        yield from _suggestions(patch)


def _suggestions(patch: PatchOutcome) -> Iterator[str]:
    for number, suggestion in enumerate(patch.suggestions, 1):
        yield from ("", f"Suggestion {number}, by {code(', '.join(suggestion.rules))}, {measured(suggestion)}:")
        for doubt in suggestion.doubts:
            yield from ("", f"But {prose(doubt)}.")
        if suggestion.diff:
            lines, more = safe.excerpt(suggestion.diff, EXCERPT)
            lines = [*lines, *([f"… {plural(more, 'more line')}"] if more else [])]
            fence = "`" * max(3, *(_longest_run(line) + 1 for line in lines))
            yield from ("", f"{fence}diff", *lines, fence)


def _ruled(result: RunResult) -> Iterator[str]:
    if not ruled(result):
        return
    yield from ("", "### Resolved by rules", "")
    for patch in ruled(result):
        yield f"- {patch.verdict}: {_patch(patch)}"
        for item in by_rules(patch):
            line = f" line {item.line}" if item.line else ""
            function = f" in {code(item.function)}" if item.function else ""
            yield f"  - {code(item.path)}{line}{function}: {code(item.rule)}: {prose(item.why)}"
            for cause in item.causes:
                yield f"    - because of {_cause(cause)}"


def _conflict(conflict: Conflict, patch: PatchOutcome, onto: str) -> Iterator[str]:
    place = code(conflict.path) + (f" line {conflict.line}" if conflict.line else "")
    function = f" in {code(conflict.function)}" if conflict.function else ""
    yield from ("", f"{place}{function}: {conflict_means(conflict)}")
    if conflict.rule == "content":
        lines = _sides(conflict, patch.upstream[:12], safe.line(onto))
        fence = "`" * max(3, *(_longest_run(line) + 1 for line in lines))
        yield from ("", fence, *lines, fence)
    yield from _causes(conflict.causes)


def _sides(conflict: Conflict, theirs: str, onto: str) -> list[str]:
    sides = ((f"<<<<<<< {onto}", conflict.ours), (f"||||||| {theirs}^", conflict.base), (f"======= {theirs}", conflict.theirs))
    shown = [safe.excerpt(raw, EXCERPT) for _, raw in sides]
    given = shares([len(lines) for lines, _ in shown], EXCERPT)
    made = []
    for (label, _), (lines, more), share in zip(sides, shown, given, strict=True):
        hidden = more + len(lines) - share
        made += [label, *lines[:share], *([f"… {plural(hidden, 'more line')}"] if hidden else [])]
    return [*made, ">>>>>>>"]


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield from (
        "",
        "### Findings",
        "",
        "| level | kind | symbol | where | upstream | target | introduced by | hint |",
        "|" + "---|" * 8,
    )
    for found in findings:
        where = f"{code(found.path)} line {found.line}, {code(found.patch[:12])}"
        by = _cause(found.introduced_by) if found.introduced_by else ""
        sides = (prose(found.upstream), prose(found.target))
        hint = f"accepted: {found.accepted}" if found.accepted else found.hint
        yield row(found.level, prose(found.kind), code(found.symbol), where, *sides, by, prose(hint))


def _remarked(result: RunResult) -> Iterator[str]:
    if not remarked(result):
        return
    yield from ("", "### Landed with a remark", "")
    for patch in remarked(result):
        yield f"- {patch.verdict}: {_patch(patch)}: {prose(patch.reason)}"


def _carried(result: RunResult) -> Iterator[str]:
    if not result.carried:
        return
    yield from ("", "### Carried over", "")
    for one in result.carried:
        yield f"- {code(one.commit[:12])} {code(one.subject)}: {prose(one.told)}"


def _left_out(result: RunResult) -> Iterator[str]:
    if not left_out(result):
        return
    yield from ("", "### Left out", "")
    for patch in left_out(result):
        yield f"- {patch.verdict}: {_patch(patch)}: {prose(reason(patch))}"
        for cause in patch.causes:
            yield f"  - because of {_cause(cause)}"


def _proofs(result: RunResult, boots: Sequence[Measured]) -> Iterator[str]:
    if not result.proofs:
        return
    yield from ("", "### Proofs", "", "| proof | what | with | outcome | |", "|---|---|---|---|---|")
    for proof in result.proofs:
        said = f"{proof.outcome}" + ("" if proof.as_expected else " (!)")
        why = prose(proof.why) or (f"{sum(c.outcome == 'ok' for c in proof.checks)} checks ok" if proof.checks else "")
        yield row(proof.kind, code(proof.subject), prose(proof.setup), said, why)
    for boot in boots:
        figures = ", ".join(f"{prose(m.name)} {m.value} {prose(m.unit)}" for m in boot.measures)
        yield from ("", f"{boot.kind}, {prose(boot.setup)}: {figures}")


def _not_done(result: RunResult) -> Iterator[str]:
    if not result.skipped:
        return
    yield from ("", "### Not done", "")
    for item in result.skipped:
        then = f": {code(item.then)}" if item.then else ""
        yield f"- {prose(item.stage)}: {prose(item.what)}, because {prose(item.why)}{then}"


def _patch(patch: PatchOutcome) -> str:
    return f"{code(patch.upstream[:12])} {code(patch.subject)}"


def _cause(cause: Cause) -> str:
    return f"{code(cause.commit[:12])} {code(cause.subject)}" + (f": {prose(cause.why)}" if cause.why else "")


def _causes(causes: Sequence[Cause]) -> Iterator[str]:
    if causes:
        yield ""
    for cause in causes:
        yield f"- because of {_cause(cause)}"


def _needs(patch: PatchOutcome) -> Iterator[str]:
    if patch.needs:
        yield from ("", f"Builds on {', '.join(code(need[:12]) for need in patch.needs)}, left out.")

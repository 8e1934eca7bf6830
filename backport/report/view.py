"""What the console shows, as rich renderables: tables and trees built from the model, nothing printed.

All text from outside goes through `safe` and into `Text`, never into markup: `[SCSI]` stays a word of a subject. Colour says
only what a word beside it says too, so that nothing is lost without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from backport.model.definition import Definition
from backport.model.finding import Finding, Level
from backport.model.plural import plural
from backport.model.result import Artifact, RunResult, Skipped
from backport.model.verdict import Cause, Conflict, PatchOutcome, Verdict
from backport.report import safe
from backport.report.lines import GUIDE as GUIDE
from backport.report.lines import text as text
from backport.report.summary import (
    VERDICT_MEANS,
    conflict_means,
    counts,
    left_out,
    reason,
    remarked,
    shares,
    unsettled,
)

EXCERPT = 20
NOTES = 10
NARROW = 72
STYLE = {
    Verdict.EXACT: "green",
    Verdict.MERGED: "green",
    Verdict.RESOLVED: "cyan",
    Verdict.RECORDED: "cyan",
    Verdict.SUGGESTED: "yellow",
    Verdict.SUSPECT: "bold yellow",
    Verdict.CONFLICT: "bold red",
    Verdict.ALREADY_PRESENT: "blue",
    Verdict.NOT_APPLICABLE: "blue",
    Verdict.DROPPED: "blue",
}
LEVEL_STYLE = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "blue"}


def mark(verdict: Verdict) -> str:
    """One character for a verdict: landed, refused, doubtful, left out."""
    if verdict.landed:
        return "✓"
    return {Verdict.CONFLICT: "✗", Verdict.SUSPECT: "?"}.get(verdict, "·")


def patch_lines(number: int, digits: int, patch: PatchOutcome, width: int) -> list[Text]:
    """One patch as it is decided: its line, and below it why, where it did not land. Never wider than `width` cells."""
    style = STYLE[patch.verdict]
    lead = f"{number:>{digits}} " if width >= NARROW else ""
    word = f"{patch.verdict.value:<15} " if width >= NARROW else ""
    said = text(
        (f"{lead}", GUIDE), (f"{mark(patch.verdict)} {word}", style), (patch.upstream[:12] + " ", "cyan"), (patch.subject, "")
    )
    lines = [said]
    if not patch.verdict.landed:
        told = reason(patch) if width >= NARROW else f"{patch.verdict.value}: {reason(patch)}"
        indent = " " * (cell_len(lead) + 2 + cell_len(word))
        lines.append(text((indent + told, GUIDE)))
    for made in lines:
        made.truncate(width, overflow="ellipsis")
    return lines


def heading(result: RunResult) -> Text:
    """What was taken where: the title, the target as the user named it, its commit, and the tip that came of it."""
    made = text(
        (result.title or result.series, "bold"), (" onto ", ""), (result.onto, "bold"), (f" ({result.onto_commit[:12]})", GUIDE)
    )
    if result.kernel_version and result.kernel_version.lstrip("v") not in result.onto:
        made.append_text(text((f", kernel {result.kernel_version}", "")))
    made.append_text(text((", new tip ", ""), (result.tip[:12], "cyan")) if result.tip else text((", no new tip", "")))
    return made


def verdict_table(result: RunResult) -> Table:
    """How many patches have which verdict and what that verdict means; verdicts that nobody has are left out."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    had = {verdict: number for verdict, number in counts(result).items() if number}
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for verdict, number in had.items():
        name = Text(f"{mark(verdict)} {verdict.value}", STYLE[verdict])
        table.add_row(Text(str(number), STYLE[verdict]), name, text((VERDICT_MEANS[verdict], GUIDE), crop=True))
    return table


def person_tree(result: RunResult, suggestions: Callable[[Tree, PatchOutcome], None]) -> Tree:
    """Every patch that waits for somebody: each conflict with both sides and its causes, and what the patch builds upon.

    `suggestions` adds what rules would do about it.
    """
    tree = _tree("Needs a person", "bold red")
    for patch in unsettled(result):
        branch = tree.add(patch_label(patch))
        if patch.reason:
            branch.add(text((patch.reason, "")))
        for conflict in patch.conflicts:
            _add_conflict(branch, conflict, patch, result.onto)
        told = {cause for conflict in patch.conflicts for cause in conflict.causes}
        add_causes(branch, [cause for cause in patch.causes if cause not in told])
        _add_needs(branch, patch, result)
        suggestions(branch, patch)
    return tree


def waiting_tree(patch: PatchOutcome) -> Tree:
    """One patch that waits for somebody: why, where, and who made the difference. Its lines are in the worktree."""
    tree = Tree(patch_label(patch), guide_style=GUIDE)
    if patch.reason:
        tree.add(text((patch.reason, "")))
    for conflict in patch.conflicts:
        leaf = tree.add(_conflict_label(conflict))
        add_causes(leaf, conflict.causes)
    told = {cause for conflict in patch.conflicts for cause in conflict.causes}
    add_causes(tree, [cause for cause in patch.causes if cause not in told])
    return tree


def left_out_tree(result: RunResult) -> Tree:
    """Every patch that made no commit and needs nobody, each with why, so that none goes missing in silence."""
    tree = _tree("Left out", "bold")
    for patch in left_out(result):
        branch = tree.add(patch_label(patch))
        branch.add(text((reason(patch), GUIDE)))
        add_causes(branch, patch.causes)
        _add_needs(branch, patch, result)
    return tree


def remark_tree(result: RunResult) -> Tree:
    """Every patch that landed with something to be said about it: a prerequisite that was put in front of another, say."""
    tree = _tree("Landed with a remark", "bold")
    for patch in remarked(result):
        tree.add(patch_label(patch)).add(text((patch.reason, GUIDE)))
    return tree


def carried_tree(result: RunResult) -> Tree:
    """The patches that an earlier revision had already: which one there, why it is the same, and what it was."""
    tree = _tree("Carried over", "bold")
    for one in result.carried:
        tree.add(text((one.commit[:12] + " ", "cyan"), (one.subject, ""))).add(text((one.told, GUIDE)))
    return tree


def finding_tree(findings: Sequence[Finding]) -> Tree:
    """Every finding at its place: what each side has, who made the difference, the way out. Of many notes only the first."""
    tree = _tree("Findings", "bold")
    notes = [found for found in findings if found.level is Level.NOTE]
    shown = [found for found in findings if found.level is not Level.NOTE] + notes[:NOTES]
    for found in shown:
        label = text((found.level.value, LEVEL_STYLE[found.level]), (f" {found.kind} ", ""), (found.symbol, "bold"))
        branch = tree.add(label)
        branch.add(text((found.path, ""), (f":{found.line}", ""), (" as of ", GUIDE), (found.patch[:12], "cyan")))
        for name, value in (("upstream", found.upstream), ("target", found.target)):
            if value:
                branch.add(text((f"{name:<8} ", GUIDE), (value, "")))
        add_causes(branch, (found.introduced_by,) if found.introduced_by else ())
        if found.accepted:
            branch.add(text(("accepted ", "green"), (found.accepted, "")))
        if found.hint:
            branch.add(text(("hint     ", GUIDE), (found.hint, "")))
    if len(findings) > len(shown):
        tree.add(Text(f"… {plural(len(findings) - len(shown), 'more note')} in report.json", GUIDE))
    return tree


def skipped_tree(skipped: Sequence[Skipped]) -> Tree:
    """What was not done or not checked, why, and the command that would change that."""
    tree = _tree("Not done", "bold yellow")
    for item in skipped:
        branch = tree.add(text((item.stage, "bold"), (f": {item.what}", "")))
        branch.add(text((item.why, GUIDE)))
        if item.then:
            branch.add(text(("$ ", GUIDE), (item.then, "")))
    return tree


def written_table(artifacts: Sequence[Artifact], folder: str) -> Table:
    """Where everything that was written is: one row a file, many files of one kind as their folder and number."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    kinds: dict[str, list[str]] = {}
    for artifact in artifacts:
        kinds.setdefault(artifact.kind, []).append(f"{folder.rstrip('/')}/{artifact.path}" if folder else artifact.path)
    for kind, paths in kinds.items():
        if len(paths) > 3:
            shown = text((paths[0].rpartition("/")[0] + "/", ""), (f" ({len(paths)} files)", GUIDE))
            table.add_row(text((kind, GUIDE)), shown)
            continue
        for place in paths:
            table.add_row(text((kind, GUIDE)), text((place, "")))
    return table


def series_table(definitions: Sequence[Definition]) -> Table:
    """The series there are: name, title, target, number of commits, file."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("series", no_wrap=True)
    table.add_column("title", overflow="fold")
    table.add_column("onto", no_wrap=True)
    table.add_column("commits", justify="right", no_wrap=True)
    table.add_column("where", overflow="fold")
    for item in definitions:
        cells = (text((item.name, "bold")), text((item.title, "")), text((item.onto, "")), Text(str(len(item.commits))))
        table.add_row(*cells, text((str(item.source), GUIDE)))
    return table


def definition_tree(definition: Definition) -> Tree:
    """A definition: its commits under their topics in order, and what it leaves out with the reasons."""
    tree = Tree(text((definition.name, "bold"), (f"  {definition.title}", "")), guide_style=GUIDE)
    known = {topic.file: topic.title for topic in definition.topics}
    named = dict.fromkeys([*known, *(item.topic for item in definition.commits)])
    for topic in named:
        mine = [item for item in definition.commits if item.topic == topic]
        name = topic or "commits"
        branch = tree.add(
            text((name, "bold"), (f"  {known.get(topic, '')}" if known.get(topic) else "", ""), (f"  ({len(mine)})", GUIDE))
        )
        for item in mine:
            branch.add(text((item.commit[:12] + " ", "cyan"), (item.subject, ""), crop=True))
    if definition.drops:
        branch = tree.add(text(("left out", "bold"), (f"  ({len(definition.drops)})", GUIDE)))
        for drop in definition.drops:
            leaf = branch.add(text((drop.commit[:12] + " ", "cyan"), (drop.subject, ""), crop=True))
            leaf.add(text((drop.reason, GUIDE)))
    return tree


def definition_table(definition: Definition) -> Table:
    """Where a definition comes from, where it goes and what it switches on."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style=GUIDE)
    table.add_column(overflow="fold")
    config = " ".join(f"CONFIG_{item.symbol}={item.value}" for item in definition.config)
    rows = (
        ("upstream", definition.repository),
        ("range", definition.range),
        ("onto", definition.onto),
        ("config", config),
        ("file", str(definition.source)),
    )
    for name, value in rows:
        if value:
            table.add_row(Text(name), text((value, "")))
    return table


def excerpt(conflict: Conflict, theirs: str, onto: str) -> RenderableType:
    """Both sides and their base between git's own markers, at most EXCERPT lines of content, and how many more there are."""
    sides = (
        (f"<<<<<<< {onto}", conflict.ours, "red"),
        (f"||||||| {theirs}^", conflict.base, GUIDE),
        (f"======= {theirs}", conflict.theirs, "green"),
    )
    shown = [safe.excerpt(raw, EXCERPT) for _, raw, _ in sides]
    given = shares([len(lines) for lines, _ in shown], EXCERPT)
    grid = Table.grid()
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for (label, _, style), (lines, more), share in zip(sides, shown, given, strict=True):
        grid.add_row(text((label, GUIDE)))
        for each in lines[:share]:
            grid.add_row(Text(each, style))
        if more + len(lines) - share:
            grid.add_row(Text(f"… {more + len(lines) - share} more lines", "italic " + GUIDE))
    grid.add_row(text((">>>>>>>", GUIDE)))
    return grid


def _tree(title: str, style: str) -> Tree:
    return Tree(Text(title, style), guide_style=GUIDE)


def patch_label(patch: PatchOutcome) -> Text:
    """Verdict, id and subject."""
    style = STYLE[patch.verdict]
    said = (f"{mark(patch.verdict)} {patch.verdict.value} ", style)
    return text(said, (patch.upstream[:12] + " ", "cyan"), (patch.subject, ""))


def _conflict_label(conflict: Conflict) -> Text:
    place = text((conflict.path, "bold"))
    if conflict.line:
        place.append(f":{conflict.line}", "bold")
    if conflict.function:
        place.append_text(text((f" in {conflict.function}", "")))
    place.append(f" — {conflict_means(conflict)}", GUIDE)
    return place


def _add_conflict(branch: Tree, conflict: Conflict, patch: PatchOutcome, onto: str) -> None:
    leaf = branch.add(_conflict_label(conflict))
    if conflict.rule == "content":
        leaf.add(excerpt(conflict, patch.upstream[:12], onto))
    add_causes(leaf, conflict.causes)


def add_causes(branch: Tree, causes: Sequence[Cause]) -> None:
    """A leaf for each cause."""
    for cause in causes:
        label = text(("because of ", GUIDE), (cause.commit[:12] + " ", "cyan"), (cause.subject, ""))
        if cause.why:
            label.append_text(text((f" — {cause.why}", GUIDE)))
        branch.add(label)


def _add_needs(branch: Tree, patch: PatchOutcome, result: RunResult) -> None:
    subjects = {other.upstream: other.subject for other in result.patches}
    for need in patch.needs:
        branch.add(
            text(("builds on ", GUIDE), (need[:12] + " ", "cyan"), (subjects.get(need, ""), ""), (", which was left out", GUIDE))
        )

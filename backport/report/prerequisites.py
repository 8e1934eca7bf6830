"""Prerequisites with their price list: as a tree for a person, as JSON for a CI job."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from backport.model import codec
from backport.model.plural import plural
from backport.model.prerequisites import Adaptation, Candidate, Needed, Plan
from backport.model.result import Skipped
from backport.report import safe
from backport.report.view import GUIDE, STYLE, mark, skipped_tree, text

SCHEMA = "backport-prerequisites/1"
_EXCERPT = 12
_LONG = 4  # picks: a longer plan is shown without how each was found


def dump(onto: str, needed: Sequence[Needed], skipped: Sequence[Skipped]) -> bytes:
    """Everything that was found, in the order of the series; deterministic, one trailing newline."""
    document = {
        "schema": SCHEMA,
        "onto": onto,
        "patches": [codec.encode(found) for found in needed],
        "skipped": [codec.encode(item) for item in skipped],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def plan_tree(onto: str, needed: Sequence[Needed], skipped: Sequence[Skipped] = ()) -> Tree:
    """Each patch that does not land, who made the difference, and the plans in their order."""
    tree = Tree(text(("Needed first on ", "bold"), (onto, "bold")), guide_style=GUIDE)
    if not needed:
        tree.add(Text("nothing: every patch lands, or is there already", "green"))
    for found in needed:
        said = (f"{mark(found.verdict)} {found.verdict.value} ", STYLE[found.verdict])
        branch = tree.add(text(said, (found.commit[:12] + " ", "cyan"), (found.subject, "")))
        branch.add(text((_trouble(found), "")))
        if found.candidates:
            who = branch.add(Text("made the difference", "bold"))
            who.add(_candidates(found.candidates))
        for number, plan in enumerate(found.plans, 1):
            _add_plan(branch, number, plan, found)
        if found.skipped:
            branch.add(skipped_tree(found.skipped))
    if skipped:
        tree.add(skipped_tree(skipped))
    return tree


def _trouble(found: Needed) -> str:
    told = [plural(found.conflicts, "conflict")] if found.conflicts else []
    if found.symbols:
        names = ", ".join(found.symbols[:4]) + (f" and {len(found.symbols) - 4} more" if len(found.symbols) > 4 else "")
        told.append(f"{plural(len(found.symbols), 'missing name')}: {names}")
    return ", ".join(told) or found.reason


def _candidates(candidates: Sequence[Candidate]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for found in candidates:
        table.add_row(text((found.commit[:12], "cyan")), text((found.subject, "")))
        gone = f"{found.gone} of {plural(found.conflicts, 'conflict')} gone with it" if found.gone else ""
        landed = "applies as it is" if found.alone.landed else f"alone: {found.alone.value}"
        small = f"incidental: {found.incidental}" if found.incidental else ""
        facts = [found.role.value, landed, gone, f"+{found.added} -{found.removed}", small]
        table.add_row(Text(""), text((" · ".join(filter(None, facts)), GUIDE)))
        table.add_row(Text(""), text((found.why, GUIDE)))
    return table


def price(plan: Plan) -> str:
    """What a plan does and costs: "pick 2 commits first: 5 of 5 conflicts gone, +41 -7 lines, no further prerequisites"."""
    gone = []
    if plan.conflicts_before and plan.picks:
        gone.append(f"{plan.conflicts} of {plural(plan.conflicts_before, 'conflict')} gone")
    if plan.symbols_before and plan.picks:
        gone.append(f"{plan.symbols} of {plural(plan.symbols_before, 'missing name')} there")
    if plan.picks:
        gone.append(f"+{plan.added} -{plan.removed} lines")
    if plan.complete:
        gone.append("no further prerequisites")
    if plan.adapt:
        gone.append(f"{'then ' if plan.picks else ''}adapt {plural(sum(a.lines for a in plan.adapt), 'line')}")
    first = f"pick {plural(len(plan.picks), 'commit')} first: " if plan.picks else ""
    return first + ", ".join(gone)


def _add_plan(branch: Tree, number: int, plan: Plan, found: Needed) -> None:
    style = "green" if plan.complete else "yellow"
    label = text((f"plan {number} ", "bold"), (price(plan), style))
    if plan.picks:
        label.append_text(text((f" · tree {plan.tree[:12]}", GUIDE)))
    leaf = branch.add(label)
    for pick in plan.picks:
        label = text((f"{mark(pick.verdict)} ", STYLE[pick.verdict]), (pick.commit[:12] + " ", "cyan"), (pick.subject, ""))
        if pick.needed_by != found.commit:
            label.append_text(text((f" · for {pick.needed_by[:12]}", GUIDE)))
        said = leaf.add(label)
        if len(plan.picks) <= _LONG:
            said.add(text((pick.why, GUIDE)))
    for adapted in plan.adapt:
        _add_adaptation(leaf, adapted)


def _add_adaptation(leaf: Tree, adapted: Adaptation) -> None:
    place = text((adapted.path, "bold"), (f":{adapted.line}" if adapted.line else "", "bold"))
    if adapted.function:
        place.append_text(text((f" in {adapted.function}", "")))
    if adapted.hint:
        place.append_text(text((f" — {adapted.hint}", GUIDE)))
    shown = leaf.add(place)
    for sign, raw, style in ((" ", adapted.target, GUIDE), ("-", adapted.removes, "red"), ("+", adapted.adds, "green")):
        lines, more = safe.excerpt(raw, _EXCERPT)
        for line in lines:
            shown.add(Text(f"{sign} {line}", style, no_wrap=True, overflow="ellipsis"))
        if more:
            shown.add(Text(f"{sign} … {plural(more, 'more line')}", "italic " + GUIDE))

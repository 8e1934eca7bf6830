"""Follow-ups: as a tree for a person, as JSON for a CI job."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from backport.model import codec
from backport.model.followups import FollowUp, Rank
from backport.model.plural import plural
from backport.model.result import Skipped
from backport.model.verdict import Verdict
from backport.report.view import GUIDE, skipped_tree, text

SCHEMA = "backport-fixes/1"
_STYLE = {Rank.MANDATORY: "bold red", Rank.LIKELY: "yellow", Rank.MAYBE: "blue"}
_MEANS = {
    Rank.MANDATORY: "without it the series ships a known defect",
    Rank.LIKELY: "it fixes something close by",
    Rank.MAYBE: "it changes what the series brought",
}
_SHOWN = 10  # of those that may matter
_REASONS = 3


def dump(onto: str, until: str, found: Sequence[FollowUp], skipped: Sequence[Skipped]) -> bytes:
    """Everything that was found, the most needed first; deterministic, one trailing newline."""
    document = {
        "schema": SCHEMA,
        "onto": onto,
        "until": until,
        "summary": {rank.value: sum(each.rank is rank for each in found) for rank in Rank},
        "commits": [codec.encode(each) for each in found],
        "skipped": [codec.encode(item) for item in skipped],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def fix_tree(onto: str, until: str, found: Sequence[FollowUp], skipped: Sequence[Skipped], *, everything: bool = False) -> Tree:
    """The follow-ups by rank, each with its reasons and what the target has of it."""
    tree = Tree(text(("Follow-ups until ", "bold"), (until, "bold"), (f", looked for in {onto}" if onto else "", "")))
    tree.guide_style = GUIDE
    for rank in Rank:
        mine = [each for each in found if each.rank is rank]
        if not mine:
            continue
        branch = tree.add(text((f"{rank.value} ", _STYLE[rank]), (f"({len(mine)}) {_MEANS[rank]}", GUIDE)))
        shown = mine if everything or rank is not Rank.MAYBE else mine[:_SHOWN]
        for each in shown:
            leaf = branch.add(text((each.commit[:12] + " ", "cyan"), (each.subject, ""), (_target(each), GUIDE)))
            for trace in each.traces[: 1 if rank is Rank.MAYBE else _REASONS]:
                place = text((f", line {trace.line}", GUIDE)) if trace.line else Text()
                leaf.add(text((trace.why, GUIDE)).append_text(place))
        if len(mine) > len(shown):
            branch.add(Text(f"… {plural(len(mine) - len(shown), 'more commit')} (--all)", GUIDE))
    if not found:
        tree.add(Text("nothing later touches what was brought", "green"))
    if skipped:
        tree.add(skipped_tree(skipped))
    return tree


def _target(each: FollowUp) -> str:
    if each.target is None:
        return ""
    if each.target is Verdict.ALREADY_PRESENT:
        return " · the target has it"
    return " · missing, applies" if each.target.landed else f" · missing, {each.target.value}"

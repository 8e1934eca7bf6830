"""What rules did and what they would do, for the console: each place with its reason, each suggestion with its diff."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from backport.model.result import RunResult
from backport.model.verdict import PatchOutcome, Suggestion
from backport.report import safe
from backport.report.summary import by_rules, measured, ruled
from backport.report.view import GUIDE, add_causes, patch_label, text

LINES = 24  # of a diff; where the rest is, is said
_STYLE = {"+": "green", "-": "red", "@": "cyan"}


def resolved_tree(result: RunResult) -> Tree:
    """Every patch that landed by rules: what each rule placed where, why that is right, and who made it necessary."""
    tree = Tree(Text("Resolved by rules", "bold"), guide_style=GUIDE)
    for patch in ruled(result):
        branch = tree.add(patch_label(patch))
        for item in by_rules(patch):
            place = text((item.path, "bold"), (f":{item.line}" if item.line else "", "bold"))
            if item.function:
                place.append_text(text((f" in {item.function}", "")))
            place.append_text(text((f" — {item.rule}: {item.why}", GUIDE)))
            add_causes(branch.add(place), item.causes)
    return tree


def add_suggestions(branch: Tree, patch: PatchOutcome, rest: Callable[[Suggestion], str] = lambda _: "in report.json") -> None:
    """What the rules suggest for a patch, the best first: how often they were right, what is held against it, its diff.

    `rest` says where a long diff goes on.
    """
    for number, suggestion in enumerate(patch.suggestions, 1):
        label = text(
            (f"suggestion {number} ", "bold"), (", ".join(suggestion.rules), "cyan"), (f" — {measured(suggestion)}", GUIDE)
        )
        leaf = branch.add(label)
        for doubt in suggestion.doubts:
            leaf.add(text(("but ", "yellow"), (doubt, "")))
        if suggestion.diff:
            leaf.add(_diff(suggestion, rest(suggestion)))


def _diff(suggestion: Suggestion, rest: str) -> RenderableType:
    lines, more = safe.excerpt(suggestion.diff, LINES)
    shown = Text("\n").join(Text(line, _STYLE.get(line[:1], "")) for line in lines)
    if more:
        shown.append(f"\n… {more} more lines {rest}", "italic " + GUIDE)
    return shown

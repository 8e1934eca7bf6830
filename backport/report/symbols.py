"""A name in several versions, as a tree."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from backport.model.symbols import SymbolAnswers
from backport.report.view import GUIDE, text

_MOST = 12


def symbol_tree(name: str, answers: SymbolAnswers) -> Tree:
    """Each version with its declarations, then the commits between that changed lines with the name."""
    tree = Tree(text((name, "bold")), guide_style=GUIDE)
    for revision, declared in answers.versions:
        branch = tree.add(text((revision, "cyan"), ("" if declared else " does not declare it", "")))
        for found in declared[:_MOST]:
            place = text((found.path, ""), (f":{found.line} ", ""), (found.kind, GUIDE))
            branch.add(place).add(text((found.signature, "")))
        if len(declared) > _MOST:
            branch.add(Text(f"… {len(declared) - _MOST} more", GUIDE))
    if len(answers.versions) > 1 and not answers.differ:
        tree.add(Text("the same in all of them", "green"))
    if answers.commits:
        branch = tree.add(Text("changed by", "bold"))
        for cause in answers.commits[:_MOST]:
            branch.add(text((cause.commit[:12] + " ", "cyan"), (cause.subject, "")))
        if len(answers.commits) > _MOST:
            branch.add(Text(f"… {len(answers.commits) - _MOST} more", GUIDE))
    return tree

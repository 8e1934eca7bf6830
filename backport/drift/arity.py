"""Calls on added lines with a number of arguments that the target's declaration does not take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from backport.csource.outline import Declaration
from backport.csource.uses import Use
from backport.drift.side import Place
from backport.drift.view import Missing, View

_KINDS = ("function", "prototype", "macro")
_MANY = 1000
_BRACKETS = re.compile(rb"[()\[\],]")

Takes = tuple[int, int]  # from, to: a number of arguments


def changed_arity(view: View, uses: Iterable[Use]) -> Iterator[Missing]:
    """Calls that fit upstream's declaration and none of the target's. 8e753dd0a82b on 2.6.31: genlmsg_unicast had no `net` yet.

    Every declaration in sight counts, those of all branches of #if. Says nothing where one of them is unclear: a variable, a
    type, a macro without parameters that stands for another name, a head of more than 240 bytes.
    """
    calls = [use for use in uses if use.role == "call" and use.arguments >= 0 and not use.scope]
    calls = [use for use in calls if use.name not in view.overlay.names | view.overlay.reshaped]
    if not calls:
        return
    here = view.declared({use.name for use in calls})
    doubtful = []
    for use in calls:
        takes = accepted(here.get(use.name, ()))
        if takes and not _fits(use.arguments, takes):
            doubtful.append(use)
    there = view.upstream_declared({use.name for use in doubtful}) if doubtful else {}
    for use in doubtful:
        places = there.get(use.name, [])
        if _fits(use.arguments, accepted(places) or []):
            told = ", ".join(str(place) for place in here[use.name][:1])
            spelled = here[use.name][0].declaration.signature.decode("utf-8", "replace")
            target = f"{told} takes another number of arguments than {use.arguments}: {spelled}"
            yield Missing(use.name, "arity-changed", view.change.path, use.line, places[0], target)


def accepted(places: Sequence[Place]) -> list[Takes] | None:
    """The numbers of arguments that some declarations of one name take; None where one of them cannot be told."""
    found = []
    for place in places:
        if place.declaration.kind in ("forward", "struct", "union", "enum"):
            continue
        takes = parameters(place.declaration)
        if takes is None:
            return None
        found.append(takes)
    return found


def parameters(declaration: Declaration) -> Takes | None:
    """How many arguments a function or function-like macro takes, by its head; None where the head does not tell."""
    head, name = declaration.signature, declaration.name
    if declaration.kind not in _KINDS:
        return None
    match = re.search(rb"\b" + re.escape(name) + (rb"\(" if declaration.kind == "macro" else rb"\s*\)?\s*\("), head)
    if match is None:
        return None
    depth, commas, start = 1, 0, match.end()
    for bracket in _BRACKETS.finditer(head, start):
        if bracket.group() == b",":
            commas += depth == 1
            continue
        depth += 1 if bracket.group() in b"([" else -1
        if depth == 0:
            return _counted(head[start : bracket.start()].strip(), commas, declaration.kind)
    return None


def _counted(inside: bytes, commas: int, kind: str) -> Takes | None:
    if not inside:
        return (0, 0) if kind == "macro" else None  # `int f()` takes anything
    if inside == b"void":
        return 0, 0
    if b"..." in inside:
        return commas, _MANY
    least = 0 if kind == "macro" and not commas else commas + 1  # `m()` gives a macro of one parameter an empty one
    return least, commas + 1


def _fits(count: int, takes: Iterable[Takes]) -> bool:
    return any(low <= count <= high for low, high in takes)

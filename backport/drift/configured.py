"""Names that the target declares only under a configuration which the code that uses them does not depend on.

Upstream is the judge: told is only a condition that upstream's declaration does not have. Where one declaration stands for each
branch (a function and its empty stub) there is no condition. May be wrong where the using file is only built with a symbol
that implies the condition by Kconfig: `depends on` is not followed, only the Makefiles are (see `built`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backport.csource.conditions import Wanted, conditions
from backport.csource.uses import Use
from backport.drift.built import built
from backport.drift.side import Place, Side, fits
from backport.drift.view import Missing, View

_PASSING = ("forward", "made")


def only_configured(view: View, uses: Iterable[Use]) -> Iterator[Missing]:
    """The uses that need a CONFIG_ symbol in the target and not upstream: something to look at, never an error."""
    asked = [use for use in uses if use.role in ("call", "name", "tag") and not use.scope and use.name not in view.overlay.names]
    here = view.declared({use.name for use in asked}) if asked else {}
    twins = view.twins(place for places in here.values() for place in places)
    needs = {}
    for use in asked:
        places = _fitting(here.get(use.name, ()), use.role)
        if any(place.path in view.overlay.versions for place in places):
            continue  # the series itself may have taken the condition away
        if any(place.path in twins for place in places) and (wanted := _needed(view.target.side, places)):
            needs[use] = wanted
    if not needs:
        return
    there = view.upstream_declared({use.name for use in needs})
    for use, wanted in needs.items():
        theirs = _fitting(there.get(use.name, ()), use.role)
        more = wanted - _needed(view.upstream, theirs) - _own(view, use.line) if theirs else frozenset()
        if more:
            place = _fitting(here[use.name], use.role)[0]
            told = " and ".join(sorted(each.decode("ascii").replace("!", "no ") for each in more))
            target = f"only with {told} at {place}"
            turned = min(more).removeprefix(b"!")
            kind = "other-configuration"
            yield Missing(use.name, kind, view.change.path, use.line, theirs[0], target, sure=False, turned=turned)


def _fitting(places: Sequence[Place], role: str) -> list[Place]:
    return [place for place in places if fits(place, role) and place.declaration.kind not in _PASSING]


def _needed(side: Side, places: Sequence[Place]) -> Wanted:
    """What all declarations of a name need in common."""
    found: Wanted | None = None
    for place in places:
        text = side.text(place.path)
        wanted = conditions(text).at(place.declaration.line) if text is not None else frozenset()
        found = wanted if found is None else found & wanted
        if not found:
            break
    return found or frozenset()


def _own(view: View, line: int) -> Wanted:
    """What the added line itself needs: by the #if lines around it, and by the Makefile that builds its file."""
    return conditions(view.change.new).at(line) | built(view.target.side.text, view.path)

"""Asks the ladder about every file in conflict, and composes its answers into whole trees.

The first candidate takes the best answer for each file, the second the next best, and so on. A patch lands whole or not at all:
where the rules abstain on a file, or on a place in it, there is one candidate, which leaves that as it is and says so: it is
never sure, nor applied unasked. It is what stable did with 81744ee44ab2, of which 2.6.32.y has the header alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backport.git.trees import PathTakenError
from backport.model.evidence import Evidence
from backport.model.series import Entry, Patch
from backport.model.verdict import FileOutcome
from backport.replay.decide import Decision, is_folder
from backport.replay.rules.edits import united
from backport.replay.situation import LEFT, Answers, Library, Resolution, Situation

Ladder = Callable[[Situation], Answers]
"""Asked about one file in conflict."""
Rule = Callable[[Situation], Resolution | None]

_MOST = 3  # candidates of one patch: nobody reads a fourth
_FILE = 0o100644


@dataclass(frozen=True, slots=True)
class Candidate:
    """The target with the patch as the rules would have it. `resolved` are the outcomes of the files that were in conflict.

    `sure` says that every rule was, and that no other sure rule would have the file otherwise. `left` are the files about which,
    or about a part of which, no rule has anything to say.
    """

    rules: tuple[str, ...]
    sure: bool
    tree: str
    files: tuple[FileOutcome, ...]
    resolved: tuple[FileOutcome, ...]
    left: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """The ways in which a patch can land by rules, best first; and why rules were not asked about a file, by its path."""

    candidates: tuple[Candidate, ...] = ()
    unasked: Mapping[bytes, str] = field(default_factory=dict)


def compose(
    patch: Patch, tree: str, decisions: Sequence[Decision], ladder: Ladder, library: Library, since: Callable[[], str]
) -> Composed:
    """What the ladder makes of the patch on `tree`; no candidate where the rules abstain on every file."""
    places = [(decision, situation(patch, tree, decision, library, since)) for decision in decisions if decision.conflict]
    answers = [(decision, place, ladder(place)) for decision, place in places]
    unasked = {decision.outcome.path: told.why for decision, _, told in answers if told.why}
    left = tuple(place.path for _, place, told in answers if not told.found or told.found[0].open)
    if len(left) == len(decisions) and not any(told.found for _, _, told in answers):
        return Composed(unasked=unasked)
    chosen = [(decision, told.found or (_as_it_is(place),)) for decision, place, told in answers]
    return Composed(tuple(_candidates(tree, decisions, chosen, left, library)), unasked)


def instead(
    patch: Patch, tree: str, decisions: Sequence[Decision], rule: Rule, library: Library, since: Callable[[], str]
) -> Candidate | None:
    """The patch with files that merge as a rule would have them instead; None where it has nothing to say of any."""
    merged = [decision for decision in decisions if decision.outcome.rule == "3-way"]
    told = {id(each): rule(situation(patch, tree, each, library, since)) for each in merged}
    chosen = {key: found for key, found in told.items() if found is not None}
    return _candidate(tree, decisions, chosen, False, library) if chosen else None


def _candidates(
    tree: str,
    decisions: Sequence[Decision],
    answers: Sequence[tuple[Decision, tuple[Resolution, ...]]],
    left: tuple[bytes, ...],
    library: Library,
) -> Iterator[Candidate]:
    """One for each rank of the answers, each tree once; a single one where some are `left`."""
    asked, ranked = [decision for decision, _ in answers], [found for _, found in answers]
    made: dict[str, Candidate] = {}
    for rank in range(1 if left else min(_MOST, max(len(found) for found in ranked))):
        chosen = [found[min(rank, len(found) - 1)] for found in ranked]
        sure = rank == 0 and all(_agreed(found) for found in ranked)
        candidate = _candidate(tree, decisions, dict(zip(map(id, asked), chosen, strict=True)), sure, library)
        if candidate is not None and not (left and candidate.tree == tree):
            made.setdefault(candidate.tree, replace(candidate, left=left))
    yield from made.values()


def _as_it_is(place: Situation) -> Resolution:
    """The target's file, where no rule knows what to do with it."""
    why = "no rule knows what the patch means in this file: it is left as it is"
    texts = {} if place.ours is None else {place.path: place.ours}
    return Resolution(LEFT, False, texts, (Evidence(LEFT, place.path, "", 0, 0, why),), open=True)


def situation(patch: Patch, tree: str, decision: Decision, library: Library, since: Callable[[], str]) -> Situation:
    """What a rule is asked about one file."""
    change, outcome = decision.change, decision.outcome
    return Situation(
        patch=patch,
        change=change,
        path=decision.source,
        tree=tree,
        fork=since,
        base=library.store.text(change.old),
        ours=library.store.text(outcome.ours),
        theirs=library.store.text(change.new),
        regions=decision.regions,
        library=library,
    )


def _agreed(found: Sequence[Resolution]) -> bool:
    """Whether the best answer is sure, and so would every other sure one have it: where two proofs differ, one is none."""
    return found[0].sure and all(other.texts == found[0].texts for other in found if other.sure)


def _candidate(
    tree: str, decisions: Sequence[Decision], chosen: dict[int, Resolution], sure: bool, library: Library
) -> Candidate | None:
    files: list[FileOutcome] = []
    resolved: list[FileOutcome] = []
    edits: dict[bytes, Entry | None] = {}
    for decision in decisions:
        if id(decision) not in chosen:
            files.append(decision.outcome)
            if not _claim(edits, decision.edits, tree, library):
                return None
            continue
        here = list(_placed(tree, decision, chosen[id(decision)], library))
        resolved.extend(here)
        files.extend(here)
        if not _claim(edits, {outcome.path: outcome.result for outcome in here}, tree, library):
            return None
        if decision.source != decision.outcome.path and any(outcome.path == decision.outcome.path for outcome in here):
            edits[decision.source] = None  # the patch renames the file
    try:
        edited = library.trees.edit(tree, edits)
    except PathTakenError:
        return None
    rules = tuple(dict.fromkeys(resolution.rule for resolution in chosen.values()))
    return Candidate(rules, sure, edited, tuple(_final(files, edits)), tuple(_final(resolved, edits)))


def _claim(edits: dict[bytes, Entry | None], more: Mapping[bytes, Entry | None], tree: str, library: Library) -> bool:
    """Add to the edits; where two decisions write one file, both their changes to the target's go in. False where they clash.

    aae6d3ddd8b9 on 2.6.32.y changes kernel/sched.c, into which code of its other file has to go as well.
    """
    for path, entry in more.items():
        there = edits.get(path, entry)
        if there == entry:
            edits[path] = entry
            continue
        if there is None or entry is None:
            return False
        texts = [{path: library.store.text(e)} for e in (there, entry)]
        both = united(texts, lambda name: library.trees.read(tree, name) or b"")
        text = both[path] if both is not None else None
        if text is None:
            return False
        edits[path] = replace(entry, oid=library.store.write("blob", text))
    return True


def _final(files: Sequence[FileOutcome], edits: Mapping[bytes, Entry | None]) -> Iterator[FileOutcome]:
    """The outcomes with what their files have become in the end."""
    return (replace(f, result=edits[f.path]) if f.result is not None and f.path in edits else f for f in files)


def _placed(tree: str, decision: Decision, resolution: Resolution, library: Library) -> Iterator[FileOutcome]:
    """The outcome of each file that a resolution writes; where it writes none, the change is left out on purpose.

    Then the target keeps what it has there, a link or a submodule too.
    """
    if not resolution.texts:
        kept = None if is_folder(decision.outcome.ours) else decision.outcome.ours
        yield replace(decision.outcome, rule=resolution.rule, result=kept, evidence=resolution.evidence)
    for path, text in resolution.texts.items():
        goal = decision.outcome.path if path == decision.source else path
        ours, new = library.trees.entry(tree, path), decision.change.new
        result = None
        if text is not None:
            mode = ours.mode if ours is not None and ours.is_file else new.mode if new is not None and new.is_file else _FILE
            result = Entry(mode, library.store.write("blob", text))
        evidence = tuple(item for item in resolution.evidence if item.path in (path, goal))
        yield replace(decision.outcome, path=goal, rule=resolution.rule, ours=ours, result=result, evidence=evidence)

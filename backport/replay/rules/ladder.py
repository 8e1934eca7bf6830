"""The ladder: every rule is asked about every dispute, one at a time, and what they answer is put together.

A file's patch is cut into as many patches as it has disputes, each with the hunks of one alone; a rule never sees two at once, so
that one file may be settled by several rules, and its resolution is as sure as the least sure of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from backport.git.merge import rows
from backport.replay.rules.anchor import anchor
from backport.replay.rules.drifted import drifted
from backport.replay.rules.frame import Block, Frame
from backport.replay.rules.lines import hunks
from backport.replay.rules.settle import Edit, clean_edits, disputed, framed, joined
from backport.replay.rules.words import words
from backport.replay.situation import Resolution, Situation

Rule = Callable[[Situation], Resolution | None]

LADDER: tuple[Rule, ...] = (anchor, words, drifted)
_MOST_MORE = 4  # suggestions beside the best one
BUDGET = 2.0  # seconds that one rule may take for one dispute


def attempt(situation: Situation, ladder: Sequence[Rule] = LADDER) -> tuple[Resolution, ...]:
    """What the ladder makes of a file, best first: one that is sure, or suggestions; empty where every rule abstains."""
    frame = framed(situation)
    blocks = disputed(frame) if frame is not None else []
    if frame is None or not blocks:
        return ()
    answers: list[list[Resolution]] = []
    for block in blocks:
        step = narrowed(situation, frame, block)
        found = [answer for rule in ladder if (answer := rule(step)) is not None]
        if not found:
            return ()
        answers.append(_ranked(found))
    return tuple(_combined(situation, frame, answers))


def _combined(situation: Situation, frame: Frame, answers: Sequence[Sequence[Resolution]]) -> Iterator[Resolution]:
    """The best answer to each dispute, then the same with the next best one in a single place; each text once."""
    best = [found[0] for found in answers]
    swapped = [[*best[:i], second, *best[i + 1 :]] for i, found in enumerate(answers) for second in found[1:]]
    seen: list[Mapping[bytes, bytes | None]] = []
    for parts in [best, *swapped[:_MOST_MORE]]:
        made = _joined(situation, frame, parts)
        if made is not None and made.texts not in seen:
            seen.append(made.texts)
            yield made


def narrowed(situation: Situation, frame: Frame, block: Block) -> Situation:
    """The same file with the hunks of one block for its whole patch."""
    out, at = [], 0
    for hunk in block.hunks:
        out += [*frame.base[at : hunk.a], *frame.theirs[hunk.c : hunk.d]]
        at = hunk.b
    return replace(situation, theirs=b"".join([*out, *frame.base[at:]]))


def _ranked(found: Sequence[Resolution]) -> list[Resolution]:
    """Sure ones first, in the ladder's order; where two that are sure disagree, none of them is."""
    texts = {tuple(sorted(r.texts.items())) for r in found if r.sure}
    settled = [replace(r, sure=False) for r in found] if len(texts) > 1 else list(found)
    return sorted(settled, key=lambda r: not r.sure)


def _joined(situation: Situation, frame: Frame, parts: Sequence[Resolution]) -> Resolution | None:
    edits = clean_edits(frame)
    for part in parts:
        after = rows(part.texts[situation.path] or b"")
        edits += [Edit(h.a, h.b, tuple(after[h.c : h.d]), 0) for h in hunks(frame.ours, after)]
    text = joined(frame.ours, edits)
    if text is None:
        return None
    rule = "+".join(dict.fromkeys(part.rule for part in parts))
    evidence = tuple(item for part in parts for item in part.evidence)
    return Resolution(rule, all(part.sure for part in parts), {situation.path: text}, evidence)

"""The ladder: every rule is asked about every dispute, one at a time, and what they answer is put together.

A file's patch is cut into as many patches as it has disputes, each with the hunks of one alone; a rule never sees two at once, so
that one file may be settled by several rules, and its resolution is as sure as the least sure of them. Where no rule has an
answer to a dispute, the others are answered all the same, and that one is left to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from backport.model.evidence import PROVED, Evidence
from backport.replay.guard.place import grown_above
from backport.replay.rules.anchor import anchor
from backport.replay.rules.cleared import cleared, strange_flags
from backport.replay.rules.copies import RULE as COPIES
from backport.replay.rules.copies import copies
from backport.replay.rules.drifted import drifted
from backport.replay.rules.edits import Texts, clean_edits, disputed, framed, joined, united
from backport.replay.rules.frame import Block, Frame, relaid
from backport.replay.rules.lists import lists
from backport.replay.rules.moved import moved
from backport.replay.rules.present import present
from backport.replay.rules.removed import removed
from backport.replay.rules.renames import RULE as RENAMES
from backport.replay.rules.renames import names, renamed, renames
from backport.replay.rules.unneeded import unneeded
from backport.replay.rules.versions import RULE as VERSIONS
from backport.replay.rules.versions import versions
from backport.replay.rules.words import words
from backport.replay.situation import LEFT, Answers, Resolution, Situation

Rule = Callable[[Situation], Resolution | None]

LADDER: tuple[Rule, ...] = (renames, versions, cleared, lists, anchor, words, present, drifted, moved, copies, unneeded, removed)
_SEARCHING = (moved, unneeded)
_MOST_ASKED = 60  # disputes in one file; the corpus has 27 at most, and each is settled over the whole file
_MOST_MORE = 4  # suggestions beside the best one


def attempt(situation: Situation, ladder: Sequence[Rule] = LADDER) -> Answers:
    """What the ladder makes of a file: one answer that is sure, or suggestions; none where every rule abstains.

    Where there would be too much to ask about, none is asked, and the answer says so.
    """
    frame = framed(situation)
    if frame is None:
        if situation.ours is None or situation.theirs is None:  # the file as such is in dispute
            return Answers(tuple(_ranked(_answers(situation, ladder))) if _of_files(situation) else ())
        return _over_budget(situation, "the file is too large, or too different, to be laid over upstream's")
    asked = _asked(situation, frame)
    if len(asked) > _MOST_ASKED:
        return _over_budget(situation, f"{len(asked)} disputes in one file, {_MOST_ASKED} at most")
    answers: list[list[Resolution]] = []
    left: list[Block] = []
    for block in asked:
        for part, found in _each(situation, frame, block, ladder):
            answers += [_ranked(found)] if found else []
            left += [] if found else [part]
    if not answers:
        return Answers()
    if relaid(frame):
        answers = [[replace(answer, sure=False) for answer in found] for found in answers]
    own = joined(frame.ours, clean_edits(frame, asked))
    made = _combined(situation, own, answers)
    return Answers(tuple(_partly(situation, answer, left) for answer in made) if left else tuple(made))


def _of_files(situation: Situation) -> bool:
    """Whether no side has a link, a submodule or a folder there: no rule knows any, and each would take it for nothing at all."""
    ours = situation.library.trees.entry(situation.tree, situation.path)
    return all(entry is None or entry.is_file for entry in (situation.change.old, situation.change.new, ours))


def _over_budget(situation: Situation, what: str) -> Answers:
    """No answer, and why none was looked for. Where the conflict is not about lines, there were none to ask about."""
    return Answers((), f"the rules abstained: over budget ({what})" if situation.regions else "")


def _each(situation: Situation, frame: Frame, block: Block, ladder: Sequence[Rule]) -> Iterator[tuple[Block, list[Resolution]]]:
    """What is said of a block; where no rule can settle it whole, of each of its hunks.

    One hunk of a block may change what the target does not have, while the others are in their place.
    """
    found = _answers(narrowed(situation, frame, block), ladder)
    if found or len(block.hunks) == 1:
        yield block, found
        return
    for hunk in block.hunks:
        part = replace(block, hunks=(hunk,))
        yield part, _answers(narrowed(situation, frame, part), ladder)


def _partly(situation: Situation, answer: Resolution, left: Sequence[Block]) -> Resolution:
    """An answer beside which some blocks are left as the target has them: a suggestion that says which."""
    why = "no rule knows what the patch means here: these lines are left as they are"
    places = tuple(Evidence(LEFT, situation.path, "", block.c + 1, 0, why) for block in left)
    told = tuple(_marked(item, proved=answer.sure) for item in answer.evidence)
    return replace(answer, rule=f"{answer.rule}+{LEFT}", sure=False, evidence=(*told, *places), open=True)


def _asked(situation: Situation, frame: Frame) -> list[Block]:
    """The blocks in dispute, and those that merge but bring a name which the target does not have (3da0dd433dc3 on v2.6.31)."""
    old = set(renamed(situation)) | strange_flags(situation)
    rest = disputed(frame)
    return [b for b in frame.blocks if b in rest or (old and any(old & names(frame.theirs[h.c : h.d]) for h in b.hunks))]


def _answers(situation: Situation, ladder: Sequence[Rule]) -> list[Resolution]:
    """What each rule says. Those that search beyond the place are asked only where no proof was found at it.

    Where names are known to have changed, no other rule's proof holds: it would bring the old ones. Nor where a version is the
    target's own: merged word by word, 2.0.1 is 1.8.1 there (581daf7e00c5 on 2.6.27.y).
    """
    found: list[Resolution] = []
    for rule in ladder:
        if rule in _SEARCHING and any(answer.sure for answer in found):
            break
        if rule is unneeded and any(answer.rule == COPIES for answer in found):
            continue  # what the target has twice it does not lack
        answer = rule(situation)
        found += [answer] if answer is not None else []
    if found and found[0].rule in (RENAMES, VERSIONS):
        return [found[0], *(replace(answer, sure=False) for answer in found[1:])]
    return found


def _combined(situation: Situation, own: bytes | None, answers: Sequence[Sequence[Resolution]]) -> Iterator[Resolution]:
    """The best answer to each dispute, then the same with the next best one in a single place; each text once."""
    best = [found[0] for found in answers]
    swapped = [[*best[:i], second, *best[i + 1 :]] for i, found in enumerate(answers) for second in found[1:]]
    seen: list[Texts] = []
    for parts in [best, *swapped[:_MOST_MORE]]:
        made = _joined(situation, own, parts)
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


def _joined(situation: Situation, own: bytes | None, parts: Sequence[Resolution]) -> Resolution | None:
    """The parts, and the file with what merges by itself, in one; None where two of them claim the same lines of the target."""
    ours = situation.ours or b""
    clean: list[Texts] = [{situation.path: own}] if own not in (None, ours) else []

    def target(path: bytes) -> bytes:
        return ours if path == situation.path else situation.library.trees.read(situation.tree, path) or b""

    texts = united([*clean, *(part.texts for part in parts)], target)
    if texts is None:
        return None
    rule = "+".join(dict.fromkeys(name for part in parts for name in part.rule.split("+")))
    sure = all(part.sure for part in parts)
    evidence: list[Evidence] = []
    for part in parts:
        others = [*clean, *(other.texts for other in parts if other is not part)]
        told = (_marked(item, proved=part.sure and not sure) for item in part.evidence)
        evidence += [_as_made(item, part.texts, others, target) for item in told]
    return Resolution(rule, sure, texts, tuple(evidence))


def _as_made(item: Evidence, own: Texts, others: Sequence[Texts], target: Callable[[bytes], bytes]) -> Evidence:
    """What a rule says of a line of the target's file, said of that line in the file that is made of all answers.

    A rule sees one dispute: what the merge and other rules add above is no part of its answer. 3da0dd433dc3 on v2.6.31 adds
    a function above what the rules place, and `verify` looked for their lines in that one.
    """
    if not item.line:
        return item
    before, at, path = target(item.path), item.line - 1, item.path
    more = grown_above(at, before, own.get(path) or before, at_it=False)
    more += sum(grown_above(at, before, texts.get(path) or before, at_it=True) for texts in others)
    return replace(item, line=item.line + more)


def _marked(item: Evidence, *, proved: bool) -> Evidence:
    return replace(item, checks=(*item.checks, PROVED)) if proved else item

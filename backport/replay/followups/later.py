"""Finds the later commits that belong to a series, and ranks them. A few processes, however many commits there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from backport.git.diff import Hunk
from backport.git.versions import Told, told, versions
from backport.model.followups import FollowUp, Rank, Trace
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import Series
from backport.replay.followups.brought import brought
from backport.replay.followups.traces import Contents, Messages
from backport.replay.situation import Library

STAGE = "fixes"
_MOST = 600  # commits on the files of the series whose diffs are read, the oldest of them
_MUCH = 0.34  # of the hunks of a commit: then it is about the series, not beside it
_FIX = re.compile(
    r"\b(fix(es|ed|ing)?|bugs?|oops(es)?|panics?|crash(es)?|dead ?locks?|lock ?ups?|livelocks?|hangs?|races?|leak(s|ing)?|"
    r"corrupt\w*|regress\w*|overflows?|underflows?|use[- ]after[- ]free|BUG(_ON)?|revert|avoid|prevent|broken?|breakage|missing|"
    r"wrong|incorrect|off[- ]by[- ]one|uninit\w*|null|security|OOMs?)\b",
    re.I,
)
_SMALL = re.compile(
    r"\b(typos?|spelling|comments?|white ?space|coding style|codingstyle|sparse|kernel-?doc|documentation|checkpatch|cosmetic|"
    r"clean ?ups?|warnings?|printks?|indentation|trivial)\b",
    re.I,
)


def follow_ups(
    series: Series, since: str, until: str, library: Library, progress: Progress, known: Collection[str] = ()
) -> tuple[list[FollowUp], tuple[Skipped, ...]]:
    """The commits of `since..until` that belong to the series, the most needed first, those in `known` left out.

    May rank too high a commit that fixes a function of the series for a reason of its own (an API that changed later), and
    miss a fix that neither names the series nor touches a line or function that it brought.
    """
    progress.stage(STAGE, 0)
    mine = brought(series, library.history, library.store)
    ours = {patch.commit for patch in series.patches} | set(known)
    later = [commit for commit in told(library.store, since, until) if commit.commit not in ours]
    progress.step(f"{len(later)} later commits")
    by_id = {commit.commit: commit for commit in later}
    touching = [v for v in versions(library.store, mine.paths, since, until) if v.commit in by_id]
    read, unread = touching[:_MOST], len(touching) - _MOST
    progress.step(f"{len(touching)} of them on its files")
    messages = Messages(series)
    said = {commit.commit: messages.traces(commit) for commit in later}
    contents = Contents(mine, library.store)
    traces: dict[str, list[Trace]] = {oid: found for oid, found in said.items() if found}
    shares: dict[str, float] = {}
    for version, hunks in zip(read, _diffs([by_id[v.commit] for v in read], library), strict=True):
        found, count = contents.traces(version, hunks)
        if found:
            traces.setdefault(version.commit, []).extend(found)
            shares[version.commit] = count / len(hunks)
    ranked = [_ranked(by_id[oid], found, shares.get(oid, 0.0)) for oid, found in traces.items()]
    order = {commit.commit: place for place, commit in enumerate(later)}
    kept = sorted((f for f in ranked if f is not None), key=lambda f: (list(Rank).index(f.rank), order[f.commit]))
    progress.done(f"{sum(f.rank is Rank.MANDATORY for f in kept)} mandatory of {len(kept)}")
    return kept, tuple(_skipped(unread, sum(f is None for f in ranked)))


def _diffs(commits: Sequence[Told], library: Library) -> list[list[Hunk]]:
    """The hunks of each commit, its parents read at once."""
    history = library.history
    library.store.prefetch(commit.parent for commit in commits)
    pairs = [(history.commit(commit.parent).tree, commit.tree) for commit in commits]
    return history.tree_hunks(pairs)


def _ranked(commit: Told, traces: Sequence[Trace], share: float) -> FollowUp | None:
    """The commit with its rank: by what its message says of the series first, then by what it changes and how it calls that.

    None where it only passes by: a sweep through the tree, or a change to a line or two among many others that is no fix.
    """
    rules = {trace.rule for trace in traces}
    fix, small = bool(_FIX.search(commit.subject)), bool(_SMALL.search(commit.subject))
    found = FollowUp(commit.commit, commit.subject, Rank.MAYBE, tuple(traces))
    if rules & {"fixes", "reverts"} or ("blames" in rules and (fix or rules & {"lines", "function"})):
        return replace(found, rank=Rank.MANDATORY)
    if fix and not small and rules & {"lines", "function"}:
        return replace(found, rank=Rank.MANDATORY if share >= _MUCH else Rank.LIKELY)
    if rules & {"blames", "names"}:
        return replace(found, rank=Rank.LIKELY if fix or "blames" in rules else Rank.MAYBE)
    return found if share >= _MUCH else None


def _skipped(unread: int, passing: int) -> list[Skipped]:
    found = []
    if unread > 0:
        found.append(Skipped(STAGE, f"{unread} later commits on the series' files", f"only the first {_MOST} are read"))
    if passing:
        found.append(Skipped(STAGE, f"{passing} of the later commits", "they change a little of the series among much else"))
    return found

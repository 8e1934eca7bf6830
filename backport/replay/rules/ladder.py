"""The ladder: the rules in the order in which they are asked."""

from __future__ import annotations

from backport.replay.situation import Resolution, Situation


def attempt(situation: Situation) -> tuple[Resolution, ...]:
    """What the rules make of one file in conflict, best first; empty where all abstain."""
    return ()

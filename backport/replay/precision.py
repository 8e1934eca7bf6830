"""How often each rule was right on the corpus: the figures that are printed beside what it suggests.

They stand in precision.json beside this file, which tests/bench/replay_corpus.py writes and nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

FILE = "precision.json"


def precision(rules: Sequence[str]) -> tuple[int, int, str]:
    """How often the least reliable of these rules was right, of how many times, and whose figures these are.

    Rules that settled one file together (`anchor+words`) have figures of their own; where they were never measured so, those
    of their weakest part that was are taken, and named: '' otherwise. (0, 0, '') where nothing is known of one of the rules.
    """
    known = [_measured(rule) for rule in rules]
    if not known or any(not asked for _, asked, _ in known):
        return 0, 0, ""
    return min(known, key=lambda found: (found[0] / found[1], found[1]))


def _measured(rule: str) -> tuple[int, int, str]:
    if rule in _figures():
        return (*_figures()[rule], "")
    parts = [(*_figures()[part], part) for part in rule.split("+") if part in _figures()]
    return min(parts, key=lambda found: (found[0] / found[1], found[1]), default=(0, 0, ""))


@cache
def _figures() -> dict[str, tuple[int, int]]:
    """By rule: exact or equal but for white space, and all that it answered."""
    read = json.loads(resources.files("backport.replay").joinpath(FILE).read_bytes())
    return {rule: (figures["right"], figures["asked"]) for rule, figures in read["rules"].items()}

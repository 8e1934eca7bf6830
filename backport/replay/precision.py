"""How often each rule was right on the corpus: the figures that are printed beside what it suggests.

They stand in precision.json beside this file, which tests/bench/replay_corpus.py writes and nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

FILE = "precision.json"


def precision(rules: Sequence[str]) -> tuple[int, int]:
    """How often the least reliable of these rules was right, and of how many times; (0, 0) where one was never measured."""
    known = [_figures().get(rule, (0, 0)) for rule in rules]
    if not known or any(not asked for _, asked in known):
        return 0, 0
    return min(known, key=lambda pair: (pair[0] / pair[1], pair[1]))


@cache
def _figures() -> dict[str, tuple[int, int]]:
    """By rule: exact or equal but for white space, and all that it answered."""
    read = json.loads(resources.files("backport.replay").joinpath(FILE).read_bytes())
    return {rule: (figures["right"], figures["asked"]) for rule, figures in read["rules"].items()}

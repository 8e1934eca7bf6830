"""How often Python looks for garbage that refers to itself."""

from __future__ import annotations

import gc

_OBJECTS = 100_000  # between two searches: Python's own 700 make them a tenth of `index` and of reading an archive


def search_seldom() -> None:
    """For this process: we make rows, mails and verdicts by the million, and hardly ever a cycle. Whoever starts one calls it."""
    gc.set_threshold(_OBJECTS)

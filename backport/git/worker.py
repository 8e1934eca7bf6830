"""What every worker process of a pool begins with."""

from __future__ import annotations

from backport.git.mortal import die_with_parent
from backport.model.garbage import search_seldom


def begin() -> None:
    """It ends with the process that started it, and seldom looks for garbage."""
    die_with_parent()
    search_seldom()

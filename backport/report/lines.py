"""One line of text from outside, as rich wants it. Apart from `view`: who shows mail needs nothing of what a run's outcome is."""

from __future__ import annotations

from rich.text import Text

from backport.report import safe

GUIDE = "dim"


def text(*parts: tuple[str | bytes, str], crop: bool = False) -> Text:
    """A line assembled of (outside text, style); with `crop` it ends in an ellipsis where the place is too narrow."""
    made = Text(no_wrap=crop, overflow="ellipsis" if crop else "fold")
    for part, style in parts:
        made.append(safe.line(part), style or None)
    return made

"""Numbers of things, as people write them."""

from __future__ import annotations


def plural(number: int, one: str, many: str = "") -> str:
    """`1 patch`, `2 patches`."""
    return f"{number} {one if number == 1 else many or one + 's'}"

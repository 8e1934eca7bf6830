"""Would a merge put an added line where the patch means it? Asked of the lines next to it and of those that it replaces."""

from __future__ import annotations

from collections.abc import Collection


class Landing:
    """One file of a patch, before (`old`) and after (`new`), against the target's version. Blanks at the ends do not count."""

    def __init__(self, old: bytes, new: bytes, added: Collection[int], target: bytes) -> None:
        self._new = _rows(new)
        self._added = frozenset(added)
        self._target = frozenset(_rows(target))
        self._replaced = _replaced(_rows(old), self._new, self._added)

    def sure(self, line: int) -> bool:
        """Whether the lines before and after the added block, and all that it replaces, are somewhere in the target.

        If not, a merge conflicts there. If so, it may still conflict: order and place are not compared.
        """
        before, after = line - 1, line + 1
        while before in self._added:
            before -= 1
        while after in self._added:
            after += 1
        around = [self._new[at - 1] for at in (before, after) if 0 < at <= len(self._new)]
        return all(row in self._target for row in (*around, *self._replaced.get(before, ())))


def _rows(text: bytes) -> list[bytes]:
    return [row.strip() for row in text.split(b"\n")]


def _replaced(old: list[bytes], new: list[bytes], added: frozenset[int]) -> dict[int, list[bytes]]:
    """The old lines that are gone, by the line of `new` that they stood behind (0: at the top).

    The lines of `new` that were not added are all in `old`, in order; each is matched with the first that is equal. Between equal
    neighbours that may shift a removed line by a few places, as any diff may.
    """
    found: dict[int, list[bytes]] = {}
    at, last = 0, 0
    for number, row in enumerate(new, 1):
        if number in added:
            continue
        start = at
        while at < len(old) and old[at] != row:
            at += 1
        if at == len(old):  # not the text that the line numbers were made from
            return found
        if at > start:
            found[last] = old[start:at]
        at, last = at + 1, number
    if at < len(old):
        found[last] = old[at:]
    return found

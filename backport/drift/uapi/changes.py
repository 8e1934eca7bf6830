"""How two surfaces differ, and how those of many patches add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backport.drift.uapi.items import Change, Changes, Item, Key, Surface, order
from backport.model.result import Skipped


def compare(before: Surface, after: Surface) -> Changes:
    """Added, changed, removed and moved items, each with both sides. Where a line stands does not matter, what it says does."""
    old, new = before.by_key, after.by_key
    changed = [Change(old[key], item) for key, item in new.items() if key in old and old[key].value != item.value]
    gone = [item for key, item in old.items() if key not in new]
    come = [item for key, item in new.items() if key not in old]
    same = sum(key in old and old[key].value == item.value for key, item in new.items())
    return Changes(_in_order([*changed, *_paired(gone, come)]), same, _joined((before.skipped, after.skipped)))


def add_up(steps: Iterable[Changes]) -> Changes:
    """The changes of patches one after the other as one: what was added and then changed is added as it is in the end."""
    first: dict[Key, Item | None] = {}
    last: dict[Key, Item | None] = {}
    skipped: list[tuple[Skipped, ...]] = []
    for step in steps:
        for change in step.changes:
            sides = [(change.before, None), (None, change.after)] if change.moved else [(change.before, change.after)]
            for before, after in sides:
                key = (after or before or change.item).key
                first.setdefault(key, before)
                last[key] = after
        skipped.append(step.skipped)
    gone = [item for key, item in first.items() if item is not None and last[key] is None]
    come = [item for key, item in last.items() if item is not None and first[key] is None]
    changed = [
        Change(item, new)
        for key, item in first.items()
        if item is not None and (new := last[key]) is not None and new.value != item.value
    ]
    return Changes(_in_order([*changed, *_paired(gone, come)]), 0, _joined(skipped))


def _paired(gone: Sequence[Item], come: Sequence[Item]) -> list[Change]:
    """Removals and additions; one of each with equal kind, name and value is a move to another header."""
    arrived: dict[tuple[str, str, str], list[Item]] = {}
    for item in come:
        arrived.setdefault((item.kind, item.name, item.value), []).append(item)
    found: list[Change] = []
    moved: set[Key] = set()
    for item in gone:
        there = arrived.get((item.kind, item.name, item.value), [])
        if len(there) == 1 and there[0].key not in moved:
            moved.add(there[0].key)
            found.append(Change(item, there[0], moved=True))
        else:
            found.append(Change(item, None))
    return [*found, *(Change(None, item) for item in come if item.key not in moved)]


def _in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: order(change.item)))


def _joined(lists: Iterable[Sequence[Skipped]]) -> tuple[Skipped, ...]:
    return tuple(dict.fromkeys(item for each in lists for item in each))

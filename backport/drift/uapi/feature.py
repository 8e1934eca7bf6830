"""The surface of one feature: what a series adds, changes or removes, and what other trees have in its place.

Between the first and the last commit of a series others have worked on the same files (the MADV_HWPOISON of 2.6.32 stands next to
MADV_MERGEABLE), so a series' own changes are added up patch by patch, never read off the ends.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from backport.drift.uapi.changes import add_up, compare
from backport.drift.uapi.items import Changes, Item, Key, Kind, Surface, order
from backport.drift.uapi.programs import FOLDERS
from backport.drift.uapi.surface import Reader
from backport.model.series import Patch, Series

NUMBERS = (Kind.MADVISE, Kind.PRCTL, Kind.IOCTL, Kind.CONSTANT)
PROGRAMS = tuple(folder + b"/" for folder in FOLDERS)


@dataclass(frozen=True, slots=True)
class Feature:
    """What a series does to the surface; `paths` are the files that it touches, `own` those that it brought."""

    name: str
    changes: Changes
    paths: tuple[bytes, ...]
    own: tuple[bytes, ...]

    @property
    def surface(self) -> Surface:
        """The items as the series leaves them (what it removes is not among them)."""
        items = tuple(change.after for change in self.changes.changes if change.after is not None)
        return Surface("", items, self.changes.skipped)

    @property
    def keys(self) -> frozenset[Key]:
        """All items that the series has to do with."""
        sides = (side for change in self.changes.changes for side in (change.before, change.after))
        return frozenset(item.key for item in sides if item is not None)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two states of a feature, and how they differ. `moved` are the changes; `count` how many items the first state has."""

    before: str
    after: str
    changes: Changes
    count: int

    @property
    def stable(self) -> bool:
        """Whether programs see no difference."""
        return not self.changes.changes

    @property
    def verdict(self) -> str:
        """One line."""
        if self.stable:
            return f"stable: equal in {self.before} and {self.after} ({self.count} items)"
        counts = [f"{len(found)} {word}" for word in ("added", "changed", "removed", "moved") if (found := self.changes.of(word))]
        return f"moved: {self.after} has {', '.join(counts)} against {self.before} ({self.changes.same} items equal)"


def series_surface(series: Series | Sequence[Patch], reader: Reader, name: str = "") -> Feature:
    """What the patches add to, change in or remove from what programs see, added up in their order."""
    patches = series.patches if isinstance(series, Series) else tuple(series)
    reader.prefetch(entry for patch in patches for change in patch.changes for entry in (change.old, change.new))
    paths = {path for patch in patches for path in _touched(patch)}
    made = {change.new_path for patch in patches for change in patch.changes if change.old is None}
    steps: list[Changes] = []
    for patch in patches:
        touched = set(_touched(patch))
        touched |= reader.switched(patch.parent_tree, patch.tree, touched)
        if any(path.startswith(PROGRAMS) for path in touched):  # what a program repeats may stand in a file of another patch
            touched |= {path for path in paths if path.endswith(b".c")}
        steps.append(compare(reader.surface(patch.parent_tree, touched), reader.surface(patch.tree, touched)))
    title = name or (series.name if isinstance(series, Series) else "the patches")
    return Feature(title, _placed(add_up(steps), patches, reader), tuple(sorted(paths)), tuple(sorted(made)))


def _touched(patch: Patch) -> list[bytes]:
    return [path for change in patch.changes for path in (change.old_path, change.new_path)]


def _placed(changes: Changes, patches: Sequence[Patch], reader: Reader) -> Changes:
    """The same with each item on the line that it has after the last patch: others may have moved it since it was added."""
    last = {path: patch.tree for patch in patches for path in _touched(patch)}

    def place(item: Item | None) -> Item | None:
        if item is None or item.path not in last:
            return item
        found = reader.surface(last[item.path], [item.path]).by_key.get(item.key)
        return replace(item, line=found.line) if found is not None else item

    return replace(changes, changes=tuple(replace(change, after=place(change.after)) for change in changes.changes))


def feature_at(feature: Feature, tree: str, reader: Reader) -> Surface:
    """The feature as `tree` has it: the items that the series has to do with, and any others in what the series made.

    The latter are items of files that the series brought, and of folders below /sys that it made: a later knob
    (/sys/kernel/mm/ksm/merge_across_nodes) is then seen even where it comes from another file among the series' paths.
    """
    found = reader.surface(tree, {*feature.paths, *_today(feature.paths)})
    keys, folders = feature.keys, _folders(feature)
    kept = [item for item in found.items if item.key in keys or item.path in feature.own or _inside(item, folders)]
    missing = [item for item in feature.surface.items if item.kind in NUMBERS and item.key not in found.by_key]
    kept += [there for item in missing if (there := reader.reached(tree, item)) is not None]
    return Surface(tree, tuple(sorted(kept, key=order)), found.skipped)


def _today(paths: Iterable[bytes]) -> Iterator[bytes]:
    """Where exported headers of these paths stand since 3.7: include/linux/x.h in include/uapi/linux/x.h."""
    for path in paths:
        head, inside, rest = path.partition(b"include/")
        if inside and (not head or head.startswith(b"arch/")):
            yield head + b"include/uapi/" + rest


def compare_named(before: tuple[str, Surface], after: tuple[str, Surface]) -> Compared:
    """Two states with the names that people know them by."""
    return Compared(before[0], after[0], compare(before[1], after[1]), len(before[1].items))


def _folders(feature: Feature) -> frozenset[str]:
    """The folders below /sys whose every file the series adds: it made them."""
    added = [change.after for change in feature.changes.of("added") if change.after is not None]
    return frozenset(posixpath.dirname(item.name) for item in added if item.kind is Kind.SYSFS and item.path in feature.own)


def _inside(item: Item, folders: Iterable[str]) -> bool:
    return item.kind is Kind.SYSFS and item.name.startswith("/") and posixpath.dirname(item.name) in folders

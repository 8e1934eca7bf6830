"""What a surface consists of, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from backport.model.result import Skipped


class Kind(StrEnum):
    """What a program sees, in the order in which it is shown."""

    SYSCALL = "syscall"
    MADVISE = "madvise"
    PRCTL = "prctl"
    IOCTL = "ioctl"
    CONSTANT = "constant"
    STRUCT = "struct"
    SYSFS = "sysfs"
    PROCFS = "procfs"
    SYSCTL = "sysctl"
    MODULE_PARAMETER = "module-parameter"
    BOOT_PARAMETER = "boot-parameter"
    KCONFIG = "kconfig"
    ABI_DOCUMENT = "abi-document"


Key = tuple[Kind, str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a program or an administrator sees.

    `scope` tells equal names apart: the header as programs include it, with the architecture (`asm/mman.h on parisc`), or
    the source file of a module parameter. `value` is what is compared; `note` is for people: the text as written, the condition.
    """

    kind: Kind
    name: str
    scope: str
    value: str
    path: bytes
    line: int
    note: str = ""

    @property
    def key(self) -> Key:
        """What makes it the same thing in another tree."""
        return self.kind, self.scope, self.name


@dataclass(frozen=True)
class Surface:
    """All that was seen of a tree (or of some of its paths), and what could not be read. `items` are ordered by kind and name."""

    tree: str
    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[Key, Item]:
        """The items by what makes them the same elsewhere."""
        return {item.key: item for item in self.items}


@dataclass(frozen=True, slots=True)
class Change:
    """An item that one surface has and the other lacks or has otherwise; `before` or `after` is None where it is absent.

    `moved` says that the same name with the same value is found in another scope: a header that was split.
    """

    before: Item | None
    after: Item | None
    moved: bool = False

    @property
    def item(self) -> Item:
        """Whichever there is, the later one first."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - a change has a side
        return found

    @property
    def word(self) -> str:
        """added, removed, moved or changed."""
        if self.moved:
            return "moved"
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Changes:
    """How two surfaces differ; `same` counts the items that are equal in both."""

    changes: tuple[Change, ...]
    same: int
    skipped: tuple[Skipped, ...] = ()

    def of(self, word: str) -> tuple[Change, ...]:
        """Those of one word: added, removed, changed, moved."""
        return tuple(change for change in self.changes if change.word == word)


_ORDER = {kind: number for number, kind in enumerate(Kind)}


def order(item: Item) -> tuple[int, str, str, bytes, int]:
    """The order in which items are kept and shown."""
    return _ORDER[item.kind], item.scope, item.name, item.path, item.line

"""A patch all of whose files the target lacks may still be about code that the target has, under another name of file.

Such a patch is no "not applicable": 76f273640134 changes net/mac80211/work.c, which 2.6.32 does not have; its
ieee80211_send_assoc() was in mlme.c then, and Fedora 12 put the fix there by hand. Who reads "the target has none of its files"
goes on without it. Where no function tells, lines do: those that the patch takes away, and those around them. 550e7fd8afb7 on
2.6.27.y (thinkpad-acpi) changes drivers/platform/x86/Kconfig, and the entries are in drivers/misc/Kconfig; 0fb21de0799a changes
a driver that was made of drivers/hid/usbhid/hid-quirks.c.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from backport.git.merge import rows
from backport.git.search import holders
from backport.model.series import Patch, show_path
from backport.replay.compose import situation
from backport.replay.decide import Decision
from backport.replay.guard.place import telling
from backport.replay.rules.lines import hunks
from backport.replay.rules.moved import kept
from backport.replay.situation import Library

_AROUND = 3  # lines on both sides of a hunk, as a diff has them
_LONG = 16  # bytes from which a line is likely to stand in few places
_MOST = 60  # lines that are looked for
_FEWEST = 3  # of which one file must have so many that no other has


def astray(patch: Patch, tree: str, decisions: Sequence[Decision], library: Library) -> str:
    """Why a patch without a file in the target needs a person all the same, '' where nothing that it changes is found there.

    Asked about a patch that no rule could settle. It may be wrong where two drivers share a helper by copying it.
    """
    for decision in decisions:
        for name, path in kept(situation(patch, tree, decision, library, str)):
            function = name.decode("utf-8", "replace")
            return f"the target has none of its files, but {function}() is in {show_path(path)}"
    for decision in decisions:
        wanted = list(dict.fromkeys(_lines(decision, library)))[:_MOST]
        found = holders(library.store, tree, wanted, _where(decision.source)) if len(wanted) >= _FEWEST else {}
        many = Counter(line for lines in found.values() for line in lines)
        for path, lines in sorted(found.items()):
            if sum(many[line] == 1 for line in lines) >= _FEWEST:
                return f"the target has none of its files, but lines that it changes are in {show_path(path)}"
    return ""


def _lines(decision: Decision, library: Library) -> Iterator[bytes]:
    """What a patch takes away from a file and what stands around it: the lines that are likely to be nowhere else."""
    old, new = library.store.text(decision.change.old) or b"", library.store.text(decision.change.new) or b""
    if b"\0" in old + new:
        return
    before = rows(old)
    for hunk in hunks(before, rows(new)) if old else ():
        for row in before[max(0, hunk.a - _AROUND) : hunk.b + _AROUND]:
            if telling(row) and len(row.strip()) >= _LONG:
                yield row.strip()


def _where(path: bytes) -> str:
    """The files of the same kind, as git's patterns say it."""
    name = path.rpartition(b"/")[2].decode("utf-8", "surrogateescape")
    return f"*.{name.rpartition('.')[2]}" if "." in name else f"*{name}"

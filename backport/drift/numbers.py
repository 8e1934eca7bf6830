"""Number clashes: flags, bits and ids that a series adds and that the target uses for something else.

Upstream is the judge of what is meant. A number that upstream's own header gives to both names is an alias or of another family,
and a name that the series itself takes away is a rename (PF_SWAPOFF became PF_OOM_ORIGIN in 35451beecbd7). A clash is a name that
only the target has, by another patch of the distribution or because upstream had removed it, with the value, the bit or the ioctl
number that the series takes. Constants in an enum do not clash, they shift: programs that were built before see other meanings.

May be wrong where one header holds two families with one prefix: in linux/sched.h the MMF_ names are bit numbers and masks of
them, so that MMF_DUMPABLE_MASK (3) would clash with a bit 3 if masks were not left out by their name. Values that only other
headers explain are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.csource.closure import architecture
from backport.drift.uapi import clash
from backport.drift.uapi.constants import Constant, simple
from backport.drift.uapi.enums import Shift, shifts
from backport.drift.uapi.exported import Exported
from backport.drift.uapi.headers import Header
from backport.drift.unchecked import LARGEST
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Finding, Level
from backport.model.series import TREE, FileChange, Patch, Series, show_path

KIND = "number-clash"
Lines = Mapping[bytes, Sequence[tuple[int, bytes]]]
_CANDIDATE = re.compile(rb"^\s*(?:#\s*define\s+\w+\s+\S|[A-Za-z_]\w*\s*(?:=[^=;]*)?,?\s*(?:/[/*].*)?$)")


@dataclass(frozen=True, slots=True)
class _Added:
    """A number that the series adds, by which patch, in which of its files; `constant` is as that patch has it.

    `header` is upstream's after the last patch that touches it, `gone` the words that the series takes out of it.
    """

    patch: Patch
    change: FileChange
    header: Header
    constant: Constant
    gone: frozenset[bytes]

    @property
    def last(self) -> Constant:
        """The same as the series leaves it."""
        return self.header.by_name[self.constant.name]


def check(
    series: Series, onto_tree: str, trees: Trees, store: Store, history: History, added: Sequence[Lines] | None = None
) -> tuple[Finding, ...]:
    """Every number of the series that the target already uses otherwise, in the order of the patches and their lines.

    `added` are the added lines of each patch, where the caller has them already (History.added_lines). Never raises for what a
    file holds; only files to which the series adds a #define or a constant are read.
    """
    lines = added if added is not None else history.added_lines([(patch.parent_tree, patch.tree) for patch in series.patches])
    found = _collect(series, lines, store)
    target = _Target(onto_tree, trees, frozenset(each.constant.name for each in found))
    findings = [finding for each in found for finding in target.clashes(each)]
    findings += target.shifts(found)
    places = {patch.commit: number for number, patch in enumerate(series.patches)}
    return tuple(sorted(findings, key=lambda f: (places.get(f.patch, 0), f.path, f.line, f.symbol)))


def _collect(series: Series, lines: Sequence[Lines], store: Store) -> list[_Added]:
    """The numbers that are there after the last patch and were not before the first one that names them."""
    last: dict[bytes, Header] = {}
    words: dict[bytes, set[bytes]] = {}
    found: dict[tuple[bytes, bytes], tuple[Patch, FileChange, Constant]] = {}
    for patch, new in zip(series.patches, lines, strict=True):
        for change in patch.changes:
            path = change.new_path
            if change.new is None or not change.new.is_file or not path.endswith((b".h", b".c")):
                continue
            numbers = {number for number, row in new.get(path, ()) if _CANDIDATE.match(row)}
            if path not in last and not numbers:
                continue
            text = store.read(change.new.oid, "blob")
            if len(text) > LARGEST:
                continue
            last[path] = Header(path, text, b"x86", kernel=True)  # parsed where it is asked
            old = _words(change, store)
            words.setdefault(path, set()).update(old)
            for constant in simple(last[path].constants) if numbers else ():
                if constant.line in numbers and constant.name not in old:
                    found[path, constant.name] = (patch, change, constant)
    gone = {path: frozenset(words[path].difference(clash.WORD.findall(header.text))) for path, header in last.items()}
    return [
        _Added(patch, change, last[path], constant, gone[path])
        for (path, name), (patch, change, constant) in found.items()
        if name in last[path].by_name
    ]


def _words(change: FileChange, store: Store) -> frozenset[bytes]:
    """Every word of the file as it was: a superset of what it defined, and found in no time."""
    if change.old is None or not change.old.is_file:
        return frozenset()
    return frozenset(clash.WORD.findall(store.read(change.old.oid, "blob")))


class _Target:
    """The tree that the series is to go onto; `names` is all that the series adds."""

    def __init__(self, tree: str, trees: Trees, names: frozenset[bytes]) -> None:
        self._tree = tree
        self._trees = trees
        self._names = names
        self._read: dict[tuple[str, bytes], Header | None] = {}
        self._rules: dict[str, Exported] = {}

    def clashes(self, added: _Added) -> Iterator[Finding]:
        """The names of the target that have what one added name takes. One finding for each."""
        mine = added.last
        if not clash.is_number(mine, added.header, self._names):
            return
        family = clash.family_of(mine, added.header, self._names)
        for header, upstream in self._headers(added):
            for other in header.by_name.values():
                if other.name == mine.name:
                    yield from self._same_name(added, header, other)
                elif other.name in self._names or other.name in added.gone:
                    continue
                elif clash.same(mine, added.header, other, header, family) and not clash.agreed(other, header, upstream):
                    hint = self._way_out(added, other, header, family)
                    yield self._finding(added, self._level(added, other, header), _told(other, header), hint)

    def _level(self, added: _Added, other: Constant, header: Header) -> Level:
        """An error for what programs see and for the families that everybody knows; bits that only overlap may be meant."""
        ioctl = clash.ioctl_in(added.last, added.header) is not None
        equal = ioctl or clash.value_in(other, header) == clash.value_in(added.last, added.header)
        known = ioctl or added.constant.name.startswith(clash.FAMILIES)
        return Level.ERROR if equal and (known or self._visible(added)) else Level.WARNING

    def _same_name(self, added: _Added, header: Header, other: Constant) -> Iterator[Finding]:
        value, mine = clash.value_in(other, header), clash.value_in(added.last, added.header)
        if header.path == added.change.new_path and value is not None and mine is not None and value != mine:
            hint = "the target already has this name with another number; whoever uses it there means that one"
            yield self._finding(added, Level.ERROR, _told(other, header), hint)

    def shifts(self, found: Sequence[_Added]) -> Iterator[Finding]:
        """The enums of exported headers whose numbers move."""
        files: dict[bytes, list[_Added]] = {}
        for added in found:
            if added.constant.enum >= 0:
                files.setdefault(added.change.new_path, []).append(added)
        for path, those in files.items():
            header = self._header(self._tree, path)
            if header is not None and any(self._visible(added) for added in those):
                by_name = {added.constant.name: added for added in those}
                yield from self._shifted(by_name, shifts(those[0].header, header, by_name), header)

    def _shifted(self, added: Mapping[bytes, _Added], moved: Sequence[Shift], header: Header) -> Iterator[Finding]:
        mine: dict[bytes, list[Shift]] = {}
        for shift in moved:
            if shift.mine:
                mine.setdefault(shift.cause, []).append(shift)
            elif self._visible(added[shift.name]):
                where = f"{shift.merged} when it is put into the enum of {show_path(header.path)}"
                name = shift.name.decode("latin-1")
                hint = f"programs built for upstream use {shift.expected}: write `{name} = {shift.expected}`"
                yield self._finding(added[shift.name], Level.ERROR, where, hint, shift.expected)
        for cause, those in mine.items():
            told = ", ".join(f"{s.name.decode('latin-1')} {s.expected} to {s.merged}" for s in those[:4])
            more = f" and {len(those) - 4} more" if len(those) > 4 else ""
            hint = "programs built for the target keep the old numbers: add it at the end, or give it a number of its own"
            yield self._finding(added[cause], Level.ERROR, f"moves {told}{more} in {show_path(header.path)}", hint)

    def _headers(self, added: _Added) -> Iterator[tuple[Header, Header | None]]:
        """The target's versions of the header, and of those that share its numbers; upstream's beside each."""
        for path in (added.change.new_path, *_relatives(added.change.new_path, self._tree, self._trees)):
            header = self._header(self._tree, path)
            if header is not None:
                yield header, added.header if path == added.change.new_path else self._header(added.patch.tree, path)

    def _header(self, tree: str, path: bytes) -> Header | None:
        if (tree, path) not in self._read:
            text = self._trees.read(tree, path)
            arch = architecture(path) or b"x86"
            self._read[tree, path] = Header(path, text, arch, kernel=True) if text is not None else None
        return self._read[tree, path]

    def _visible(self, added: _Added) -> bool:
        """Whether programs see the name: exported by the target's rules or upstream's, and not for the kernel only."""
        path = added.change.new_path
        rules = [self._rules.setdefault(tree, Exported(tree, self._trees)) for tree in (self._tree, added.patch.tree)]
        if not any(rule.name(path) for rule in rules):
            return False
        return added.constant.name in Header(path, added.header.text, b"x86").by_name

    def _way_out(self, added: _Added, other: Constant, header: Header, family: bytes) -> str:
        if self._visible(added):
            name = other.name.decode("latin-1")
            return (
                f"programs built for upstream use this number: the target's {name} must take another, or they exclude each other"
            )
        number = clash.free(simple(header.constants), header, family, flags=clash.is_flag(added.last))
        return f"give one of them a free number, such as {number}" if number else "no number of the family is free in the target"

    def _finding(self, added: _Added, level: Level, target: str, hint: str, value: int | None = None) -> Finding:
        name = added.constant.name.decode("latin-1")
        text = str(value) if value is not None else added.last.text.decode("utf-8", "backslashreplace")
        said = f"{name} is {text}" if text else f"{name} is {clash.value_in(added.last, added.header)}"
        place = (added.patch.commit, added.change.new_path, added.constant.line)
        return Finding(level, KIND, name, *place, upstream=said, target=target, hint=hint)


def _told(other: Constant, header: Header) -> str:
    value = other.text.decode("utf-8", "backslashreplace") or str(clash.value_in(other, header))
    return f"{other.name.decode('latin-1')} is {value} at {show_path(header.path)}:{other.line}"


def _relatives(path: bytes, tree: str, trees: Trees) -> Iterator[bytes]:
    """Headers that share one space of numbers with a generic one: each architecture's mman.h with asm-generic/mman-common.h."""
    folder, _, name = path.rpartition(b"/")
    if folder not in (b"include/asm-generic", b"include/uapi/asm-generic"):
        return
    stem = name.removesuffix(b".h").removesuffix(b"-common")
    yield from (there for each in (stem, stem + b"-common") if (there := folder + b"/" + each + b".h") != path)
    arch = trees.entry(tree, b"arch")
    for each in trees.listing(arch.oid) if arch is not None and arch.mode == TREE else ():
        for middle in (b"/include/asm/", b"/include/uapi/asm/"):
            there = b"arch/" + each + middle + stem + b".h"
            text = trees.read(tree, there)
            if text is not None and b"asm-generic/" + stem in text:
                yield there

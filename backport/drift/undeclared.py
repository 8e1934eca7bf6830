"""The first guard: names on the added lines of a series that nothing in the target declares.

Upstream is the judge of what a name is. A name counts as missing only where a file, a header or a macro call that the patch sees
upstream declares it, and nothing that the same file sees in the target does, neither the tree nor the series so far. What
not even upstream's own tree explains to our reader (a word made by a macro) is counted, not guessed at.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from backport.csource.outline import includes
from backport.drift.added import Added, read_added
from backport.drift.arity import changed_arity
from backport.drift.configured import only_configured
from backport.drift.members import absent_members, changed_members
from backport.drift.merged import merge_faults
from backport.drift.missing import FileCheck
from backport.drift.order import moved_constants
from backport.drift.origin import Origin, Origins
from backport.drift.side import Overlay
from backport.drift.signatures import changed_signatures
from backport.drift.takenaway import Merged, lost_names, no_longer_seen, still_used
from backport.drift.unchecked import LARGEST, Unchecked
from backport.drift.view import Missing, Texts, View
from backport.drift.workbench import Lines, Workbench
from backport.model.finding import Finding
from backport.model.result import Skipped
from backport.model.series import FileChange, Patch, Series

STAGE = "drift"
_SOURCE = (b".c", b".h")
_NOTHING = Added((), frozenset(), frozenset(), (), ())
_BINARY = 8000  # bytes at the start of a file in which a NUL says that it is no text: git's own rule
_TELLING = 12  # bytes of a line from which it tells one file from another


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What the guard found, in the order of the patches and their lines, and what it could not look at."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]


class KernelGuard:
    """Asked about each patch of a series in order (replay.guard.Guard): every name on an added line that nothing declares.

    What was accepted before counts as the target's; a patch that was left out does not. Upstream trees are read only where a
    name is in doubt. A guard costs nothing to make and little to ask (15 ms for a patch of the stable series): a sweep makes
    one for each pair of patch and target, on one workbench, with `since` to find the history that brought a name.
    """

    def __init__(self, series: Series, onto_tree: str, bench: Workbench, since: Callable[[], str] | None = None) -> None:
        self._series = series
        self._bench = bench
        self._trees = bench.trees
        self._store = bench.store
        self._index = bench.index
        self._overlay = self._trial = Overlay()
        self._before = self._after = onto_tree
        self._target = bench.target(onto_tree)
        self._origins = Origins(since or series.base, bench.trees, bench.history, bench.index)
        self._unchecked = Unchecked()
        self._lines: dict[str, Lines] = {}

    def findings(self, patch: Patch, tree: str = "") -> list[Finding]:
        """What a patch needs and the target, with all that was accepted, does not have."""
        if not self._lines:
            self._preload()
        self._trial, self._after = self._overlay.copy(), tree or self._before
        added: list[tuple[FileChange, Added]] = []
        for change in patch.changes:
            lines = [number for number, _ in self._lines[patch.commit].get(change.new_path, ())]
            if change.new is None or not change.new.is_file:
                continue
            if change.new_path.endswith(_SOURCE):
                text = self._store.read(change.new.oid, "blob")
                if len(text) > LARGEST or b"\0" in text[:_BINARY]:
                    self._unchecked.leave("large" if len(text) > LARGEST else "binary", change.new_path)
                    self._learn(change, _NOTHING)  # others may include it
                    continue
                added.append((change, read_added(text, change.new.oid, lines, self._index) if lines else _NOTHING))
            elif change.new_path.endswith(b".S") and lines:
                self._unchecked.leave("assembler", change.new_path)
        for change, what in added:
            self._learn(change, what)
        self._target.side.bring(self._trial.files)
        seen = [(view, what) for change, what in added if (view := self._seen(patch, change)) is not None]
        found = [missing for view, what in seen for missing in self._added(view, what)]
        return self._findings(patch, [*found, *self._merges(view for view, _ in seen)])

    def accept(self, patch: Patch) -> None:
        """The patch last asked about landed: its names are the target's from now on."""
        self._overlay, self._before = self._trial, self._after

    def going_on(self, patches: Sequence[Patch]) -> KernelGuard:
        """A guard for other patches behind those that this one has accepted; this one stays as it is."""
        other = copy.copy(self)
        other._series, other._lines = replace(self._series, patches=tuple(patches)), {}
        other._unchecked = self._unchecked.copy()
        return other

    def _preload(self) -> None:
        """Read the added lines of all patches, and all that the target's versions of their files include, in few steps.

        What a single file includes is read when it is asked about, in as few steps.
        """
        added = self._bench.added_lines(self._series.patches)
        self._lines = {patch.commit: lines for patch, lines in zip(self._series.patches, added, strict=True)}
        changes = [change for patch in self._series.patches for change in patch.changes]
        paths = {path for change in changes for path in (change.new_path, change.old_path) if path.endswith(_SOURCE)}
        entries = {path: self._trees.entry(self._target.side.tree, path) for path in sorted(paths)}
        self._store.prefetch(e.oid for e in entries.values() if e is not None and e.is_file)
        texts = {path: text for path in entries if (text := self._target.text(path)) is not None}
        if len(texts) > 1:
            self._target.side.preload({path: includes(text) for path, text in texts.items()})

    def _seen(self, patch: Patch, change: FileChange) -> View | None:
        path = self._target.path(change, self._trial) or self._moved(change, self._lines[patch.commit])
        if path is None or change.new is None:
            self._unchecked.leave("absent", change.new_path)
            return None
        old = self._store.read(change.old.oid, "blob") if change.old is not None and change.old.is_file else b""
        texts = Texts(change.new_path, change.new.oid, old, self._store.read(change.new.oid, "blob"))
        merged = self._trees.read(self._after, path) if self._after != self._before else None
        return View(path, texts, self._target, self._bench.side(patch.tree), self._trial, merged)

    def _moved(self, change: FileChange, added: Lines) -> bytes | None:
        """Where the replay put a file that the target calls otherwise: told by what it changed in the target."""
        lines = {row.strip() for _, row in added.get(change.new_path, ()) if len(row.strip()) > _TELLING}
        paths = self._trees.differing(self._before, self._after) if self._before != self._after and lines else ()
        texts = {path: self._trees.read(self._after, path) for path in paths if path.endswith(change.new_path[-2:])}
        found = [p for p, text in texts.items() if text is not None and lines <= {row.strip() for row in text.split(b"\n")}]
        return found[0] if len(found) == 1 else None

    def _added(self, view: View, what: Added) -> list[Missing]:
        """What the added lines of one file ask for in vain."""
        check = FileCheck(view, what)
        found = [
            *check.missing(),
            *absent_members(view, what.accesses),
            *changed_members(view, what.accesses),
            *changed_signatures(view, what.uses),
            *changed_arity(view, what.uses),
            *only_configured(view, what.uses),
            *moved_constants(view, what.uses),
        ]
        self._unchecked.leave_names("unexplained", view.path, check.unexplained)
        self._unchecked.leave_names("unsearched", view.path, check.unsearched)
        return found

    def _merges(self, views: Iterable[View]) -> Iterable[Missing]:
        """What the merges themselves broke, where they made another text than upstream's."""
        merges = {view: self._merge(view) for view in views} if self._before != self._after else {}
        files = {view: file for view, file in merges.items() if file is not None}
        made = {view: file for view, file in files.items() if file.after != view.change.new}
        lost = {file.path: names for file in files.values() if (names := lost_names(file))} if made else {}
        for view, file in made.items():
            yield from merge_faults(view.change.path, file.before, file.after, view.change.new, view.known)
            yield from still_used(view, file, lost)
            yield from no_longer_seen(view, file)

    def _merge(self, view: View) -> Merged | None:
        before, after = (self._trees.read(tree, view.path) for tree in (self._before, self._after))
        return Merged(view.path, before, after) if before is not None and after is not None and before != after else None

    def _learn(self, change: FileChange, what: Added) -> None:
        """From now on the series has these names, and these #include lines."""
        overlay, path = self._trial, change.new_path
        overlay.names.update(what.declares)
        overlay.members.update(what.members)
        overlay.reshaped.update(what.reshaped)
        overlay.locals.setdefault(path, set()).update(what.locals)
        overlay.includes.setdefault(path, []).extend(what.includes)
        if change.new is not None:
            overlay.versions[path] = change.new.oid
        if change.new is not None and (change.old is None or change.old_path in overlay.files):
            overlay.files[path] = change.new.oid

    def _findings(self, patch: Patch, found: Iterable[Missing]) -> list[Finding]:
        first: dict[tuple[bytes, bytes], Missing] = {}
        for missing in sorted(found, key=lambda m: (not m.sure, m.mild, m.path, m.line)):
            first.setdefault((missing.path, missing.name), missing)
        told = sorted(first.values(), key=lambda m: (m.path, m.line))
        defined = {m.name: m.upstream.path for m in told if m.upstream is not None}
        origins = self._origins.find(defined, patch.commit) if defined else {}
        return [self._finding(patch, missing, origins.get(missing.name)) for missing in told]

    def _finding(self, patch: Patch, missing: Missing, origin: Origin | None) -> Finding:
        if missing.function:
            cause = self._origins.of_local(missing.name, missing.function, missing.path, patch.commit)
            origin = Origin(cause) if cause is not None else None
        elif missing.turned and missing.upstream is not None:
            cause = self._origins.of_change(missing.turned, missing.upstream.path, patch.commit)
            origin = Origin(cause) if cause is not None else None
        known = origin is not None and bool(origin.before) and self._target.knows(origin.before, missing.path)
        before = origin.before.decode("ascii", "replace") if origin is not None and known else ""
        return Finding(
            level=missing.level,
            kind=missing.kind,
            symbol=missing.name.decode("ascii", "backslashreplace"),
            patch=patch.commit,
            path=missing.path,
            line=missing.line,
            upstream=missing.said or str(missing.upstream or ""),
            target=missing.target,
            introduced_by=origin.cause if origin is not None else None,
            hint=f"the target spells it {before}" if before else missing.hint,
        )

    def skipped(self) -> tuple[Skipped, ...]:
        """What was not looked at, counted and listed."""
        return self._unchecked.skipped(STAGE)


def summary(findings: Sequence[Finding]) -> str:
    """The findings in one phrase, for the line of the stage."""
    errors = sum(f.blocks for f in findings)
    if not findings:
        return "every name that the series uses is declared"
    return f"{errors} names that the target does not declare, {len(findings) - errors} warnings"

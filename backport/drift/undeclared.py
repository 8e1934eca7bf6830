"""The first guard: names on the added lines of a series that nothing in the target declares.

Upstream is the judge of what a name is. A name counts as missing only where a file, a header or a macro call that the patch sees
upstream declares it, and nothing that the same file sees in the target does, neither the tree nor the series so far. What
not even upstream's own tree explains to our reader (a word made by a macro) is counted, not guessed at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from backport.csource.index import Index
from backport.csource.outline import includes
from backport.csource.reading import Reader
from backport.drift.added import Added, read_added
from backport.drift.arity import changed_arity
from backport.drift.elsewhere import HeaderSearch
from backport.drift.members import absent_members
from backport.drift.merged import merge_faults
from backport.drift.missing import FileCheck
from backport.drift.origin import Origin, Origins
from backport.drift.side import Overlay, Side
from backport.drift.view import Missing, Target, Texts, View
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Finding, Level
from backport.model.progress import Progress
from backport.model.result import Skipped
from backport.model.series import FileChange, Patch, Series

STAGE = "drift"
_SOURCE = (b".c", b".h")


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What the guard found, in the order of the patches and their lines, and what it could not look at."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]


def check(
    series: Series, onto_tree: str, trees: Trees, store: Store, history: History, progress: Progress, cache: Path | None = None
) -> DriftReport:
    """What the guard finds where every patch of the series lands: for commits that nobody replays."""
    progress.stage(STAGE, len(series.patches))
    with KernelGuard(series, onto_tree, trees, store, history, cache) as guard:
        findings: list[Finding] = []
        for patch in series.patches:
            findings.extend(guard.findings(patch))
            guard.accept(patch)
            progress.step(patch.subject)
        skipped = guard.skipped()
    progress.done(summary(findings))
    return DriftReport(tuple(findings), skipped)


class KernelGuard:
    """Asked about each patch of a series in order (replay.guard.Guard): every name on an added line that nothing declares.

    What was accepted before counts as the target's; a patch that was left out does not. `cache` is the folder of the index;
    without one nothing is kept for the next run (1.5 s slower for KSM). Upstream trees are read only where a name is in doubt.
    A context manager: it may hold helper processes and the index's database.
    """

    def __init__(
        self, series: Series, onto_tree: str, trees: Trees, store: Store, history: History, cache: Path | None = None
    ) -> None:
        self._series = series
        self._trees = trees
        self._store = store
        self._history = history
        self._index = index = Index(Reader(store), cache)
        self._overlay = self._trial = Overlay()
        self._before = self._after = onto_tree
        self._target = Target(Side(onto_tree, trees, index), HeaderSearch(onto_tree, trees, store, index), trees)
        self._origins = Origins(series.base, trees, history, index)
        self._uncounted: Counter[str] = Counter()
        self._lines: dict[str, dict[bytes, list[tuple[int, bytes]]]] = {}

    def __enter__(self) -> KernelGuard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._index.__exit__(kind, error, trace)

    def findings(self, patch: Patch, tree: str = "") -> list[Finding]:
        """What a patch needs and the target, with all that was accepted, does not have."""
        if not self._lines:
            self._preload()
        self._trial, self._after = self._overlay.copy(), tree or self._before
        added: list[tuple[FileChange, Added]] = []
        for change in patch.changes:
            lines = [number for number, _ in self._lines[patch.commit].get(change.new_path, ())]
            if change.new is None or not change.new.is_file or not lines:
                continue
            if change.new_path.endswith(_SOURCE):
                text = self._store.read(change.new.oid, "blob")
                added.append((change, read_added(text, change.new.oid, lines, self._index)))
            elif change.new_path.endswith(b".S"):
                self._uncounted["assembler"] += 1
        for change, what in added:
            self._learn(change, what)
        self._target.side.bring(self._trial.files)
        upstream = Side(patch.tree, self._trees, self._index)
        found = [missing for change, what in added for missing in self._file(change, what, upstream)]
        return self._findings(patch, found)

    def accept(self, patch: Patch) -> None:
        """The patch last asked about landed: its names are the target's from now on."""
        self._overlay, self._before = self._trial, self._after

    def _preload(self) -> None:
        """Read the added lines of all patches, and all that the target's versions of their files include, in few steps."""
        added = self._history.added_lines([(patch.parent_tree, patch.tree) for patch in self._series.patches])
        self._lines = {patch.commit: lines for patch, lines in zip(self._series.patches, added, strict=True)}
        changes = [change for patch in self._series.patches for change in patch.changes]
        paths = {path for change in changes for path in (change.new_path, change.old_path) if path.endswith(_SOURCE)}
        entries = {path: self._trees.entry(self._target.side.tree, path) for path in sorted(paths)}
        self._store.prefetch(e.oid for e in entries.values() if e is not None and e.is_file)
        texts = {path: self._target.text(path) for path in entries}
        self._target.side.preload({path: includes(text) for path, text in texts.items() if text is not None})

    def _file(self, change: FileChange, what: Added, upstream: Side) -> list[Missing]:
        if change.new is None:
            return []
        path = self._target.path(change, self._trial)
        if path is None:
            self._uncounted["absent"] += 1
            return []
        old = self._store.read(change.old.oid, "blob") if change.old is not None and change.old.is_file else b""
        texts = Texts(change.new_path, change.new.oid, old, self._store.read(change.new.oid, "blob"))
        view = View(path, texts, self._target, upstream, self._trial)
        check = FileCheck(view, what)
        found = [
            *check.missing(),
            *absent_members(view, what.accesses),
            *changed_arity(view, what.uses),
            *self._merged(view, change),
        ]
        self._uncounted["unexplained"] += check.unexplained
        self._uncounted["unsearched"] += check.unsearched
        return found

    def _merged(self, view: View, change: FileChange) -> Iterable[Missing]:
        """What the merge itself broke, where it made another text than upstream's."""
        before, after = (self._trees.read(tree, view.path) for tree in (self._before, self._after))
        if self._before == self._after or before is None or after is None or after in (before, view.change.new):
            return ()
        return merge_faults(change.new_path, before, after, view.change.new, lambda names: set(view.declared(names)))

    def _learn(self, change: FileChange, what: Added) -> None:
        """From now on the series has these names, and these #include lines."""
        overlay, path = self._trial, change.new_path
        overlay.names.update(what.declares)
        overlay.members.update(what.members)
        overlay.reshaped.update(what.reshaped)
        overlay.locals.setdefault(path, set()).update(what.locals)
        overlay.includes.setdefault(path, []).extend(what.includes)
        if change.new is not None and (change.old is None or change.old_path in overlay.files):
            overlay.files[path] = change.new.oid

    def _findings(self, patch: Patch, found: Iterable[Missing]) -> list[Finding]:
        first: dict[tuple[bytes, bytes], Missing] = {}
        for missing in sorted(found, key=lambda m: (m.path, m.line)):
            first.setdefault((missing.path, missing.name), missing)
        defined = {m.name: m.upstream.path for m in first.values() if m.upstream is not None}
        origins = self._origins.find(defined, patch.commit) if defined else {}
        return [self._finding(patch, missing, origins.get(missing.name)) for missing in first.values()]

    def _finding(self, patch: Patch, missing: Missing, origin: Origin | None) -> Finding:
        known = origin is not None and bool(origin.before) and self._target.knows(origin.before, missing.path)
        before = origin.before.decode("ascii", "replace") if origin is not None and known else ""
        return Finding(
            level=Level.ERROR if missing.sure and missing.kind != "other-architecture" else Level.WARNING,
            kind=missing.kind,
            symbol=missing.name.decode("ascii", "backslashreplace"),
            patch=patch.commit,
            path=missing.path,
            line=missing.line,
            upstream=str(missing.upstream) if missing.upstream is not None else missing.said,
            target=missing.target,
            introduced_by=origin.cause if origin is not None else None,
            hint=f"the target spells it {before}" if before else missing.hint,
        )

    def skipped(self) -> tuple[Skipped, ...]:
        """What was not looked at, counted."""
        return tuple(self._skipped())

    def _skipped(self) -> Iterable[Skipped]:
        count = self._uncounted
        if count["assembler"]:
            yield Skipped(STAGE, f"{count['assembler']} changed assembler files", "names in .S files are not checked")
        if count["absent"]:
            yield Skipped(STAGE, f"{count['absent']} changed files", "the target does not have them; the replay says so too")
        if count["unexplained"]:
            why = "neither tree has a declaration that our reader understands (words made by macros)"
            yield Skipped(STAGE, f"{count['unexplained']} names on added lines", why)
        if count["unsearched"]:
            why = "the clone lacks objects, so that headers outside of the include closure could not be searched"
            yield Skipped(STAGE, f"{count['unsearched']} names", why, "give a full clone with --kernel")


def summary(findings: Sequence[Finding]) -> str:
    """The findings in one phrase, for the line of the stage."""
    errors = sum(f.blocks for f in findings)
    if not findings:
        return "every name that the series uses is declared"
    return f"{errors} names that the target does not declare, {len(findings) - errors} warnings"

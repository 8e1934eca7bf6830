"""`backport verify`: everything that a report says, held against the histories and the files beside it.

Derived anew: who the patches are, what merges, every tree and commit, conflicts with their places and causes, what refuses a
suspect patch, the patch files, the bundle. Looked up: results of rules and their evidence, findings. What is left is words
for people (a hint, why something was skipped): the report's own seal covers them, against damage and careless hands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backport.examine import open_histories
from backport.git.clone import Clone, resolve
from backport.git.history import History
from backport.git.publish import unbundle
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.mail.defined import mailed
from backport.model.definition import Definition
from backport.model.difference import Difference, Verified
from backport.model.errors import InputError
from backport.model.plural import plural
from backport.model.progress import Progress
from backport.model.result import RunResult
from backport.model.series import Patch
from backport.model.verdict import Verdict
from backport.package import version
from backport.prerequisites import folds_of
from backport.replay.situation import Library
from backport.report import document
from backport.verify import claims, output
from backport.verify.chain import Checked, upstream_patches, walk, with_folds


@dataclass(frozen=True, slots=True)
class Subject:
    """A report and its file, the histories to hold it against, and the definition that it names, where that is known.

    `changed` are the places at which it is not as it was sealed.
    """

    report: Path
    result: RunResult
    changed: tuple[str, ...]
    kernels: tuple[str, ...]
    definition: Definition | None


def read(path: Path) -> tuple[RunResult, tuple[str, ...]]:
    """A report, and the places at which it is not as it was sealed. InputError where it is none, or damaged beyond reading."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"there is no report: {error.strerror}", where=str(path), then="backport run SERIES") from error
    result, changed = document.inspect(data, str(path))
    return result, tuple(changed)


def verify(subject: Subject, progress: Progress) -> Verified:
    """What is not as the report says. InputError where no history is given that has its target."""
    result = subject.result
    progress.stage("verify", len(result.patches))
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        scratch = Path(folder)
        names = [result.onto_commit, *(patch.upstream for patch in result.patches)]
        sources = open_histories(subject.definition, subject.kernels, names, scratch, progress)
        with sources.store(scratch / "run.git") as store:
            found = [Difference(place, "it was changed since the report was written") for place in subject.changed]
            found += _bundle(result, subject.report.parent, store)
            _mails(subject.definition, sources.clones, store)
            found += differences(subject, sources.clones, store, progress)
    progress.done("as it says" if not found else plural(len(found), "difference"))
    hunks = sum(len(file.evidence) for patch in result.patches for file in patch.files)
    files = sum(len(patch.files) for patch in result.patches)
    return Verified(tuple(dict.fromkeys(found)), len(result.patches), files, hunks, len(result.artifacts))


def differences(subject: Subject, clones: tuple[Clone, ...], store: Store, progress: Progress) -> Iterator[Difference]:
    """What is not as the report says, seals apart. The store has what the run's bundle brings."""
    result, definition, folder = subject.result, subject.definition, subject.report.parent
    library = Library(store, Trees(store), History(store))
    yield from _target(result, clones, library)
    if definition is not None and any(row.mail for row in definition.commits):
        mailed(definition, resolve(clones, [definition.base])[0], store)
    known, wrong = upstream_patches(result, library)
    yield from wrong
    known = with_folds(result, known, clones, library)
    checked: list[Checked] = []
    for step in walk(result, known, library):
        if isinstance(step, Checked):
            checked.append(step)
            progress.step(step.told.subject)
        else:
            yield step
    yield from claims.patches(result, checked, _base(result, definition, clones, known, library), library)
    yield from claims.evidence(checked, library)
    yield from claims.findings(result, known, library)
    yield from output.mails(result, folder, store)
    yield from output.files(result, folder, subject.report.name)
    yield from output.bundle(result, folder)
    yield from _defined(result, definition)


def _mails(definition: Definition | None, clones: tuple[Clone, ...], store: Store) -> None:
    """Bring the commits of a series that was posted, which no history has: they are made again of the mails."""
    if definition is not None and any(row.mail for row in definition.commits):
        (base,) = resolve(clones, [definition.base])
        mailed(definition, base, store)


def _bundle(result: RunResult, folder: Path, store: Store) -> Iterator[Difference]:
    """Bring what only the run has made into the store."""
    for made in result.artifacts:
        path = folder / made.path
        if made.kind == "bundle" and ".." not in path.parts and path.is_file() and not path.is_symlink():
            try:
                unbundle(store, path)
            except GitFailedError as error:
                yield Difference(made.path, f"git cannot read it: {error.stderr}")


def _target(result: RunResult, clones: tuple[Clone, ...], library: Library) -> Iterator[Difference]:
    (named,) = resolve(clones, [result.onto])
    if named != result.onto_commit:
        yield Difference("onto", f"{result.onto} is {named or 'nothing'} in these histories")
    commit = library.history.commit(result.onto_commit)
    if commit.tree != result.onto_tree:
        yield Difference("onto_tree", f"it is {commit.tree}")
    kernel = version.parse(library.trees.read(commit.tree, b"Makefile") or b"", "Makefile").upstream
    if kernel != result.kernel_version:
        yield Difference("kernel_version", f"it is {kernel}")


def _base(
    result: RunResult, definition: Definition | None, clones: tuple[Clone, ...], known: Mapping[str, Patch], library: Library
) -> str:
    """The upstream commit before the series, as its definition says; without one, where series and target parted."""
    if definition is not None:
        return resolve(clones, [definition.base])[0] or ""
    first = next((patch.parent for patch in known.values() if patch.parent), "")
    return library.history.merge_base(result.onto_commit, first) if first else ""


def _defined(result: RunResult, definition: Definition | None) -> Iterator[Difference]:
    """What the report took over from the definition."""
    if definition is None:
        return
    for name in ("title", "config", "carried"):
        if getattr(result, name) != getattr(definition, name):
            yield Difference(name, f"{definition.source} says otherwise")
    reasons = {drop.commit: drop.reason for drop in definition.drops}
    dropped = [(i, patch) for i, patch in enumerate(result.patches) if patch.verdict is Verdict.DROPPED]
    for number, patch in dropped:
        if reasons.get(patch.upstream) != patch.reason:
            yield Difference(f"patches[{number}].reason", f"{definition.source} says otherwise")
    folds = {(fold.commit[:12], fold.into[:12]) for patch in result.patches for fold in folds_of(patch)}
    if folds != {(fold.commit[:12], fold.into[:12]) for fold in definition.folds}:
        yield Difference("patches", f"{definition.source} folds otherwise")
    gone = {fold.commit[:12] for fold in definition.folds}
    listed = [commit.commit for commit in definition.commits if commit.commit[:12] not in gone]
    told = [patch.upstream for patch in result.patches if patch.verdict is not Verdict.DROPPED]
    if not all(any(oid.startswith(short) for oid in told) for short in listed):
        yield Difference("patches", f"{definition.source} has a commit that the report does not")

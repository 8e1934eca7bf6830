"""Everything that a run hands over: patches and quilt series, a bundle of the commits, spec, config fragment, SRPM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git import publish
from backport.git.history import Commit
from backport.git.mail import format_patches
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.definition import Definition
from backport.model.errors import MissingToolError
from backport.model.plural import plural
from backport.model.progress import Progress
from backport.model.result import Artifact, Skipped
from backport.model.series import GITLINK
from backport.model.verdict import PatchOutcome
from backport.package import assemble, atomic, escape, manifest, patchfiles, source
from backport.package.plan import PatchFile, Plan
from backport.package.signer import packager
from backport.package.source import Source
from backport.package.tarball import Entry
from backport.package.version import KernelVersion


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said about the package: their tarball, who signs, whether an SRPM is wanted, where the cache is."""

    tarball: Path | None
    packager: str | None
    srpm: bool
    cache: Path


@dataclass(frozen=True, slots=True)
class Package:
    """What was written, and what was not and why."""

    artifacts: tuple[Artifact, ...]
    skipped: tuple[Skipped, ...]


def write(
    folder: Path,
    definition: Definition,
    wishes: Wishes,
    onto: Commit,
    kernel: KernelVersion,
    outcomes: Sequence[PatchOutcome],
    store: Store,
    trees: Trees,
    progress: Progress,
) -> Package:
    """Write the package of the landed patches into `folder`.

    Where nothing landed there is no package; where there is no rpm the SRPM is left out, and both are said in `skipped`.
    """
    landed = [outcome for outcome in outcomes if outcome.commit]
    progress.stage("package", 0)
    signer = packager(wishes.packager)
    if not landed:
        progress.done("nothing landed, no package")
        return Package((), (Skipped("package", "patches, spec and SRPM", "no patch landed on the target"),))
    mails = format_patches(store, [outcome.commit for outcome in landed])
    by_upstream = {outcome.upstream: mail for outcome, mail in zip(landed, mails, strict=True)}
    files, titles = patchfiles.group(definition, outcomes, by_upstream)
    artifacts = patchfiles.write(folder, files)
    progress.step(f"{len(files)} patch files")
    name = definition.name
    publish.bundle(store, onto.oid, landed[-1].commit, f"backport/{name}", folder / f"{name}.bundle")
    artifacts.append(Artifact(f"{name}.bundle", "bundle", atomic.sha256(folder / f"{name}.bundle")))
    plan = Plan(
        series=name,
        title=definition.title,
        kernel=kernel,
        source=_source(wishes, onto, kernel, store, trees, progress),
        patches=files,
        changelog=titles,
        config=definition.config,
        packager=signer,
        date=max(_seconds(store.read(outcome.commit, "commit")) for outcome in landed),
        buildid=escape.buildid_of(name),
        manifest=manifest.dump(definition, onto.oid, onto.tree, outcomes, files, _file_of(files, by_upstream)),
    )
    written, skipped = _assemble(folder, plan, wishes, progress)
    progress.done(f"{plural(len(files), 'patch file')}, kernel.spec" + ("" if skipped else f", {plan.nvr}.src.rpm"))
    return Package((*artifacts, *written), skipped)


def _file_of(files: Sequence[PatchFile], mails: Mapping[str, bytes]) -> dict[str, str]:
    """The patch file that holds each landed patch, by upstream id."""
    return {upstream: next(file.name for file in files if mail in file.data) for upstream, mail in mails.items()}


def _assemble(folder: Path, plan: Plan, wishes: Wishes, progress: Progress) -> tuple[tuple[Artifact, ...], tuple[Skipped, ...]]:
    wanted = Skipped("package", "the SRPM", "it was not asked for", "run again without --no-srpm")
    if wishes.srpm:
        try:
            return assemble.write(folder, plan, with_srpm=True, step=progress.step), ()
        except MissingToolError as error:
            wanted = Skipped("package", "the SRPM, and rpm's check of the spec", error.what, error.then)
    return assemble.write(folder, plan, with_srpm=False, step=progress.step), (wanted,)


def _source(wishes: Wishes, onto: Commit, kernel: KernelVersion, store: Store, trees: Trees, progress: Progress) -> Source:
    """Source0: the user's, or the target tree as a tarball; only its name where no SRPM is made of it."""
    if wishes.tarball is not None:
        found, _ = source.given(wishes.tarball, progress.step)
        return found
    prefix = f"linux-{kernel.version}"
    if not wishes.srpm:
        return Source(f"{prefix}.tar.gz", prefix)
    seconds = int(onto.committer.rpartition(b"> ")[2].split(b" ")[0])
    return source.cached(onto.tree, prefix, seconds, lambda: _entries(onto.tree, store, trees), progress.step, wishes.cache)


def _entries(tree: str, store: Store, trees: Trees) -> Iterable[Entry]:
    """The whole tree, file by file; a submodule is an empty folder, as in a checkout that never initialised it."""
    walked = list(trees.walk(tree))
    contents = store.stream([entry.oid for _, entry in walked if entry.mode != GITLINK])
    for path, entry in walked:
        yield path, entry.mode, b"" if entry.mode == GITLINK else next(contents)[1]


def _seconds(commit: bytes) -> int:
    """The committer's date, in seconds since 1970."""
    line = re.search(rb"^committer .*> (-?\d+) [+-]\d+$", commit, re.M)
    return max(0, int(line[1])) if line else 0

"""Whether what a series asks of the configuration is still there when the kernel is configured: asked before a spec is edited.

The patch files are applied to the tree, in memory, by the spec's own patch command; Kconfig is then read for every kernel that
the dist-git folder configures (its merged config files), or with the defconfigs where it has none. kconf itself says nothing: a
symbol whose dependency is unmet vanishes from .config with exit status 0, and rpmbuild goes on without the feature.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.drift.kconfig.check import KconfigReport, check
from backport.drift.kconfig.machines import Configured
from backport.git.clone import resolve_one
from backport.git.history import Commit, History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.sources import open_sources
from backport.model.errors import InputError
from backport.model.finding import Finding, Level
from backport.model.progress import Progress
from backport.model.series import Patch, Series
from backport.package.change import Change
from backport.package.distgit.applied import Application
from backport.package.distgit.patcher import NotAppliedError, Patcher
from backport.package.flavours import Flavour
from backport.settings import cache_folder

_FATAL = ("kconfig-absent", "kconfig-unmet", "kconfig-loop", "kconfig-syntax", "kconfig-source-absent")
_IDENT = b"patch file <backport@localhost> 0 +0000"


class WrongTreeError(InputError):
    """The tree is not there, or not the one for which the patches were made."""


@dataclass(frozen=True, slots=True)
class Survived:
    """What the tree says of a change: the symbols that it brings and that ask the user, and a sentence for each thing to know."""

    asked: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the change, how the spec applies patches, the kernels that its folder configures, the tree."""

    change: Change
    how: Application
    flavours: tuple[Flavour, ...]
    kernels: tuple[str, ...]
    onto: str


def survive(question: Question, progress: Progress) -> Survived:
    """What the tree `onto` with the patch files applied says of the config that the change asks for.

    InputError where a symbol would survive on no kernel (with the dependency that kills it), or where Kconfig cannot be read any
    more; WrongTreeError where the tree is not there, or a patch file does not apply to it. What fails on some kernels only is a
    fact to know, not an error.
    """
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        try:
            sources = open_sources(question.kernels, [question.onto], cache_folder(), progress)
            oid = resolve_one(sources.clones, question.onto, "--onto")
        except InputError as error:
            raise WrongTreeError(error.what, where=error.where, then=error.then) from error
        with sources.store(Path(folder) / "run.git") as store:
            trees, history = Trees(store), History(store)
            onto = history.commit(oid)
            series = _applied(question, onto, store, trees, history, Path(folder))
            kernels = [Configured(one.name, one.cpu, one.text.decode("latin-1")) for one in question.flavours]
            config = question.change.config
            report = check(series, onto.tree, series.patches[-1].tree, config, trees, store, history, kernels)
    found = [one for one in report.findings if one.kind in _FATAL]
    for one in found:
        if one.level is Level.ERROR:
            raise InputError(
                _sentence(one, question), where=_shown(question.onto), then=one.hint or "correct the [config] of the series"
            )
    return Survived(tuple(symbol.name for symbol in report.symbols if symbol.prompt), tuple(_facts(report, found, question)))


def _applied(question: Question, onto: Commit, store: Store, trees: Trees, history: History, scratch: Path) -> Series:
    """The patch files as a series: one commit each, made by the spec's own patch command."""
    patcher = Patcher(store, trees, scratch)
    tree, parent, patches = onto.tree, onto.oid, []
    for file in question.change.patches:
        try:
            after = patcher.apply(tree, file.data, replace(question.how, name=file.name))
        except NotAppliedError as error:
            then = "give the tree for which they were made: --onto REV"
            raise WrongTreeError(
                f"{file.name} does not apply to {_shown(question.onto)}: {error.what}", where=file.name, then=then
            ) from error
        heading = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n" % (after.encode(), parent.encode(), _IDENT, _IDENT)
        commit = store.write("commit", heading + file.name.encode())
        changes = history.changes([(tree, after)])[0]
        patches.append(Patch(commit, parent, after, tree, _IDENT, _IDENT, b"", file.name.encode(), changes))
        tree, parent = after, commit
    return Series(question.change.series, question.change.series, onto.oid, tuple(patches))


def _facts(report: KconfigReport, found: Sequence[Finding], question: Question) -> list[str]:
    partly = [_sentence(one, question) for one in found]
    config = ", ".join(f"CONFIG_{value.symbol}={value.value}" for value in question.change.config)
    where = f"{len(question.flavours)} kernels of the folder" if question.flavours else "defconfig of each architecture"
    fine = [f"{config} survives on {_shown(question.onto)} with the patches ({where})"] if config and not partly else []
    return [*fine, *partly, *(f"{one.what}: not looked at, {one.why}" for one in report.skipped)]


def _sentence(found: Finding, question: Question) -> str:
    value = next((f"={v.value}" for v in question.change.config if v.symbol == found.symbol), "")
    if not found.symbol:
        return f"Kconfig cannot be read with the patches: {found.target}"
    how = "does not survive" if found.level is Level.ERROR else "does not survive everywhere"
    return f"CONFIG_{found.symbol}{value} {how}: {found.target}"


def _shown(revision: str) -> str:
    return revision[:12] if re.fullmatch(r"[0-9a-f]{40}", revision) else revision

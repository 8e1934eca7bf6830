"""The stair, walked down once: ingest, replay, drift, package, prove (where asked), report.

Nothing is written outside the output folder (and the cache), and that appears in its place only when all of it is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from backport import __version__
from backport.examine import Workshop, examine, open_histories
from backport.git import publish
from backport.git.clone import resolve_one
from backport.git.history import Commit, History
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.ingest.mail.defined import signatures
from backport.model.definition import Definition
from backport.model.progress import Progress
from backport.model.result import Proved, RunResult
from backport.model.verdict import PatchOutcome, Verdict
from backport.output import MARK, output_folder
from backport.package import atomic, version
from backport.package.handover import Wishes, write
from backport.prerequisites import complete, marked
from backport.report import document, figures
from backport.settings import cache_folder

REPORT = MARK


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for; `kernels` is empty only for a definition whose history is embedded."""

    definition: Definition
    kernels: tuple[str, ...]
    onto: str
    destination: Path
    branch: str | None = None
    tarball: Path | None = None
    packager: str | None = None
    srpm: bool = True
    prerequisites: bool = False
    suggestions: bool = False
    prove: tuple[str, ...] = ()


def run(options: Options, progress: Progress) -> RunResult:
    """Walk the stair for one series and one target; the result is also in `destination`/report.json.

    A conflict, a finding or a missing rpm is part of the result. An error of ours means that nothing was written.
    """
    definition = options.definition
    if options.prove:
        from backport import proving  # late: compilers and machines are 30 modules, and most runs prove nothing

        proving.check_stages(options.prove)
    with output_folder(options.destination) as work, ExitStack() as stack:
        sources = open_histories(definition, options.kernels, [options.onto], work, progress)
        if options.branch is not None:
            publish.check_branch(sources.clones[0], options.branch)
        store = stack.enter_context(sources.store(work / "run.git"))
        shop = Workshop(store, Trees(store), History(store))
        onto = shop.history.commit(resolve_one(sources.clones, options.onto))
        kernel = version.parse(shop.trees.read(onto.tree, b"Makefile") or b"", f"{options.onto}:Makefile")

        series = ingest(definition, sources.clones, store, progress)
        put: Mapping[str, str] = {}
        if options.prerequisites:
            definition, series, put = complete(definition, series, onto, shop, progress)
        examined = examine(series, onto, shop, definition, progress, suggestions=options.suggestions)
        replayed = examined.replayed
        wishes = Wishes(options.tarball, options.packager, options.srpm, cache_folder())
        package = write(work, definition, wishes, onto, kernel, replayed.outcomes, store, shop.trees, progress)

        proved = _proved(replace(options, definition=definition), onto, replayed.outcomes, shop, work, progress)
        result = RunResult(
            tool=f"backport {__version__}",
            series=definition.name,
            title=definition.title,
            onto=options.onto,
            onto_commit=onto.oid,
            onto_tree=onto.tree,
            kernel_version=kernel.upstream,
            tip=replayed.tip if replayed.tip != onto.oid else "",
            tip_tree=replayed.tree,
            patches=(*marked(replayed.outcomes, put, definition.folds), *_dropped(definition)),
            findings=(*signatures(definition), *examined.findings, *proved.findings),
            config=definition.config,
            artifacts=package.artifacts,
            skipped=(*examined.skipped, *package.skipped, *proved.skipped),
            proofs=tuple(proved.proofs),
            carried=definition.carried,
        )
        progress.stage("report", 1)
        atomic.put(work / REPORT, document.dump(result))
        if proved.measured:
            atomic.put(work / figures.FILE, figures.dump(proved.measured))
        if options.branch is not None and result.tip:
            publish.publish(store, sources.clones[0], result.tip, options.branch)
        stack.close()
        for scratch in ("run.git", "sample.git"):
            shutil.rmtree(work / scratch, ignore_errors=True)
        progress.done(REPORT)
    return result


def _proved(
    options: Options, onto: Commit, outcomes: Sequence[PatchOutcome], shop: Workshop, work: Path, progress: Progress
) -> Proved:
    """What `--prove` asks for. Compilers and machines are loaded only then: they are 30 modules, and most runs prove nothing."""
    if not options.prove:
        return Proved()
    from backport import proving

    subject = proving.hand_over(options.definition, options.onto, onto, outcomes, shop)
    return proving.prove(options.prove, subject, work / "proof", progress)


def _dropped(definition: Definition) -> list[PatchOutcome]:
    return [PatchOutcome(drop.commit, drop.subject, Verdict.DROPPED, reason=drop.reason) for drop in definition.drops]

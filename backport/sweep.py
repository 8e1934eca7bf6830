"""Replays many commits, each onto a target of its own, on several processes: the outcome of each as one line of JSON.

The pairs are cut into waves of equal size. A wave is settled in a scratch store of its own, so that a worker needs nothing but
the paths of the clones; lines come out in the order of the pairs, whoever made them. Nothing is written but what the caller
does with the lines, and new objects where `keep` asks for them.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from backport.drift.undeclared import KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.git.worker import begin
from backport.ingest.pairs import find_ids, read_pairs, read_patches
from backport.ingest.sources import open_sources
from backport.model import codec
from backport.model.errors import BackportError, EnvironmentFailedError, InputError, MissingToolError
from backport.model.progress import Progress
from backport.model.series import Patch, Series
from backport.model.verdict import FileOutcome, Suggestion, rules_of
from backport.replay.guard import Guard
from backport.replay.policy import Policy
from backport.replay.settle import Settled
from backport.replay.situation import Library
from backport.replay.wave import Guards, Job, settle_wave, trusting
from backport.report.drift import finding
from backport.resume import continued
from backport.settings import cache_folder

WAVE = 32
_AHEAD = 4  # waves that may be done before the one whose lines are due


@dataclass(frozen=True, slots=True)
class Request:
    """What `backport sweep` was asked: a list of pairs, histories, where the lines go, and who works."""

    pairs: Path
    kernels: tuple[str, ...]
    onto: str = ""
    out: Path | None = None
    keep: Path | None = None
    drift: bool = True
    timing: bool = True
    workers: int | None = None
    dask: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What every wave of a sweep is told: the object folders of the clones, whether to check drift, whether to tell times.

    `keep` is a bare repository in which the resulting trees stay; without one they are gone when the sweep ends.
    """

    objects: tuple[str, ...]
    shallow: bytes = b""
    drift: bool = True
    timing: bool = True
    keep: str = ""


Ids = tuple[str | None, str | None]
"""A commit and its target; None for what no clone knows."""


def run(request: Request, progress: Progress, stdout: IO[bytes]) -> int:
    """Sweep, and write the lines to the file that was asked for, else to `stdout`; the number of pairs that failed.

    A file that a killed sweep left is continued: its whole lines stay, half a line is dropped.
    """
    try:
        told = read_pairs(request.pairs.read_bytes(), str(request.pairs), request.onto)
    except OSError as error:
        raise InputError(f"cannot read the list: {error.strerror}", where=str(request.pairs)) from error
    names = sorted({name for pair in told for name in (pair.commit, pair.onto)})
    sources = open_sources(request.kernels, names, cache_folder(), progress)
    if request.keep is not None:
        Store(request.keep, [clone.objects for clone in sources.clones])  # a repository in which git sees the rest as well
    with tempfile.TemporaryDirectory(prefix="backport-") as folder, sources.store(Path(folder) / "run.git") as store:
        pairs = find_ids(told, sources.clones, store)
    plan = Plan(
        objects=tuple(str(clone.objects) for clone in sources.clones),
        shallow=b"".join(clone.shallow for clone in sources.clones),
        drift=request.drift,
        timing=request.timing,
        keep=str(request.keep) if request.keep is not None else "",
    )
    with ExitStack() as stack:
        done, out = stack.enter_context(continued(request.out, pairs)) if request.out is not None else (0, stdout)
        executor = stack.enter_context(_executor(request))
        return _write(pairs[done:], plan, executor, progress, out)


def _write(pairs: Sequence[Ids], plan: Plan, executor: Executor, progress: Progress, out: IO[bytes]) -> int:
    """Write each line as it comes; the number of those that tell of an error."""
    progress.stage("sweep", len(pairs))
    counts: Counter[str] = Counter()
    for line in sweep(pairs, plan, executor):
        out.write(line)
        out.flush()
        row = json.loads(line)
        counts[row["verdict"]] += 1
        progress.step(f"{str(row['commit'])[:12]} {row['verdict']}")
    progress.done(", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items())) or "nothing was left to do")
    return counts["error"]


@contextmanager
def _executor(request: Request) -> Iterator[Executor]:
    """Processes of this machine, or the workers of a Dask cluster."""
    if request.dask is None:
        with ProcessPoolExecutor(request.workers, initializer=begin) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingToolError("Dask is not installed", where="--dask", then="pip install 'backport[dask]'") from error
    try:
        client = Client(request.dask, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError; ValueError: no address at all
        raise InputError(f"there is no Dask cluster: {error}", where=f"--dask {request.dask}") from error
    with client:
        yield client.get_executor()


def sweep(pairs: Sequence[Ids], plan: Plan, executor: Executor) -> Iterator[bytes]:
    """One line of JSON for each pair, in order. `executor` is any of concurrent.futures, or one that quacks like it."""
    waves = [pairs[start : start + WAVE] for start in range(0, len(pairs), WAVE)]
    pending: list[Future[list[bytes]]] = []
    try:
        for wave in waves:
            pending.append(executor.submit(run_wave, wave, plan))
            if len(pending) > _AHEAD:
                yield from pending.pop(0).result()
        while pending:
            yield from pending.pop(0).result()
    finally:
        for future in pending:
            future.cancel()


def run_wave(pairs: Sequence[Ids], plan: Plan) -> list[bytes]:
    """The lines of one wave. Everything that it needs is in its arguments, and can be pickled."""
    with tempfile.TemporaryDirectory(prefix="backport-sweep-", dir=plan.keep or None) as folder:
        path = Path(folder) / "wave.git"
        with Store(path, [Path(place) for place in plan.objects], shallow=plan.shallow, keep_last=bool(plan.keep)) as store:
            lines = list(_lines(pairs, plan, Library(store, Trees(store), History(store))))
        if plan.keep:
            _keep(path / "objects", Path(plan.keep) / "objects")
    return lines


def _lines(pairs: Sequence[Ids], plan: Plan, library: Library) -> Iterator[bytes]:
    known = list(dict.fromkeys(commit for commit, _ in pairs if commit))
    patches = dict(zip(known, read_patches(known, library.store, library.history), strict=True))
    library.store.prefetch(onto for _, onto in pairs if onto)
    jobs = [_job(pair, patches, library) for pair in pairs]
    sound = [job for job in jobs if isinstance(job, Job)]
    with ExitStack() as stack:
        guards = _guards([job.patch for job in sound], library, stack) if plan.drift else trusting
        settled = settle_wave(sound, library, Policy(diffs=False), guards)
        for pair, job in zip(pairs, jobs, strict=True):
            row, seconds = (_failed(pair, job), 0.0) if isinstance(job, BackportError) else _told(job, *next(settled), plan)
            if plan.timing:
                row["ms"] = round(seconds * 1000, 1)
            yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


def _guards(patches: Sequence[Patch], library: Library, stack: ExitStack) -> Guards:
    """The drift guard for each job of a wave, all on one workbench. Who brought a name is asked only of what is found."""
    bench = stack.enter_context(Workbench(library.trees, library.store, library.history, cache_folder()))
    bench.added_lines(patches)

    def drift(job: Job) -> AbstractContextManager[Guard]:
        parent = job.patch.parent
        since = partial(library.history.merge_base, job.onto, parent) if parent else None
        return nullcontext(KernelGuard(Series("", "", "", (job.patch,)), job.tree, bench, since))

    def opened(jobs: Sequence[Job]) -> Callable[[Job], AbstractContextManager[Guard]]:
        with suppress(BackportError):  # whose object is missing is said when that job is settled
            bench.prefetch((job.patch, job.tree) for job in jobs)
        return drift

    return opened


def _job(pair: Ids, patches: dict[str, Patch | BackportError], library: Library) -> Job | BackportError:
    commit, onto = pair
    if commit is None or onto is None:
        return BackportError(f"no clone has the {'commit' if commit is None else 'target'}")
    patch = patches[commit]
    if isinstance(patch, BackportError):
        return patch
    try:
        return Job(patch, onto, library.history.commit(onto).tree)
    except BackportError as error:
        return error


def _told(job: Job, settled: Settled | BackportError, seconds: float, plan: Plan) -> tuple[dict[str, Any], float]:
    if isinstance(settled, BackportError):
        return _failed((job.patch.commit, job.onto), settled), seconds
    return _row(job, settled, plan), seconds


def _failed(pair: Ids, error: BackportError) -> dict[str, Any]:
    return _head(pair) | {"verdict": "error", "tree": None, "reason": str(error), "files": [], "rules": [], "suggestions": []}


def _head(pair: Ids) -> dict[str, Any]:
    return {"commit": pair[0], "onto": pair[1]}


def _row(job: Job, settled: Settled, plan: Plan) -> dict[str, Any]:
    outcome = settled.outcome
    row = _head((job.patch.commit, job.onto)) | {
        "verdict": outcome.verdict.value,
        "tree": outcome.tree or (None if outcome.verdict.needs_person else job.tree),
        "reason": outcome.reason,
        "files": [_file(file) for file in outcome.files],
        "rules": list(rules_of(outcome.files)),
        "suggestions": [_suggestion(suggestion) for suggestion in outcome.suggestions],
    }
    if plan.drift:
        row["findings"] = [finding(found) for found in settled.findings]
    return row


def _file(file: FileOutcome) -> dict[str, Any]:
    return {
        "path": codec.encode(file.path),
        "rule": file.rule,
        "result": file.result.oid if file.result is not None else None,
    }


def _suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "rules": list(suggestion.rules),
        "tree": suggestion.tree,
        "right": suggestion.right,
        "asked": suggestion.asked,
        "doubts": list(suggestion.doubts),
    }


def _keep(made: Path, place: Path) -> None:
    """Move a wave's objects to a repository, each file in one step: another wave may be writing the same ones. Indexes last."""
    try:
        packs = sorted(made.glob("pack/*"), reverse=True)  # .pack before .idx
        for path in (*made.glob("[0-9a-f][0-9a-f]/*"), *packs):
            goal = place / path.parent.name / path.name
            goal.parent.mkdir(exist_ok=True)
            with suppress(FileExistsError):
                path.rename(goal)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot keep the resulting objects: {error.strerror}", where=str(place)) from error

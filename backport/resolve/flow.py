"""A person's turn, command by command: begin, continue, skip, status, abort.

    begin:     replay, stop at the first patch that needs a person, lay out the folder
    continue:  read what they made of it, record it, replay with that: if it lands, on to the next stop

What counts is in the recordings: the folder is laid out anew from them, and a session that is killed anywhere goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.git.clone import resolve_one
from backport.git.runner import user_identity
from backport.git.sparse import Worktree
from backport.ingest import accepted, resolutions
from backport.ingest.sources import open_sources, wanted_names
from backport.model.definition import Acceptance, Definition
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.finding import Finding
from backport.model.progress import Progress, Silent
from backport.model.recording import Recording
from backport.model.series import show_path
from backport.model.turn import Place, Turn
from backport.model.verdict import PatchOutcome
from backport.replay.guard import refusal
from backport.resolve.bench import Bench, Stop, bench, check
from backport.resolve.layout import Layout, around, lay_out
from backport.resolve.markers import labels, left_over
from backport.resolve.record import Author, record
from backport.resolve.session import Session, exists, load, locked, place, save
from backport.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Wish:
    """What `backport resolve SERIES` was asked: `records` is the folder for what is decided, `places` those searched for it."""

    definition: Definition
    kernels: tuple[str, ...]
    onto: str
    folder: Path
    records: Path
    places: tuple[Path, ...]


def begin(wish: Wish, progress: Progress) -> Turn:
    """Open a session and stop at the first patch that needs a person. The folder goes again where nothing does, or on an error.

    InputError where the folder holds something else, EnvironmentFailedError where a session is open in it.
    """
    folder = wish.folder.absolute()
    if folder.is_symlink() or (folder.exists() and not place(folder).is_dir() and (not folder.is_dir() or any(folder.iterdir()))):
        raise InputError("the folder holds something that is not ours", where=str(folder), then="give another with --in DIR")
    with locked(folder):
        if exists(folder):
            then = "backport resolve continue, skip, status or abort"
            raise EnvironmentFailedError("a session is open in this folder", where=str(folder), then=then)
        try:
            target = _target(wish, folder, progress)
            session = Session(
                definition=str(wish.definition.source.absolute()),
                records=str(wish.records.absolute()),
                places=tuple(str(each.absolute()) for each in wish.places),
                kernels=tuple(kernel if "://" in kernel else _absolute(kernel) for kernel in wish.kernels),
                onto=wish.onto,
                target=target,
            )
            save(folder, session)
            return _advance(folder, session, progress)
        except BaseException:
            if not exists(folder) or load(folder).phase == "moving":
                shutil.rmtree(folder, ignore_errors=True)  # it was not there, or empty, when we came
            raise


def proceed(folder: Path, reason: str, progress: Progress) -> Turn:
    """Take what the person made of the patch, if it is whole and the guard agrees, and go on to the next.

    Findings that the guard still has are accepted for `reason`, where one is given. Without the guard's yes nothing is recorded.
    """
    progress = _Terse(progress)
    with locked(folder):
        session = load(folder)
        if session.phase == "moving":
            return _advance(folder, session, progress)
        with bench(folder, session, progress) as work:
            stop = check(work, work.stop(*work.outcomes(work.definition, Silent(), session.stop)))
            layout = _layout(work, stop)
            if left := _left(Worktree(folder), layout):
                work.discard()
                return _turn(work, stop, layout, refused=tuple(left))
            verdict = _judge(work, stop, layout, reason, progress)
            if verdict.refused:
                work.discard()
                return _turn(work, replace(stop, findings=verdict.findings), layout, refused=verdict.refused)
            records = Path(session.records)
            written = resolutions.write(records / resolutions.FOLDER, verdict.recordings)
            if verdict.accepted:
                accepted.add(records / accepted.FILE, verdict.accepted)
                written.append(records / accepted.FILE)
            session = replace(session, phase="moving")
            save(folder, session)
            work = replace(work, session=session)
            turn = _lay_out(work, work.stop(verdict.outcomes, verdict.found))
            return replace(turn, written=tuple(map(str, written)))


def skip(folder: Path, progress: Progress) -> Turn:
    """Leave the patch out, for this session, and go on to the next."""
    with locked(folder):
        session = load(folder)
        if session.phase == "stopped":
            session = replace(session, phase="moving", skipped=(*session.skipped, session.stop))
            save(folder, session)
        return _advance(folder, session, _Terse(progress))


def status(folder: Path) -> Turn:
    """Where the session stands; nothing is changed."""
    with locked(folder):
        session = load(folder)
        if session.phase == "moving":
            raise InputError(
                "the session was interrupted between two patches", where=str(folder), then="backport resolve continue"
            )
        with bench(folder, session, Silent()) as work:
            stop = check(work, work.stop(*work.outcomes(work.definition, Silent(), session.stop)))
            turn = _turn(work, stop, _layout(work, stop))
            work.discard()
            return replace(turn, unknown=tuple(Worktree(folder).unknown()))


def abort(folder: Path) -> tuple[bytes, ...]:
    """End the session: folder and state go, what was recorded stays, and so do files that git does not know, which are named."""
    with locked(folder):
        load(folder)
        return tuple(Worktree(folder).remove())


def _target(wish: Wish, folder: Path, progress: Progress) -> str:
    """The commit of the target; the histories of an embedded series are made on the way."""
    from backport import sample

    kernels = wish.kernels
    if wish.definition.embedded and not kernels:
        built = place(folder) / "sample.git"
        kernels = (str(built if built.exists() else sample.build(wish.definition.source.parent, built)),)
    sources = open_sources(kernels, wanted_names(wish.definition, wish.onto), cache_folder(), progress)
    return resolve_one(sources.clones, wish.onto)


def _absolute(kernel: str) -> str:
    return str(Path(kernel).expanduser().absolute())


def _advance(folder: Path, session: Session, progress: Progress) -> Turn:
    """From what is recorded to the next stop."""
    with bench(folder, session, progress) as work:
        return _lay_out(work, work.stop(*work.outcomes(work.definition, progress)))


@dataclass(frozen=True, slots=True)
class _Terse:
    """Stages without their patches: whoever goes on has seen the list."""

    watcher: Progress

    def stage(self, name: str, total: int) -> None:
        self.watcher.stage(name, total)

    def step(self, what: str) -> None:
        self.watcher.step(what)

    def patch(self, outcome: PatchOutcome) -> None:
        """Nothing."""

    def done(self, summary: str) -> None:
        self.watcher.done(summary)


def _layout(work: Bench, stop: Stop) -> Layout:
    return lay_out(stop.patch, stop.outcome, stop.tree, labels(work.session.onto, stop.patch), work.shop)


def _lay_out(work: Bench, stop: Stop | None) -> Turn:
    """Put the patch into the folder, or take the folder away where no patch is left."""
    folder, session = work.folder, work.session
    worktree = Worktree(folder)
    if stop is None:
        left = worktree.remove() if (worktree.git_dir / "index").exists() else []
        shutil.rmtree(worktree.git_dir, ignore_errors=True)
        if not left:
            shutil.rmtree(folder, ignore_errors=True)
        total = len(work.series.patches)
        return Turn(work.series.name, session.onto, str(folder), total, total, None, skipped=session.skipped, unknown=tuple(left))
    layout = _layout(work, stop)
    beside = around(layout.touched, layout.tree, work.shop)
    shown = [*layout.touched, *beside]
    entries = [work.shop.trees.entry(layout.tree, path) for path in shown]
    work.shop.store.prefetch(entry.oid for entry in entries if entry is not None and entry.is_file)
    stores = (*session.stores, work.store)
    work.shop.store.flush()
    worktree.make([*(clone.objects for clone in work.sources.clones), *(place(folder) / name / "objects" for name in stores)])
    worktree.show(stop.head, layout.tree, shown, layout.unmerged, layout.size)
    save(
        folder,
        replace(session, phase="stopped", stop=stop.patch.commit, head=stop.head, shown=layout.tree, stores=stores),
    )
    for old in place(folder).glob("store-*"):
        if old.name not in stores:
            shutil.rmtree(old, ignore_errors=True)
    return _turn(work, stop, layout, beside=len(beside))


def _left(worktree: Worktree, layout: Layout) -> list[str]:
    """What is still undecided in the folder, each with its place."""
    waiting = worktree.unmerged()
    found: list[str] = []
    for path, disputed in layout.disputed.items():
        text = worktree.read(path)
        if disputed.pieces:
            found += [f"{show_path(path)}:{line}: a conflict marker is left" for line in left_over(text or b"", layout.size)]
        elif path in waiting:
            found.append(f"{show_path(path)}: not decided; say `git add` or `git rm` when it is as you want it")
    return found


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of a person's decision: why it cannot be taken, or what is to be recorded and the replay with it."""

    refused: tuple[str, ...]
    findings: tuple[Finding, ...]
    recordings: tuple[Recording, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    outcomes: tuple[PatchOutcome, ...] = ()
    found: tuple[Finding, ...] = ()


def _judge(work: Bench, stop: Stop, layout: Layout, reason: str, progress: Progress) -> _Judged:
    """Replay with the decision, and with the guard's findings accepted where the person says why."""
    made = Worktree(work.folder).tree()
    author = Author(stop.patch, work.session.onto, _who())
    for whole in (False, True):
        new = tuple(record(author, layout, made, work.shop, whole=whole))
        taken = replace(work.definition, recordings=(*_without(work.definition.recordings, new), *new))
        outcomes, found = work.outcomes(taken, progress)
        judged = _result(stop, made, outcomes, found)
        acceptances: tuple[Acceptance, ...] = ()
        while judged.findings and reason:  # some checks are made only where the others have nothing to say
            acceptances += tuple(Acceptance(f.kind, f.symbol, show_path(f.path), reason) for f in judged.findings)
            taken = replace(taken, accepted=(*work.definition.accepted, *acceptances))
            outcomes, found = work.outcomes(taken, progress)
            judged = _result(stop, made, outcomes, found)
        if not judged.refused:
            return replace(judged, recordings=new, accepted=acceptances)
        if judged.findings:
            break
    return judged


def _result(stop: Stop, made: str, outcomes: tuple[PatchOutcome, ...], found: tuple[Finding, ...]) -> _Judged:
    outcome = outcomes[stop.number - 1]
    findings = tuple(f for f in found if f.patch == outcome.upstream and f.blocks)
    tree = stop.tree if outcome.verdict.value == "already-present" else outcome.tree
    if tree == made:
        return _Judged((), (), outcomes=outcomes, found=found)
    if findings:
        return _Judged((f"the guard does not agree: {refusal(findings)}",), findings)
    return _Judged((outcome.reason or "the decision could not be told apart from its surroundings",), ())


def _without(known: Sequence[Recording], new: Sequence[Recording]) -> list[Recording]:
    """The recordings without those that a new one replaces."""
    names = {resolutions.file_name(recording) for recording in new}
    return [recording for recording in known if resolutions.file_name(recording) not in names]


def _who() -> str:
    name, mail = user_identity()
    return f"{name} <{mail}>" if name or mail else "somebody"


def _turn(work: Bench, stop: Stop, layout: Layout, *, beside: int = 0, refused: tuple[str, ...] = ()) -> Turn:
    worktree = Worktree(work.folder)
    undecided = worktree.unmerged()
    places = []
    for path in layout.touched:
        text = worktree.read(path) or b""
        lines = left_over(text, layout.size) if path in layout.disputed else []
        waits = bool(lines) or (path in undecided and not layout.disputed[path].pieces)
        word = layout.disputed[path].rule if path in layout.disputed else ""
        places.append(Place(path, lines[0] if lines else 0, word if waits else ""))
    return Turn(
        series=work.series.name,
        onto=work.session.onto,
        folder=str(work.folder),
        number=stop.number,
        total=len(work.series.patches),
        outcome=stop.outcome,
        findings=stop.findings,
        places=tuple(places),
        around=beside,
        refused=refused,
        skipped=work.session.skipped,
    )

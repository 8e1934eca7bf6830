"""`backport distgit`: a dist-git folder as a branch that any command takes as its target, and a branch back as files.

The branch lives in a bare repository of its own, which borrows the objects of the kernel clones: those are only read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.publish import check_name
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.sources import Sources, open_sources
from backport.model.definition import Definition
from backport.model.errors import InputError
from backport.model.progress import Progress
from backport.package import adopt, atomic, document, edit
from backport.package.dialects import recognise
from backport.package.distgit import branch, export, obsolete, sources
from backport.package.distgit.applied import applications, usual
from backport.package.distgit.branch import Imported, Wanted
from backport.package.distgit.obsolete import Covered
from backport.package.distgit.patcher import unpacked
from backport.package.edit import Edited
from backport.package.plan import PatchFile
from backport.settings import cache_folder

_MARK = "backport-distgit.json"
_SPEC = "kernel.spec"


@dataclass(frozen=True, slots=True)
class Import:
    """What `distgit import` was asked: folder, base (a revision or a tarball), and where the branch goes."""

    folder: Path
    kernels: tuple[str, ...]
    base: str
    tarball: Path | None
    repository: Path
    branch: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Export:
    """What `distgit export` was asked: the folder, the branch, and what its new commits are called ('' where there are none)."""

    folder: Path
    repository: Path
    branch: str
    series: str
    definition: Definition | None
    signer: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What an export comes to: the spec's edit (None: nothing new), changed files, names off the branch, obsolete ones."""

    edited: Edited | None
    changed: tuple[PatchFile, ...]
    gone: tuple[str, ...]
    covered: tuple[Covered, ...]


def import_(request: Import, progress: Progress) -> Imported:
    """Make the branch. The refs move at the very end: an import that is interrupted leaves the branch as it was."""
    check_name(request.branch)
    spec = document.read(request.folder / _SPEC)
    marks = _marks(request.repository)
    found = _sources(request, progress)
    borrowed = {place for mark in marks.values() for place in mark.get("borrows", ())}  # other branches live on those
    with found.store(request.repository, [Path(place) for place in sorted(borrowed)]) as store:
        atomic.put(request.repository / _MARK, _dump(marks))
        if request.tarball is not None:
            base = branch.from_tarball(request.tarball, sources.read(request.folder), store, progress)
        else:
            base = resolve_one(found.clones, request.base, "--base")
        trees = Trees(store)
        made = branch.make(spec, request.folder, History(store).commit(base), request.wanted, store, trees, progress)
        refs = f"update refs/heads/{request.branch} {made.tip}\nupdate refs/backport/distgit/{request.branch} {made.tip}\n"
        store.git.run(["update-ref", "--stdin"], refs.encode())
        defines = dict(request.wanted.defines)
        origin = {"base": made.base, "tip": made.tip, "cpu": request.wanted.cpu, "defines": defines}
        marks[request.branch] = {**origin, "borrows": [str(clone.objects.resolve()) for clone in found.clones]}
        atomic.put(request.repository / _MARK, _dump(marks))
    return made


def export_(request: Export, scratch: Path) -> Written:
    """Compare the branch with its import; nothing is written yet (see `write`).

    InputError where the patch files, applied to the base as the spec would apply them, do not give the branch's very tree.
    """
    clone = open_clone(request.repository)
    tip = resolve_one([clone], request.branch, "--branch")
    spec = document.read(request.folder / _SPEC)
    with Store(scratch, [clone.objects]) as store:
        origin = _origin(_marks(request.repository), store, tip, request)
        topics = {c.commit: c.topic for c in request.definition.commits if c.topic} if request.definition else {}
        made = export.export(store, origin["base"], origin["tip"], tip, topics)
        clean = edit.without(spec, request.series) if request.series else spec
        todo = applications(clean, origin["cpu"], {**recognise(clean).presets(clean), **origin.get("defines", {})})
        theirs = _theirs(request.folder, [how.name for how in todo])
        files = {file.name: file.data for file in (*theirs, *made.changed)}
        steps = [(how, files[how.name]) for how in todo if how.name in made.kept and how.name in files]
        steps += [(replace(usual(clean), name=file.name), file.data) for file in made.new]
        export.prove(store, Trees(store), origin["base"], tip, steps)
    edited = _edited(request, spec, made) if made.new else None
    return Written(edited, made.changed, made.gone, tuple(obsolete.covered(theirs, made.new)))


def write(written: Written, folder: Path) -> None:
    """Write the changed files, then the new ones with the spec."""
    for file in written.changed:
        atomic.put(folder / file.name, file.data)
    if written.edited is not None:
        edit.write(written.edited, folder / _SPEC)


def _theirs(folder: Path, names: list[str]) -> list[PatchFile]:
    """The patch files of the folder, unpacked, in the order in which they are applied; those that lie there."""
    there = [name for name in dict.fromkeys(names) if (folder / name).is_file()]
    return [PatchFile(name, unpacked(name, (folder / name).read_bytes())) for name in there]


def _edited(request: Export, spec: document.Document, made: export.Exported) -> Edited:
    if not request.series:
        names = ", ".join(file.name for file in made.new[:3])
        what = f"the branch has commits that are in no patch file yet: {names}"
        raise InputError(what, where=request.branch, then="name them as a series: --series NAME")
    change = adopt.change(request.series, request.definition, made.new, signer=request.signer, day=request.day, own_lines=True)
    return edit.edit(spec, change, request.folder)


def _origin(marks: Mapping[str, Any], store: Store, tip: str, request: Export) -> dict[str, Any]:
    """The import that the branch comes from: that of its own name, else the first whose base is below it."""
    history = History(store)
    for name in [request.branch, *marks]:
        known = marks.get(name)
        if known and history.is_ancestor(known["base"], tip):
            return dict(known)
    raise InputError("the branch comes from no import", where=str(request.repository), then="see `backport distgit import`")


def _sources(request: Import, progress: Progress) -> Sources:
    if request.tarball is not None:
        return Sources(())
    if not request.base:
        raise InputError("what the patches are applied to is not said", where="--base", then="give --base REV, or --tarball FILE")
    return open_sources(request.kernels, [request.base], cache_folder(), progress)


def _marks(repository: Path) -> dict[str, Any]:
    """What was imported into the repository. InputError where something else is there."""
    path = repository / _MARK
    try:
        marks = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        if repository.exists() and (not repository.is_dir() or any(repository.iterdir())):
            then = "give another place for the branch with --into"
            raise InputError("something is there that is no repository of ours", where=str(repository), then=then) from error
        return {}
    except (OSError, ValueError) as error:
        what = f"the repository's record cannot be read: {error}"
        raise InputError(what, where=str(path), then="delete the repository") from error
    if not isinstance(marks, dict):
        raise InputError("the repository's record is damaged", where=str(path), then="delete the repository")
    return marks


def _dump(marks: Mapping[str, Any]) -> bytes:
    return json.dumps(marks, indent=1, sort_keys=True).encode() + b"\n"

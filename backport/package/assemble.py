"""Writes the package of a plan into a folder: kernel.spec, the config fragment, and the SRPM if it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.result import Artifact
from backport.package import atomic, escape, spec, srpm
from backport.package.plan import MANIFEST, Plan


def write(
    folder: Path, plan: Plan, *, with_srpm: bool = True, step: Callable[[str], None] = lambda _: None
) -> tuple[Artifact, ...]:
    """Write the package; what was written, with paths inside `folder`. The patch files of the folder are not touched.

    The whole plan is checked before the first byte is written, and rpm reads the spec back before an SRPM is made of it.
    """
    text, sources = spec.render(plan), plan.sources()
    _make_folder(folder)
    patches = {patch.name for patch in plan.patches}
    made = [Artifact(spec.NAME, "spec", atomic.put(folder / spec.NAME, text))]
    others = {name: data for name, data in sources.items() if name not in patches}
    made += [Artifact(name, _kind(name), atomic.put(folder / name, data)) for name, data in others.items()]
    step("spec and config fragment written")
    if with_srpm:
        check(folder / spec.NAME, plan)
        step("spec checked with rpm")
        made.append(_srpm(folder, plan, text, sources))
        step(f"{made[-1].path} written")
    return tuple(made)


def check(path: Path, plan: Plan) -> None:
    """Have rpm confirm that the spec says what the plan says (MissingToolError where there is no rpm)."""
    entries = [line for text in plan.changelog for line in escape.changelog_lines(text)]
    srpm.check(path, nvr=plan.nvr, patches=[patch.name for patch in plan.patches], changelog=entries, dist=plan.dist_word)


def _kind(name: str) -> str:
    return "manifest" if name == MANIFEST else "config"


def _srpm(folder: Path, plan: Plan, text: bytes, sources: dict[str, bytes]) -> Artifact:
    """The SRPM, with Source0 as recorded: a tarball that changed since then is refused."""
    source = plan.source
    if source.path is None:
        raise InputError("an SRPM needs the source tarball", then="give one with --tarball, or let one be made")
    try:
        same = atomic.sha256(source.path) == source.sha256
    except OSError as error:
        raise InputError(
            f"the tarball cannot be read: {error.strerror}", where=str(source.path), then="check its name"
        ) from error
    if not same:
        raise InputError("the tarball changed while it was in use", where=str(source.path), then="run again")
    built = srpm.build(text, {**sources, source.name: source.path}, plan.date, folder, dist=plan.dist_word)
    return Artifact(built.path.name, "srpm", built.sha256)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailedError(
            f"the folder cannot be made: {error.strerror}", where=str(folder), then="give another folder for the output"
        ) from error

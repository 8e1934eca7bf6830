"""Writes a kernel.spec of its own where there is none yet: the template, the patch files and the config fragment."""

from __future__ import annotations

import json
import re
from pathlib import Path

from backport.model.errors import InputError
from backport.package import assemble, atomic, escape, version
from backport.package.change import Change
from backport.package.plan import Plan
from backport.package.source import Source

_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})((?:\.\d{1,6})?)([A-Za-z0-9._+-]*)")


def write(path: Path, change: Change, title: str, kernel: str, tarball: str = "") -> list[Path]:
    """Write the spec of the change for a kernel version, and what it names but the tarball; what was written.

    InputError where a file is there already: an existing spec is for `spec edit`.
    """
    if path.exists() or path.name != "kernel.spec":
        what = "the spec exists" if path.exists() else "the spec must be called kernel.spec: Fedora's own tools look for it"
        raise InputError(what, where=str(path), then="take the series into an existing spec with `backport spec edit`")
    parsed = parse(kernel)
    name = tarball or f"linux-{parsed.version}.tar.gz"
    plan = Plan(
        series=change.series,
        title=title,
        kernel=parsed,
        source=Source(name, f"linux-{parsed.version}"),
        patches=change.patches,
        changelog=change.entries,
        config=change.config,
        packager=change.packager,
        date=change.date,
        buildid=change.buildid or escape.buildid_of(change.series),
    )
    taken = [name for name in plan.sources() if (path.parent / name).exists()]
    if taken:
        raise InputError("a file of that name is there already", where=str(path.parent / taken[0]), then="give an empty folder")
    written = [path.parent / made.path for made in assemble.write(path.parent, plan, with_srpm=False)]
    for patch in plan.patches:
        atomic.put(path.parent / patch.name, patch.data)
        written.append(path.parent / patch.name)
    return written


def version_of_run(folder: Path) -> str:
    """The kernel version of the run whose output the folder is. InputError where it is none: then it must be given."""
    try:
        return str(json.loads((folder / "report.json").read_bytes())["kernel_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("the version of the kernel is not known", where=str(folder), then="give it with --version") from error


def onto_of_run(folder: Path) -> str:
    """The commit onto which the run whose output the folder is put its series; '' where it is none."""
    try:
        return str(json.loads((folder / "report.json").read_bytes())["onto_commit"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def parse(text: str) -> version.KernelVersion:
    """`2.6.31.3` or `6.1-rc2` as the Makefile of that kernel would say it."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is no kernel version", where="--version", then="write 2.6.31.3, or 6.1-rc2")
    major, minor, third, rest = found.groups()
    sublevel = f"SUBLEVEL = {third[1:] or '0'}"
    return version.parse(f"VERSION = {major}\nPATCHLEVEL = {minor}\n{sublevel}\nEXTRAVERSION = {rest}\n".encode(), "--version")

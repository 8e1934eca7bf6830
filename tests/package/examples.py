"""A small kernel, a plan for it, and the real rpm."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.package import source, version
from backport.package.plan import Packager, PatchFile, Plan
from backport.package.source import Source

MINI = Path(__file__).parents[2] / "patches" / "sample" / "tree"
DATE = 1260000000  # Sat Dec 5 2009, 08:00 UTC

needs_rpm = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("rpm", "rpmspec", "rpmbuild")), reason="rpm is not installed (apt-get install rpm)"
)
needs_make = pytest.mark.skipif(not all(shutil.which(tool) for tool in ("make", "gcc", "awk", "nm")), reason="needs make and gcc")


def quiet(_: str) -> None:
    pass


def entries() -> Iterator[tuple[bytes, int, bytes]]:
    for path in sorted(MINI.rglob("*")):
        if path.is_file():
            yield os.fsencode(path.relative_to(MINI)), 0o100755 if os.access(path, os.X_OK) else 0o100644, path.read_bytes()


def patch(name: str = "mini-extra.patch") -> PatchFile:
    """A patch that brings CONFIG_EXTRA."""
    old = (MINI / "mm" / "Kconfig").read_text()
    new = old + '\nconfig EXTRA\n\tbool "An extra"\n'
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), "a/mm/Kconfig", "b/mm/Kconfig")
    return PatchFile(name, "".join(lines).encode())


def plan(**changes: object) -> Plan:
    """A plan whose spec can be written; it has no tarball."""
    ready = Plan(
        series="sample",
        title="page merging",
        kernel=version.parse((MINI / "Makefile").read_bytes()),
        source=Source("linux-2.6.31.tar.gz", "linux-2.6.31"),
        patches=(patch(),),
        changelog=("Merge pages with equal content",),
        config=(ConfigValue("EXTRA", "y"),),
        packager=Packager("Jane Doe", "jane@example.org"),
        date=DATE,
        buildid="ksm",
    )
    return replace(ready, **changes)  # type: ignore[arg-type]


def packed(cache: Path, step: Callable[[str], None] = quiet) -> Source:
    return source.cached("a" * 40, "linux-2.6.31", DATE, entries, step, cache)


def rpm(*command: str | Path, home: Path, timeout: float = 300) -> subprocess.CompletedProcess[bytes]:
    """One of rpm's tools, with a HOME and a _topdir of the test."""
    tool, *rest = map(str, command)
    return subprocess.run(
        [tool, "--define", f"_topdir {home}", "--define", f"_dbpath {home / 'rpmdb'}", *rest],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C"},
        cwd=home,
        timeout=timeout,
        check=False,
    )

"""Whole dist-git folders of distributions: a series goes in, rpm confirms it, and it goes out again byte for byte.

BACKPORT_DISTGITS names folders with a kernel.spec, `:` between them: Fedora's of any year, RHEL's, kernel-ark's redhat/.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from backport.package import document, verify
from tests.package.examples import needs_rpm
from tests.package.specs import change, contents, take_in, take_out

FOLDERS = [Path(place) for place in os.environ.get("BACKPORT_DISTGITS", "").split(":") if place]


@needs_rpm
@pytest.mark.skipif(not FOLDERS, reason="BACKPORT_DISTGITS is not set: give it dist-git folders with a kernel.spec")
@pytest.mark.parametrize("folder", FOLDERS, ids=[place.name for place in FOLDERS])
@pytest.mark.parametrize("own_lines", [False, True])
def test_a_series_goes_in_and_out(folder: Path, own_lines: bool, tmp_path: Path) -> None:
    spec = tmp_path / folder.name / "kernel.spec"
    shutil.copytree(folder, spec.parent, ignore=shutil.ignore_patterns(".git"))
    before = contents(spec.parent)
    made = take_in(spec, change(own_lines=own_lines))
    said = verify.confirm(document.read(spec), spec.parent)
    assert f"{0 if made.dialect == 'ark' and not own_lines else 2} of them ours, in order" in said[0]
    assert "all still there" in said[2]
    assert not take_in(spec, change(own_lines=own_lines)).changed
    take_out(spec)
    assert contents(spec.parent) == before

"""Fedora 12's own kernel.spec, 3,886 lines: edited, confirmed by rpm, and given back byte for byte.

BACKPORT_F12 names a clone with the branch f12 (functor/linux-2.6 on GitHub), or a dist-git folder with that kernel.spec in it.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.package import document, edit, macros, verify
from backport.package.dialects import f12, recognise
from tests.package.examples import needs_rpm, rpm
from tests.package.specs import BEGIN, END, added, change, contents, take_in, take_out


@pytest.fixture(scope="session")
def original() -> bytes:
    place = Path(os.environ.get("BACKPORT_F12", ""))
    if not os.environ.get("BACKPORT_F12"):
        pytest.skip(
            "BACKPORT_F12 is not set: give it the path of a clone of functor/linux-2.6 (branch f12), or of a dist-git folder"
        )
    if (place / "kernel.spec").is_file():
        return (place / "kernel.spec").read_bytes()
    command = ["git", "-C", str(place), "show", "refs/heads/f12:original/kernel.spec"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.fixture
def spec(original: bytes, tmp_path: Path) -> Path:
    """The spec as it was before Fedora's own KSM patches: their lines are left out."""
    path = tmp_path / "dist" / "kernel.spec"
    path.parent.mkdir()
    path.write_bytes(re.sub(rb"^.*linux-2\.6-ksm.*\n", b"", original, flags=re.M))
    (path.parent / "config-generic").write_bytes(b"CONFIG_MMU=y\n")
    return path


def test_the_edit_is_exactly_the_intended_hunks(spec: Path) -> None:
    before = contents(spec.parent)
    made = take_in(spec)
    assert made.dialect == "f12"
    mark = BEGIN.strip()
    assert added(made) == [
        *(mark, "%define buildid .ksm", END),
        *(mark, "Patch14465: linux-2.6-ksm.patch", "Patch14466: linux-2.6-ksm-kvm.patch", END, ""),
        *(mark, "ApplyPatch linux-2.6-ksm.patch", "ApplyPatch linux-2.6-ksm-kvm.patch", END, ""),
        *(mark, "* Fri Dec 04 2009 Kim Poe <kim@example.org> 2.6.31.6-162.ksm"),
        *("- Add KSM support", "- Optimize KVM for KSM support", END, ""),
    ]
    assert not take_in(spec).changed
    take_out(spec)
    assert contents(spec.parent) == before


def test_fedoras_own_ksm_lines_are_not_taken_for_ours(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "kernel.spec"
    path.write_bytes(original)
    with pytest.raises(InputError, match=r"line \d+ \(Patch1550: linux-2\.6-ksm\.patch\)"):
        take_in(path)
    assert path.read_bytes() == original


@needs_rpm
def test_rpm_confirms_it_in_time(spec: Path) -> None:
    edit.edit(document.read(spec), change(), spec.parent)  # modules and patterns are loaded
    before = _cpu()
    made = edit.edit(document.read(spec), change(), spec.parent)
    said = verify.confirm(made.after, spec.parent)
    seconds = _cpu() - before
    assert said[0] == "136 patches, 2 of them ours, in order; the others as before"
    assert said[1].startswith("kernel-2.6.31.6-162.ksm,")
    assert said[2] == "435 older changelog entries, all still there"
    assert said[3] == "--with vanilla: 5 patches and the same %prep as before"
    assert seconds < 0.5, "seconds of CPU, rpm's own with them"


@needs_rpm
def test_the_release_is_raised_as_a_commit_to_cvs_raised_it(spec: Path) -> None:
    before = contents(spec.parent)
    take_in(spec, change(bump=True))
    said = verify.confirm(document.read(spec), spec.parent)
    assert said[1].startswith("kernel-2.6.31.6-163.ksm, the release raised from 162,")
    take_out(spec)
    assert contents(spec.parent) == before


@needs_rpm
@pytest.mark.parametrize("cpu", ["x86_64", "i686", "ppc64", "noarch"])
@pytest.mark.parametrize("vanilla", [False, True])
def test_our_reading_of_the_conditions_is_rpms(cpu: str, vanilla: bool, spec: Path) -> None:
    read = document.read(spec)
    assert recognise(read).name == "f12"
    presets = f12.presets(read) | ({"_with_vanilla": "1"} if vanilla else {})
    lines = [item.text for item in macros.active(read, cpu, presets) if item.text is not None]
    command = ["rpmspec", "--target", f"{cpu}-linux", *(["--with", "vanilla"] if vanilla else []), "-P", str(spec)]
    theirs = rpm(*command, home=spec.parent).stdout.decode("latin-1").split("\n")
    for pattern in (r"\s*Apply(?:Optional)?Patch \S", r"Patch\d+:", r"Version:|Release:|Name:"):
        assert _only(pattern, lines) == _only(pattern, theirs)


def _cpu() -> float:
    """Seconds of CPU so far, those of children with them: the clock tells how busy the machine is."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _only(pattern: str, lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if re.match(pattern, line)]

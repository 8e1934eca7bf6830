"""The doctor's advice: packages that there are, in one command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backport.prove import doctor


@pytest.mark.skipif(not shutil.which("apt-cache"), reason="there is no apt here")
def test_debian_has_every_package_that_is_named() -> None:
    names = sorted({name for tool in doctor.examine() for name in tool.debian.split()})
    said = subprocess.run(["apt-cache", "policy", *names], capture_output=True, text=True, check=True).stdout
    if "Candidate: " not in said.replace("Candidate: (none)", ""):
        pytest.skip("apt has no lists")
    known = [block.partition(":")[0] for block in said.splitlines() if block and not block.startswith(" ")]
    assert sorted(known) == names
    assert "Candidate: (none)" not in said


@pytest.mark.skipif(not shutil.which("dnf"), reason="there is no dnf here")
def test_fedora_has_every_package_that_is_named() -> None:
    names = sorted({name for tool in doctor.examine() for name in tool.fedora.split()})
    said = subprocess.run(["dnf", "-q", "repoquery", "--qf", "%{name}\n", *names], capture_output=True, text=True).stdout
    assert set(names) <= set(said.split())


def test_a_header_is_looked_for_as_a_header(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "_HEADERS", tmp_path)
    assert "libelf-dev" in doctor.install(doctor.examine()) or shutil.which("dnf")
    (tmp_path / "gelf.h").touch()
    assert "elf" not in doctor.install(doctor.examine())


def test_fedora_is_told_by_its_dnf_and_all_in_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dnf").write_text("#!/bin/sh\n")
    (tmp_path / "dnf").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = doctor.install(doctor.examine())
    assert said.startswith("sudo dnf install -y ")
    assert {"qemu-system-x86-core", "rpm-build", "glibc-devel", "perl"} <= set(said.split())
    assert "\n" not in said

"""Booting by virtme-ng: what is asked of it, that qemu is ours to end, and what is said where it is not installed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from backport.model.errors import EnvironmentFailedError, MissingToolError
from backport.model.proof import Outcome
from backport.prove import vng
from backport.prove.machine import Booted, Machine
from backport.prove.verdict import judge

NUMBER = "0123456789abcdef"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the head of PATH in which a test writes its vng."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def start(tools: Path, script: str, said: str = "") -> Booted:
    """vng prints the command of a qemu that is the script, as the real one does at the end of what it says."""
    qemu, fake = tools / "qemu-system-x86_64", tools / "vng"
    qemu.write_text(f"#!/bin/sh\n{script}")
    fake.write_text(f"#!/bin/sh\nprintf '%s ' \"$@\" >{tools}/asked\necho {shlex.quote(said)}\necho '{qemu} -m 256M'\n")
    for path in (qemu, fake):
        path.chmod(0o755)
    machine = Machine("x86_64", 2, 128, "tcg", "vng")
    return vng.boot(machine, Path("bzImage"), b"program", tools, NUMBER, 5, lambda _: None, tools / "console")


def test_the_console_is_judged_as_any_other(tools: Path) -> None:
    booted = start(tools, f"echo 'RESULT {NUMBER} passed 1 0 0'\n", said="virtme-ng: a warning")
    assert judge(booted.console, NUMBER, booted.ending).outcome is Outcome.PASSED
    asked = (tools / "asked").read_text()
    assert "--run bzImage" in asked
    assert "--cpus 2 --memory 256M" in asked
    assert "--disable-kvm" in asked
    assert f"--exec NUMBER={NUMBER} {tools}/init" in asked
    assert (tools / "init").read_bytes() == b"program"


def test_one_that_hangs_is_ended(tools: Path) -> None:
    assert start(tools, "sleep 1000\n").ending == "no result after 5 s"


def test_a_vng_that_refuses_is_told(tools: Path) -> None:
    (tools / "vng").write_text("#!/bin/sh\necho 'virtme-run: no such kernel'; exit 1\n")
    (tools / "vng").chmod(0o755)
    with pytest.raises(EnvironmentFailedError, match="virtme-run: no such kernel"):
        vng.boot(Machine("x86_64"), Path("k"), b"", tools, NUMBER, 5, lambda _: None, tools / "console")


def test_without_it_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="virtme-ng is not installed") as caught:
        vng.need()
    assert "leave --backend away" in caught.value.then

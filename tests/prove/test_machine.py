"""Booting, with programs of our own in the place of qemu: one that hangs, one that floods, one that ends without a word.

None may be left running, nor anything that it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backport.model.errors import EnvironmentFailedError, MissingToolError
from backport.model.proof import Outcome
from backport.prove import machine
from backport.prove.machine import CONSOLE_LIMIT, Booted, Machine, boot
from backport.prove.verdict import judge

NUMBER = "0123456789abcdef"


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH in which a test writes its qemu."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "qemu-system-x86_64"


def start(qemu: Path, script: str, timeout: float = 20) -> tuple[Booted, list[str]]:
    qemu.write_text("#!/bin/sh\n" + script)
    qemu.chmod(0o755)
    lines: list[str] = []
    keep = qemu.parent / "console"
    booted = boot(Machine("x86_64"), Path("bzImage"), Path("initramfs"), NUMBER, timeout, lines.append, keep)
    assert keep.read_bytes() == booted.console
    return booted, lines


def alive(pid: int) -> bool:
    """Whether a process is there and stays there: one that was killed takes a moment to go."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.05)
    return True


def test_the_console_is_kept_and_told_line_by_line(qemu: Path) -> None:
    booted, lines = start(qemu, f"printf 'hello\\r\\n\\nRESULT {NUMBER} passed 1 0 0\\r\\n'")
    assert lines == ["hello", "", f"RESULT {NUMBER} passed 1 0 0"]
    assert judge(booted.console, NUMBER, booted.ending).outcome is Outcome.PASSED


def test_a_triple_fault_ends_with_status_0_and_fails(qemu: Path) -> None:
    booted, _ = start(qemu, "echo Decompressing Linux...; exit 0")
    verdict = judge(booted.console, NUMBER, booted.ending)
    assert verdict.outcome is Outcome.FAILED
    assert "triple fault" in verdict.why


def test_one_that_hangs_is_ended_with_all_that_it_started(qemu: Path) -> None:
    pids = qemu.parent / "pids"
    booted, _ = start(qemu, f"sleep 1000 & echo $$ $! > {pids}; echo booting; sleep 1000", timeout=1.5)
    assert booted.ending == "no result after 2 s"
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


def test_a_flood_is_stopped_and_the_file_is_bounded(qemu: Path) -> None:
    begin = time.monotonic()
    booted, _ = start(qemu, "exec yes 'RESULT of a flood: passed'", timeout=60)
    assert booted.ending.startswith("the console was flooded")
    assert len(booted.console) == CONSOLE_LIMIT
    assert time.monotonic() - begin < 50


def test_a_flood_without_line_ends_is_stopped_too(qemu: Path) -> None:
    booted, lines = start(qemu, "exec head -c 100000000 /dev/zero", timeout=60)
    assert booted.ending.startswith("the console was flooded")
    assert lines == []


def test_after_the_result_it_may_not_hang(qemu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SHUTDOWN", 0.5)
    booted, _ = start(qemu, f"echo 'RESULT {NUMBER} passed 1 0 0'; sleep 1000", timeout=60)
    assert booted.ending
    assert judge(booted.console, NUMBER, booted.ending).outcome is Outcome.FAILED


def test_a_qemu_that_refuses_is_told(qemu: Path) -> None:
    booted, _ = start(qemu, "echo 'qemu: no such machine'; exit 1")
    assert booted.ending == "qemu ended with status 1"


def test_no_qemu_is_a_missing_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="no qemu for x86_64"):
        machine.program("x86_64")


def test_a_full_disk_is_told_and_ends_it(qemu: Path) -> None:
    pids = qemu.parent / "pids"
    qemu.write_text(f"#!/bin/sh\necho $$ > {pids}\nexec yes\n")
    qemu.chmod(0o755)
    with pytest.raises(EnvironmentFailedError, match="No space left on device"):
        boot(Machine("x86_64"), Path("k"), Path("i"), NUMBER, 20, lambda _: None, Path("/dev/full"))
    assert not alive(int(pids.read_text()))


# A job in the background of a shell has SIGINT ignored, and Python leaves that so: a whole `.ci/run` once waited here for ever.
_RUNNER = """
import signal, sys
from pathlib import Path
from backport.prove.machine import Machine, boot
signal.signal(signal.SIGINT, signal.default_int_handler)
boot(Machine("x86_64"), Path("k"), Path("i"), "1", 600, lambda line: print(line, flush=True), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_us_ends_qemu(qemu: Path, number: signal.Signals) -> None:
    pids = qemu.parent / "pids"
    qemu.write_text(f"#!/bin/sh\necho $$ > {pids}\necho up\nexec sleep 1000\n")
    qemu.chmod(0o755)
    command = [sys.executable, "-c", _RUNNER, str(qemu.parent / "console")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"up\n"
        runner.send_signal(number)
        runner.wait(20)
    assert not alive(int(pids.read_text()))

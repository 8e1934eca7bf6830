"""Real qemu, and kernels of a few instructions: one that triple-faults, one that hangs, one that floods, one that nearly passes.

They are multiboot programs, which qemu boots as it boots a bzImage; each writes to the serial line itself.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from backport.model.proof import Outcome
from backport.prove import machine
from backport.prove.machine import CONSOLE_LIMIT, Booted, Machine, boot
from backport.prove.verdict import Verdict, judge

pytestmark = [
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86_64 is not installed"),
]
NUMBER = "0123456789abcdef"
KERNEL = r"""
	.long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, start
start:	mov $text, %esi
1:	mov $0x3fd, %dx
2:	in %dx, %al
	test $0x20, %al
	jz 2b
	mov $0x3f8, %dx
	lodsb
	test %al, %al
	jz 3f
	out %al, %dx
	jmp 1b
3:	END
text:	.asciz TEXT
"""
ENDS = {
    "triple fault": "lidt nothing\n\tud2\nnothing:\t.word 0\n\t.long 0",
    "hang": "jmp 3b",
    "flood": "jmp start",
    "restart": "mov $0xfe, %al\n\tout %al, $0x64\n\tjmp 3b",
}


def run(folder: Path, text: str, end: str, timeout: float = 60) -> tuple[Booted, Verdict]:
    """Boot a kernel that says `text` and ends so."""
    source = KERNEL.replace("END", ENDS[end]).replace("TEXT", '"' + text.replace("\n", "\\n") + '"')
    (folder / "kernel.s").write_text(source)
    link = ["-m32", "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x100000,--build-id=none,--oformat=binary,-e,0x100020"]
    subprocess.run(["gcc", *link, "-o", str(folder / "kernel"), str(folder / "kernel.s")], check=True)
    (folder / "disk").write_bytes(b"")
    booted = boot(
        Machine("x86_64", memory=32), folder / "kernel", folder / "disk", NUMBER, timeout, lambda _: None, folder / "console"
    )
    return booted, judge(booted.console, NUMBER, booted.ending)


def nothing_runs(folder: Path) -> bool:
    """Whether no process has this folder in its words any more."""
    words = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    return not any(str(folder / "kernel").encode() in line for line in words)


def readable(path: Path) -> bool:
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def test_one_that_says_its_result_and_restarts_passes(tmp_path: Path) -> None:
    booted, verdict = run(tmp_path, f"probe: ok one\nRESULT {NUMBER} passed 1 0 0\n", "restart")
    assert (verdict.outcome, booted.ending) == (Outcome.PASSED, "")


def test_a_triple_fault_fails(tmp_path: Path) -> None:
    booted, verdict = run(tmp_path, "booting\n", "triple fault")
    assert booted.ending == ""
    assert verdict.outcome is Outcome.FAILED
    assert "triple fault" in verdict.why


def test_a_triple_fault_after_the_result_is_told_from_a_restart_by_nothing(tmp_path: Path) -> None:
    """What cannot be told: the probe was through by then. The line stands, as it does for a kernel that restarts."""
    assert run(tmp_path, f"RESULT {NUMBER} passed 1 0 0\n", "triple fault")[1].outcome is Outcome.PASSED


def test_a_hang_fails_and_leaves_no_qemu(tmp_path: Path) -> None:
    booted, verdict = run(tmp_path, "booting\n", "hang", timeout=4)
    assert booted.console == b"booting\n"
    assert (verdict.outcome, verdict.why) == (Outcome.FAILED, "no result after 4 s")
    assert nothing_runs(tmp_path)


def test_a_hang_after_the_result_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SHUTDOWN", 1.0)
    assert run(tmp_path, f"RESULT {NUMBER} passed 1 0 0\n", "hang")[1].outcome is Outcome.FAILED


@pytest.mark.parametrize("text", [f"it says RESULT {NUMBER} passed 1 0 0\n", f"RESULT {NUMBER} passed 1 0 0 or so\n"])
def test_a_result_inside_other_text_is_none(tmp_path: Path, text: str) -> None:
    verdict = run(tmp_path, text, "restart")[1]
    assert verdict.outcome is Outcome.FAILED
    assert "no result" in verdict.why


def test_a_flood_is_bounded_and_leaves_no_qemu(tmp_path: Path) -> None:
    begin = time.monotonic()
    booted, verdict = run(tmp_path, "spam " * 400 + "\n", "flood", timeout=90)
    assert verdict.outcome is Outcome.FAILED
    assert len(booted.console) <= CONSOLE_LIMIT
    assert (tmp_path / "console").stat().st_size == len(booted.console)
    assert time.monotonic() - begin < 120
    assert nothing_runs(tmp_path)

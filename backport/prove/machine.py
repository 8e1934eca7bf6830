"""qemu, for one boot: a kernel, an initramfs, a serial line, and nothing else.

The console is read as it comes, kept in a file up to a limit, and shown line by line to whoever looks. qemu is ended by the
time, by a flood, or by itself; it never outlives the call (see process).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backport.model.errors import MissingToolError
from backport.prove.disk import writing
from backport.prove.process import watch
from backport.prove.verdict import results

CONSOLE_LIMIT = 4 << 20  # bytes; a boot prints a hundredth of that
_LINE = 256  # bytes; a result line is shorter
_SHUTDOWN = 10.0  # seconds between a result and the end of qemu
_PROGRAMS = {"x86_64": ("qemu-system-x86_64",), "i386": ("qemu-system-i386", "qemu-system-x86_64")}
# 512 bytes that say "K" on the serial line and stop: mov dx,0x3f8; mov al,'K'; out dx,al; hlt; jmp $-1
_SECTOR = bytes.fromhex("baf803b04beef4ebfd").ljust(510, b"\0") + b"\x55\xaa"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine to boot: architecture, processors, memory in MB, how qemu runs it ("tcg" or "kvm"), and who composes it."""

    arch: str
    processors: int = 1
    memory: int = 128
    accel: str = "tcg"
    backend: str = "qemu"

    @property
    def name(self) -> str:
        """For people: "x86_64, 2 processors, tcg"."""
        with_vng = ", vng" if self.backend == "vng" else ""
        return f"{self.arch}, {self.processors} processor{'s' * (self.processors != 1)}, {self.accel}{with_vng}"


@dataclass(frozen=True, slots=True)
class Booted:
    """What came out of a boot: the console, and how it ended where that was not of itself."""

    console: bytes
    ending: str = ""


def program(arch: str) -> str:
    """The qemu for an architecture; MissingToolError where there is none."""
    for name in _PROGRAMS.get(arch, (f"qemu-system-{arch}",)):
        if path := shutil.which(name):
            return path
    raise MissingToolError(f"there is no qemu for {arch}", then="backport doctor")


def boot(
    machine: Machine, kernel: Path, initramfs: Path, number: str, timeout: float, line: Callable[[str], None], keep: Path
) -> Booted:
    """Boot, and read the console until qemu ends, `timeout` seconds have passed, or it floods; it is also in `keep`."""
    command = [program(machine.arch), *_machine(machine.accel, machine.memory, machine.processors)]
    command += ["-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initramfs)]
    # panic=-1: restart at once, which -no-reboot turns into an end. no_timer_check: on a busy host the kernel's look at the
    # timer, ten ticks long, sees too few of them, and it panics.
    command += ["-append", "console=ttyS0 panic=-1 oops=panic no_timer_check"]
    return observe(command, number, timeout, line, keep)


def observe(command: Sequence[str], number: str, timeout: float, line: Callable[[str], None], keep: Path) -> Booted:
    """What a qemu that is called like this prints, read as `boot` says."""
    reader = _Reader(number, line)
    with writing(keep), keep.open("wb", buffering=0) as file:
        reader.write = file.write
        ended = watch(command, reader, timeout=timeout, then=_SHUTDOWN)
    if ended.stopped:
        return Booted(bytes(reader.console), f"the console was flooded with more than {CONSOLE_LIMIT >> 20} MB")
    if ended.timed_out:
        late = f"it did not end within {_SHUTDOWN:.0f} s" if reader.result else f"no result after {timeout:.0f} s"
        return Booted(bytes(reader.console), late)
    return Booted(bytes(reader.console), "" if ended.code == 0 or reader.result else f"qemu ended with status {ended.code}")


class _Reader:
    """Keeps the console, tells of each line, and shortens the time once the result is there."""

    def __init__(self, number: str, line: Callable[[str], None]) -> None:
        self.console = bytearray()
        self.result = False
        self.write: Callable[[bytes], object] = len
        self._number = number
        self._line = line
        self._told = 0

    @property
    def ending(self) -> bool:
        """Whether all that is to come is the end (see process.watch)."""
        return self.result

    def __call__(self, piece: bytes) -> bool:
        piece = piece[: CONSOLE_LIMIT - len(self.console)]
        self.write(piece)
        self.console += piece
        while (end := self.console.find(b"\n", self._told)) >= 0:
            self._line(self.console[self._told : end].decode("utf-8", "replace").rstrip("\r"))
            self._told = end + 1
        recent = bytes(self.console[max(0, len(self.console) - len(piece) - _LINE) :])
        self.result = self.result or bool(results(recent, self._number))
        return len(self.console) < CONSOLE_LIMIT


@cache
def accelerator(arch: str) -> str:
    """The word `kvm` where a machine of 512 bytes says its letter under it, else `tcg`.

    That /dev/kvm can be opened proves little: in a virtual machine without nested paging it opens, and the guest spins.
    """
    if arch not in _PROGRAMS or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    with tempfile.NamedTemporaryFile(prefix="backport-") as disk:
        disk.write(_SECTOR)
        disk.flush()
        said = b""

        def read(piece: bytes) -> bool:
            nonlocal said
            said += piece
            return b"K" not in said

        command = [program(arch), *_machine("kvm", 64, 2), "-serial", "stdio"]
        watch([*command, "-drive", f"file={disk.name},format=raw,if=ide,readonly=on"], read, timeout=3)
        return "kvm" if b"K" in said else "tcg"


def _machine(accel: str, memory: int, processors: int) -> list[str]:
    machine = ["-accel", accel, "-m", str(memory), "-smp", str(processors)]
    return [*machine, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none"]

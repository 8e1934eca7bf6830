"""virtme-ng as another way to boot: the guest's root is this machine's own, read-only, and the probe is one program in it.

    vng --dry-run   composes qemu's command: the root over 9p, virtme-ng's own init, which then runs the probe
    qemu            is started by us, as for the own runner, so that it never outlives the call and a flood is stopped

For kernels that have 9p, overlayfs and virtio (5.x, 6.x): what that takes is in configs/vng.config. What our user may read on
this machine, the guest may read too.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, MissingToolError
from backport.prove.config import Wish, parse, read
from backport.prove.machine import Booted, Machine, observe
from backport.prove.process import collect

_FRAGMENT = Path(__file__).resolve().parent / "configs" / "vng.config"
_LEAST = 256  # MB; a root of files wants more than a program alone


def need() -> None:
    """MissingToolError where there is no vng."""
    if shutil.which("vng") is None:
        then = "pip install virtme-ng (Fedora: dnf install virtme-ng), or leave --backend away: the own runner needs none"
        raise MissingToolError("virtme-ng is not installed", then=then)


def wishes() -> tuple[Wish, ...]:
    """What a kernel must have besides to be booted so; what it has never heard of is left out."""
    return parse(read(_FRAGMENT), _FRAGMENT.name, optional=True)


def boot(
    machine: Machine,
    kernel: Path,
    program: bytes,
    folder: Path,
    number: str,
    timeout: float,
    line: Callable[[str], None],
    keep: Path,
) -> Booted:
    """Boot, and read the console, as machine.boot does; `folder` is a scratch folder that the guest sees in the same place."""
    need()
    init = folder / "init"
    init.write_bytes(program)
    init.chmod(0o755)
    # Beside --exec, vng keeps the program's status in a file that it leaves behind: TMPDIR has it in the scratch folder.
    environment = {**os.environ, "TMPDIR": str(folder)}
    code, said = collect(_command(machine, kernel, init, number), environment=environment)
    words = shlex.split(said.decode("utf-8", "replace").strip().rpartition("\n")[2])
    if code != 0 or not words or "qemu" not in words[0]:
        told = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise EnvironmentFailedError(f"vng composes no command: {told or f'status {code}'}", then="vng --version")
    return observe(words, number, timeout, line, keep)


def _command(machine: Machine, kernel: Path, init: Path, number: str) -> list[str]:
    command = ["vng", "--dry-run", "--verbose", "--run", str(kernel), "--user", "root", "--cwd", "/"]
    command += ["--cpus", str(machine.processors), "--memory", f"{max(machine.memory, _LEAST)}M"]
    # 9p: virtiofsd would be one more process that could outlive us. microvm has neither PCI nor the serial line that is watched.
    command += ["--force-9p", "--disable-microvm", "--disable-monitor", *(["--disable-kvm"] if machine.accel != "kvm" else [])]
    return [*command, "--append", "oops=panic", "--exec", f"NUMBER={number} {shlex.quote(str(init))}"]

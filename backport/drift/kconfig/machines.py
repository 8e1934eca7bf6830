"""The architectures that Fedora builds a kernel for, as a tree of any age names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backport.drift.kconfig.files import KconfigTree


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture as Fedora calls it, its folders below arch/ (newest first), what `make ARCH=` is given, and its defconfigs.

    `values` holds what the defconfig may not say: a 32-bit powerpc is one with PPC64 off.
    """

    name: str
    folders: tuple[str, ...]
    arch: str
    defconfigs: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()


FEDORA = (
    Architecture("x86_64", ("x86", "x86_64"), "x86_64", ("configs/x86_64_defconfig", "defconfig"), (("64BIT", "y"),)),
    Architecture("i386", ("x86", "i386"), "i386", ("configs/i386_defconfig", "defconfig"), (("64BIT", "n"),)),
    Architecture(
        "ppc64", ("powerpc", "ppc64"), "powerpc", ("configs/ppc64_defconfig", "configs/g5_defconfig"), (("PPC64", "y"),)
    ),
    Architecture(
        "ppc", ("powerpc", "ppc"), "powerpc", ("configs/ppc6xx_defconfig", "configs/pmac32_defconfig"), (("PPC64", "n"),)
    ),
    Architecture("s390x", ("s390",), "s390", ("defconfig", "configs/defconfig", "configs/default_defconfig"), (("64BIT", "y"),)),
    Architecture("sparc64", ("sparc64", "sparc"), "sparc64", ("configs/sparc64_defconfig", "defconfig"), (("64BIT", "y"),)),
    Architecture("ia64", ("ia64",), "ia64", ("configs/generic_defconfig", "defconfig")),
    Architecture("arm", ("arm",), "arm", ("configs/multi_v7_defconfig", "configs/versatile_defconfig")),
    Architecture("aarch64", ("arm64",), "arm64", ("configs/defconfig",)),
)
_RPM = {"i686": "i386", "i586": "i386", "ppc64": "ppc64", "armv": "arm"}  # how the names of rpm's architectures begin


@dataclass(frozen=True, slots=True)
class Configured:
    """A kernel that a distribution builds: its name (`i686-PAE`), the architecture as rpm calls it, its whole .config."""

    name: str
    cpu: str
    text: str


@dataclass(frozen=True, slots=True)
class Machine:
    """An architecture as one tree has it: the root file, the environment of its Kconfig, its defconfig (None: defaults only).

    `flavour` names one of several kernels of the architecture; `defconfig` is then that kernel's own.
    """

    architecture: Architecture
    root: str
    environment: tuple[tuple[str, str], ...]
    defconfig: str | None
    flavour: str = ""

    @property
    def name(self) -> str:
        """As Fedora calls it."""
        return self.flavour or self.architecture.name


def machines(tree: KconfigTree, version: str) -> Iterator[Machine]:
    """Those of Fedora's architectures that the tree has a Kconfig for."""
    for found in FEDORA:
        folder = next((f for f in found.folders if tree.file(f"arch/{f}/Kconfig") is not None), None)
        if folder is None:
            continue
        top = "Kconfig" if tree.file("Kconfig") is not None else f"arch/{folder}/Kconfig"
        arch = found.arch if folder not in ("x86_64", "ppc64", "ppc") else folder
        environment = {
            "ARCH": arch, "SRCARCH": folder, "HOSTARCH": "x86_64", "SUBARCH": "x86", "KERNELVERSION": version,
            "KERNELRELEASE": version, "srctree": ".", "CC": "gcc", "LD": "ld", "HOSTCC": "gcc", "CC_VERSION_TEXT": "gcc",
        }  # fmt: skip
        defconfigs = (tree.read(f"arch/{folder}/{name}") for name in found.defconfigs)
        yield Machine(found, top, tuple(environment.items()), next(filter(None, defconfigs), None))


def configured(found: Sequence[Machine], kernels: Sequence[Configured]) -> Iterator[Machine]:
    """The machines as a distribution configures them; a kernel for none of them is left out."""
    for kernel in kernels:
        word = next((name for prefix, name in _RPM.items() if kernel.cpu.startswith(prefix)), kernel.cpu)
        for machine in found:
            if machine.architecture.name == word:
                yield replace(machine, defconfig=kernel.text, flavour=kernel.name)

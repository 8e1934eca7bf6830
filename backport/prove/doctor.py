"""What the machine has of what we call: for `backport doctor`, and for messages about what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backport.model.proof import Tool

# Where the names were checked. Debian's: apt-cache, by the tests on each run there. Fedora's, of which no mirror was at hand:
# git, rpm-build, patch, make, gcc, perl, bc, flex, bison are BuildRequires of Fedora's kernel.spec (4.10 to 6.x),
# elfutils-libelf-devel of Red Hat's; glibc-devel and ccache are installed by libvirt's containers on Fedora, made by lcitool;
# qemu-system-x86-core by several projects' instructions for it. That rpm2cpio is in `rpm` is from memory alone. Where there is a
# dnf, the tests ask it.
_TOOLS = (
    Tool("git", "every command", "git", "git", True),
    Tool("rpmbuild", "SRPMs; booting out of a package", "rpm", "rpm-build", False),
    Tool("rpm2cpio", "booting out of a package", "rpm2cpio", "rpm", False),
    Tool("patch", "checking patch files", "patch", "patch", False),
    Tool("make", "prove build, boot", "make", "make", False),
    Tool("gcc", "prove build, boot; probes", "gcc libc6-dev", "gcc glibc-devel", False),
    Tool("perl", "prove: kernels' own scripts", "perl", "perl", False),
    Tool("bc", "prove: kernels from 3.9 on", "bc", "bc", False),
    Tool("flex", "prove: kernels from 4.16 on", "flex", "flex", False),
    Tool("bison", "prove: kernels from 4.16 on", "bison", "bison", False),
    Tool("gelf.h", "prove: kernels from 4.14 on, their objtool", "libelf-dev", "elfutils-libelf-devel", False),
    Tool("ccache", "prove: a second build in seconds", "ccache", "ccache", False),
    Tool("qemu-system-x86_64", "prove boot", "qemu-system-x86", "qemu-system-x86-core", False),
)
_HEADERS = Path("/usr/include")


def examine() -> list[Tool]:
    """Every tool, with where it is."""
    return [replace(tool, found=_place(tool.name)) for tool in _TOOLS]


def _place(name: str) -> str:
    """Where a program is, or a header that a program of the kernel's is built with; '' where it is not."""
    if not name.endswith(".h"):
        return shutil.which(name) or ""
    header = _HEADERS / name
    return str(header) if header.is_file() else ""


def install(tools: Sequence[Tool]) -> str:
    """The one command that installs what is missing, '' where nothing is; for Fedora where there is a dnf, else for Debian."""
    missing = [tool for tool in tools if not tool.found]
    if not missing:
        return ""
    fedora = shutil.which("dnf") is not None
    packages = sorted({word for tool in missing for word in (tool.fedora if fedora else tool.debian).split()})
    command = "dnf install -y" if fedora else "apt-get install -y --no-install-recommends"
    return f"sudo {command} {' '.join(packages)}"

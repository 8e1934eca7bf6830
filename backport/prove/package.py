"""A kernel out of its package: the boot image in an RPM, and the words that make rpmbuild build one with a profile."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from backport.model.errors import InputError
from backport.prove.process import collect
from backport.prove.toolchain import Toolchain

_MAGIC = b"070701"
_HEAD = 110
_LARGEST = 1 << 30  # bytes of an unpacked package that are looked at


def boot_image(package: Path) -> bytes:
    """The content of /boot/vmlinuz-* in a binary RPM. InputError where it is no RPM, or has not exactly one."""
    if not package.is_file():
        raise InputError("there is no such package", where=str(package), then="build one: rpmbuild --rebuild of the SRPM")
    code, archive = collect(["rpm2cpio", str(package)], timeout=300, most=_LARGEST)
    if code != 0 or _MAGIC not in archive[:4096]:
        raise InputError("rpm2cpio cannot read the package", where=str(package), then="give a binary kernel RPM")
    found = [content for name, content in entries(archive) if name.lstrip("./").startswith("boot/vmlinuz")]
    if len(found) != 1:
        what = f"the package has {len(found)} boot images, not one"
        raise InputError(what, where=str(package), then="give a binary kernel RPM")
    return found[0]


def entries(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of every regular file of a "newc" cpio archive. InputError where it is damaged."""
    at = max(archive.find(_MAGIC), 0)
    while archive[at : at + 6] == _MAGIC:
        try:
            numbers = [int(archive[start : start + 8], 16) for start in range(at + 6, at + _HEAD, 8)]
        except ValueError as error:
            raise InputError("the package's archive is damaged") from error
        mode, size, length = numbers[1], numbers[6], numbers[11]
        name = archive[at + _HEAD : at + _HEAD + length - 1].decode("utf-8", "replace")
        start = at + _padded(_HEAD + length)
        if name == "TRAILER!!!":
            return
        if start + size > len(archive):
            break
        if mode & 0o170000 == 0o100000:
            yield name, archive[start : start + size]
        at = start + _padded(size)
    raise InputError("the package's archive is cut off")


def rebuild(source: Path, toolchain: Toolchain, arch: str, config: Path) -> list[str]:
    """The rpmbuild that builds a source RPM of ours with this toolchain and configuration."""
    target = {"i386": ["--target", "i686"]}.get(arch, [])
    defines = [f"kernel_make_args {_escaped(toolchain.macro(arch))}", f"kernel_config {config}"]
    # --nodeps: where rpm installs no packages, on Debian, it knows of none that are there.
    words = [word for define in defines for word in ("--define", define)]
    return ["rpmbuild", "--rebuild", "--nodeps", *target, *words, str(source)]


def shown(command: list[str]) -> str:
    """A command as a shell reads it."""
    return shlex.join(command)


def _escaped(text: str) -> str:
    """For the body of a macro, in which `%` begins another."""
    return text.replace("%", "%%")


def _padded(size: int) -> int:
    return -(-size // 4) * 4

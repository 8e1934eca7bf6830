"""The boot image in an RPM, against the real rpmbuild."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.prove.initramfs import initramfs
from backport.prove.package import boot_image, entries

SPEC = """Name: kernel
Version: 1
Release: 1
Summary: a kernel
License: GPL
AutoReqProv: no
%description
%install
mkdir -p %{buildroot}/boot %{buildroot}/lib
echo image > %{buildroot}/boot/vmlinuz-1
echo map > %{buildroot}/boot/System.map-1
echo odd > %{buildroot}/lib/vmlinuz
%files
/boot
/lib
"""
needs_rpm = pytest.mark.skipif(not shutil.which("rpmbuild") or not shutil.which("rpm2cpio"), reason="rpm is not installed")


@needs_rpm
def test_the_image_comes_out_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "kernel.spec").write_text(SPEC)
    subprocess.run(
        ["rpmbuild", "-bb", "--define", f"_topdir {tmp_path}", str(tmp_path / "kernel.spec")], check=True, capture_output=True
    )
    (package,) = (tmp_path / "RPMS").rglob("*.rpm")
    assert boot_image(package) == b"image\n"


@needs_rpm
def test_what_is_no_package_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd.rpm").write_bytes(b"no rpm at all" * 100)
    with pytest.raises(InputError, match="cannot read the package"):
        boot_image(tmp_path / "odd.rpm")
    with pytest.raises(InputError, match="there is no such package"):
        boot_image(tmp_path / "none.rpm")


def test_an_archive_is_read_and_a_damaged_one_is_told() -> None:
    archive = gzip.decompress(initramfs(b"program", [("number", b"abc")]))
    assert list(entries(archive)) == [("init", b"program"), ("number", b"abc")]
    with pytest.raises(InputError, match="cut off"):
        list(entries(archive[: archive.index(b"TRAILER!!!") - 110]))
    with pytest.raises(InputError, match="cut off"):
        list(entries(archive[: archive.index(b"program") + 2]))
    with pytest.raises(InputError, match="damaged"):
        list(entries(b"070701" + b"x" * 200))

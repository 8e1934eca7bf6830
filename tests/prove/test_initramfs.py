"""The initramfs, against cpio(1)."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from backport.prove.initramfs import initramfs


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_reads_it(tmp_path: Path) -> None:
    archive = gzip.decompress(initramfs(b"#!/bin/true\n", [("number", b"abc"), ("empty", b"")]))
    listed = subprocess.run(["cpio", "-itv", "--numeric-uid-gid"], input=archive, capture_output=True, check=True).stdout.decode()
    rows = {line.split()[-1]: line.split()[0] for line in listed.splitlines()}
    assert rows == {
        "dev": "drwxr-xr-x",
        "dev/console": "crw-------",
        "init": "-rwxr-xr-x",
        "number": "-rw-r--r--",
        "empty": "-rw-r--r--",
    }
    assert "5,   1" in listed
    subprocess.run(["cpio", "-id", "init", "number"], input=archive, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "init").read_bytes() == b"#!/bin/true\n"
    assert (tmp_path / "number").read_bytes() == b"abc"


def test_equal_files_give_equal_bytes() -> None:
    assert initramfs(b"x", [("a", b"1")]) == initramfs(b"x", [("a", b"1")])

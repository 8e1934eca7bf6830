"""The kernel's version from its Makefile, and rpm's names for it."""

from __future__ import annotations

import pytest

from backport.model.errors import InputError
from backport.package.version import parse


def makefile(extra: str, numbers: tuple[str, ...] = ("2", "6", "31")) -> bytes:
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    return "".join(f"{n} = {v}\n" for n, v in zip(names, numbers, strict=False)).encode() + f"EXTRAVERSION = {extra}\n".encode()


@pytest.mark.parametrize(
    ("extra", "upstream", "version", "release"),
    [
        ("", "2.6.31", "2.6.31", "1"),
        (".3", "2.6.31.3", "2.6.31.3", "1"),
        ("-rc3", "2.6.31-rc3", "2.6.31", "0.1.rc3"),
        (".3-rc1", "2.6.31.3-rc1", "2.6.31.3", "0.1.rc1"),
        ("-rc3-git5", "2.6.31-rc3-git5", "2.6.31", "0.1.rc3.git5"),
        ("-rt11", "2.6.31-rt11", "2.6.31", "1.rt11"),
        ("-prep", "2.6.31-prep", "2.6.31", "1.prep"),
    ],
)
def test_extraversion(extra: str, upstream: str, version: str, release: str) -> None:
    found = parse(makefile(extra))
    assert (found.upstream, found.version, found.release) == (upstream, version, release)


@pytest.mark.parametrize(
    "text",
    [
        b"VERSION=2\nPATCHLEVEL=6\nSUBLEVEL=31\nEXTRAVERSION=\n",
        b"# SPDX\nVERSION\t= 2\nPATCHLEVEL :=\t6\nSUBLEVEL = 31 # note\nEXTRAVERSION =\nNAME = x\n",
        b"VERSION = 2\r\nPATCHLEVEL = 6\r\nSUBLEVEL = 31\r\nEXTRAVERSION =\r\n",
        b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n\nifdef x\nEXTRAVERSION = -later\nendif\nVERSION = 9\n",
    ],
)
def test_spelling(text: bytes) -> None:
    assert parse(text).upstream == "2.6.31"


def test_later_kernels() -> None:
    found = parse(makefile("-rc2", ("6", "11", "0")))
    assert (found.upstream, found.version, found.release) == ("6.11.0-rc2", "6.11.0", "0.1.rc2")
    assert found.at_least(4, 16)
    assert not parse(makefile("")).at_least(3, 9)


@pytest.mark.parametrize(
    "text",
    [b"", b"all:\n\tcc x.c\n", b"VERSION = 1.2\nPATCHLEVEL = 3\n", b"VERSION = $(shell x)\nPATCHLEVEL = 1\n", b"VERSION = 2\n"],
)
def test_no_kernel(text: bytes) -> None:
    with pytest.raises(InputError, match="not a kernel"):
        parse(text)


@pytest.mark.parametrize("extra", ["%(touch x)", "-rc 3", "$(shell x)", "-é"])
def test_an_extraversion_that_rpm_cannot_carry(extra: str) -> None:
    with pytest.raises(InputError):
        parse(makefile(extra))

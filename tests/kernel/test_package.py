"""The real 2.6.31: tarball, SRPM, and rpmbuild -bp with today's compiler. About a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.package import assemble, source, version
from backport.package.plan import Plan
from tests.package.examples import DATE, needs_make, needs_rpm, plan, quiet, rpm

pytestmark = [pytest.mark.kernel, needs_rpm, needs_make]


@pytest.fixture(scope="module")
def ready(worktree: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    subprocess.run(["git", "-C", worktree, "checkout", "-q", "-f", "v2.6.31"], check=True)
    listing = subprocess.run(["git", "-C", worktree, "ls-files", "-s", "-z"], capture_output=True, check=True).stdout.split(
        b"\0"
    )[:-1]

    def entries() -> Iterator[tuple[bytes, int, bytes]]:
        for line in listing:
            facts, path = line.split(b"\t", 1)
            mode, place = int(facts.split()[0], 8), worktree / os.fsdecode(path)
            yield path, mode, os.fsencode(place.readlink()) if mode == 0o120000 else place.read_bytes()

    return plan(
        kernel=version.parse((worktree / "Makefile").read_bytes()),
        source=source.cached("c" * 40, "linux-2.6.31", DATE, entries, quiet, tmp_path_factory.mktemp("cache")),
        patches=(),
        config=(
            ConfigValue("IKCONFIG", "m"),
            ConfigValue("HZ_100", "y"),
            ConfigValue("CRYPTO_SEED", "n"),
            ConfigValue("IPV6", "m"),
        ),
    )


def unpack(what: Plan, folder: Path, cpu: str = "x86_64") -> subprocess.CompletedProcess[bytes]:
    path = assemble.write(folder, what)[-1].path
    assert rpm("rpm", "-i", "--nodeps", folder / path, home=folder).returncode == 0
    return rpm("rpmbuild", "--target", f"{cpu}-linux", "-bp", "--nodeps", folder / "SPECS" / "kernel.spec", home=folder)


def test_prep_configures_the_real_tree(ready: Plan, tmp_path: Path) -> None:
    done = unpack(ready, tmp_path)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    lines = (tmp_path / "BUILD" / "linux-2.6.31" / ".config").read_text().splitlines()
    wanted = {
        "CONFIG_IKCONFIG=m",
        "CONFIG_HZ_100=y",
        "# CONFIG_HZ_1000 is not set",
        "# CONFIG_CRYPTO_SEED is not set",
        "CONFIG_IPV6=m",
    }
    assert wanted <= set(lines)
    shutil.rmtree(tmp_path / "BUILD")


@pytest.mark.parametrize(("cpu", "symbol"), [("i686", "CONFIG_X86_32=y"), ("ppc64", "CONFIG_PPC64=y")])
def test_prep_configures_other_targets_on_this_host(cpu: str, symbol: str, ready: Plan, tmp_path: Path) -> None:
    """powerpc's own defconfig asks uname -m, and was refused on an x86 host."""
    done = unpack(replace(ready, config=(ConfigValue("IKCONFIG", "m"),)), tmp_path, cpu)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    lines = (tmp_path / "BUILD" / "linux-2.6.31" / ".config").read_text().splitlines()
    assert {"CONFIG_IKCONFIG=m", symbol} <= set(lines)
    shutil.rmtree(tmp_path / "BUILD")


def test_a_lost_patch_is_noticed(ready: Plan, tmp_path: Path) -> None:
    done = unpack(replace(ready, config=(ConfigValue("KSM", "y"),)), tmp_path)
    assert done.returncode != 0
    assert "error: CONFIG_KSM should be y, but the kernel's configuration made it n" in done.stderr.decode()
    shutil.rmtree(tmp_path / "BUILD")

"""KSM on 2.6.31, compiled patch by patch, booted, and broken on purpose. Minutes where the cache is cold, seconds after that.

BACKPORT_PROVE_CACHE may name a folder that is kept from one run of the tests to the next.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="gcc or make is not installed"),
]
needs_qemu = pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86_64 is not installed")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("BACKPORT_PROVE_CACHE")
    return Path(kept) if kept else tmp_path_factory.mktemp("cache")


def prove(*words: str | Path, kernel: Path, cache: Path, cwd: Path, status: int) -> dict[str, Any]:
    variables = {**os.environ, "XDG_CACHE_HOME": str(cache), "GIT_CONFIG_GLOBAL": "/dev/null"}
    command = ["backport", "prove", *map(str, words), "--kernel", str(kernel), "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, env=variables)
    assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_step_compiles_and_no_patch_brings_a_diagnostic(kernel: Path, cache: Path, tmp_path: Path) -> None:
    document = prove("build", "ksm", kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    (proof,) = document["proofs"]
    assert (proof["outcome"], proof["subject"]) == ("passed", "11 objects in 31 states")
    assert document["findings"] == []
    assert [item["what"] for item in document["skipped"]] == ["Documentation/vm/page-types.c"]
    begin = time.monotonic()
    again = prove("build", "ksm", kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    assert again == document
    assert time.monotonic() - begin < 60  # a replay and no build; 20 s on an idle machine


@needs_qemu
def test_the_feature_works_and_the_target_has_none(kernel: Path, cache: Path, tmp_path: Path) -> None:
    document = prove("boot", "ksm", "-p", "2", "--control", kernel=kernel, cache=cache, cwd=tmp_path, status=0)
    boot, control = document["proofs"]
    assert (boot["kind"], boot["outcome"]) == ("boot", "passed")
    assert {check["outcome"] for check in boot["checks"]} == {"ok"}
    assert len(boot["checks"]) > 80
    assert (control["kind"], control["outcome"]) == ("control", "absent")
    assert "EINVAL" in control["why"]
    assert b"Brought up 2 CPUs" in (tmp_path / "build" / boot["console"]).read_bytes()
    with_ksm, without = ({m["name"] for m in measured["measures"]} for measured in document["measured"])
    assert with_ksm > without


BROKEN = {  # what was broken: the file, what stands there, what is put
    "contents are not compared": (b"mm/ksm.c", b"ret = memcmp(addr1, addr2, PAGE_SIZE);", b"ret = 0;"),
    "a write goes to the merged page": (b"mm/memory.c", b"(PageAnon(old_page) && !PageKsm(old_page))", b"(PageAnon(old_page))"),
    "moved pages stay merged": (b"mm/mremap.c", b"MADV_UNMERGEABLE, &vm_flags", b"MADV_MERGEABLE, &vm_flags"),
}


@needs_qemu
@pytest.mark.parametrize("name", BROKEN)
def test_a_kernel_that_is_broken_fails(
    kernel: Path, cache: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backport import proving
    from backport.ingest import catalog
    from backport.model.progress import Silent
    from backport.model.proof import Outcome
    from backport.model.series import Entry
    from backport.prove import boot, machine, probe
    from backport.prove.bench import open_bench
    from backport.prove.build import Setup

    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    path, old, new = BROKEN[name]
    definition = catalog.find("ksm", [catalog.data_folder("patches")])
    with proving.landed(definition, [str(kernel)], "v2.6.31", Silent()) as landed:
        text = landed.shop.trees.read(landed.chain.tip, path) or b""
        assert text.count(old) == 1
        blob = landed.shop.store.write("blob", text.replace(old, new))
        tree = landed.shop.trees.edit(landed.chain.tip, {path: Entry(0o100644, blob)})
        prober = probe.load(definition.source.parent / "probe")
        trial = boot.Trial(prober, probe.compile_init(prober, "gcc", "x86_64"), tmp_path, lambda _: None)
        with open_bench(proving.cache_folder(), landed.kernel, landed.shop.store) as bench:
            toolchain = proving.chosen(landed.kernel, "x86_64", proving.Tools())
            setup = Setup("x86_64", proving.boot_recipe(definition, prober, 2), toolchain)
            on = machine.Machine("x86_64", 2, prober.memory)
            proof = boot.build_and_boot("mutant", name, tree, bench, setup, on, trial, Silent())
    assert proof.outcome is Outcome.FAILED
    assert "does not build" not in proof.why

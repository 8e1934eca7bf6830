"""`backport uapi`: what programs see, on the sample and (with a history) on KSM."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


def uapi(*arguments: str, cwd: Path, status: int) -> dict[str, object]:
    variables = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache")}
    done = subprocess.run(["backport", "uapi", *arguments, "--json"], cwd=cwd, capture_output=True, env=variables)
    assert done.returncode == status, done.stderr.decode()
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_sample_adds_a_prompt_and_is_stable(tmp_path: Path) -> None:
    found = uapi("sample", cwd=tmp_path, status=0)
    assert found["stable"] is True
    assert [(c["word"], c["kind"], c["name"]) for c in found["changes"]] == [  # type: ignore[attr-defined]
        ("added", "kconfig", "CONFIG_PAGE_MERGE")
    ]


@pytest.mark.kernel
@pytest.mark.skipif(not os.environ.get("BACKPORT_KERNEL"), reason="BACKPORT_KERNEL is not set: give it a mainline clone")
def test_ksm_has_the_whole_surface_of_2_6_32_and_nothing_later(tmp_path: Path) -> None:
    found = uapi("ksm", cwd=tmp_path, status=0)
    names = {(c["kind"], c["name"].rpartition("/")[2], c["after"]) for c in found["changes"]}  # type: ignore[attr-defined]
    knobs = {"run": "0644", "pages_to_scan": "0644", "sleep_millisecs": "0644", "max_kernel_pages": "0644"}
    counters = ("pages_shared", "pages_sharing", "pages_unshared", "pages_volatile", "full_scans")
    expected = {("sysfs", name, mode) for name, mode in (knobs | dict.fromkeys(counters, "0444")).items()}
    expected |= {("madvise", "MADV_MERGEABLE", number) for number in ("12", "65")}
    expected |= {("madvise", "MADV_UNMERGEABLE", number) for number in ("13", "66")}
    expected |= {("constant", "KPF_KSM", "21"), ("kconfig", "CONFIG_KSM", 'bool "Enable KSM for page merging"')}
    assert names == expected


@pytest.mark.kernel
@pytest.mark.skipif(not os.environ.get("BACKPORT_KERNEL"), reason="BACKPORT_KERNEL is not set: give it a mainline clone")
def test_a_knob_that_went_in_2_6_33_is_said(tmp_path: Path) -> None:
    found = uapi("ksm", "--at", "v2.6.33", cwd=tmp_path, status=1)
    moved = [(c["word"], c["name"]) for comparison in found["comparisons"] for c in comparison["changes"]]  # type: ignore[attr-defined]
    assert moved == [("removed", "/sys/kernel/mm/ksm/max_kernel_pages")]

"""The drift gate on KSM: two names in one commit of 31, and nothing about the other thirty."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backport.drift.undeclared import DriftReport, KernelGuard
from backport.drift.workbench import Workbench
from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.catalog import data_folder
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.model.progress import Silent
from tests.drift.repository import walk

pytestmark = pytest.mark.kernel

KVM = "3da0dd433dc399a8c0124d0614d82a09b6a49bce"


def checked(kernel: Path, run: Path, cache: Path) -> tuple[DriftReport, float]:
    clone = open_clone(kernel)
    with Store(run, [clone.objects]) as store:
        history = History(store)
        series = ingest(load(data_folder("patches") / "ksm" / "series.toml"), [clone], store, Silent())
        onto = history.commit(resolve_one([clone], "v2.6.31")).tree
        begun = time.monotonic()
        with Workbench(Trees(store), store, history, cache) as bench:
            return walk(KernelGuard(series, onto, bench), series), time.monotonic() - begun


@pytest.fixture(scope="module")
def cold(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[DriftReport, Path]:
    folder = tmp_path_factory.mktemp("drift")
    report, seconds = checked(kernel, folder / "cold.git", folder / "cache")
    assert seconds < 20
    return report, folder


def test_exactly_two_names_are_missing(cold: tuple[DriftReport, Path]) -> None:
    found = {f.symbol: f for f in cold[0].findings}
    assert set(found) == {"__set_spte", "SPTE_HOST_WRITEABLE"}
    assert {(f.patch, f.path, f.level, f.kind) for f in found.values()} == {
        (KVM, b"arch/x86/kvm/mmu.c", "error", "absent-symbol")
    }
    assert {name: f.line for name, f in found.items()} == {"__set_spte": 782, "SPTE_HOST_WRITEABLE": 789}


def test_each_has_its_cause_and_the_older_spelling(cold: tuple[DriftReport, Path]) -> None:
    found = {f.symbol: f for f in cold[0].findings}
    causes = {name: f.introduced_by.commit[:12] for name, f in found.items() if f.introduced_by is not None}
    assert causes == {"__set_spte": "d555c333aa54", "SPTE_HOST_WRITEABLE": "1403283acca3"}
    assert found["__set_spte"].hint == "the target spells it set_shadow_pte"
    assert found["__set_spte"].upstream == "arch/x86/kvm/mmu.c:292 (function)"
    assert found["SPTE_HOST_WRITEABLE"].hint == ""


def test_a_warm_index_says_the_same_and_is_quick(kernel: Path, cold: tuple[DriftReport, Path]) -> None:
    report, seconds = checked(kernel, cold[1] / "warm.git", cold[1] / "cache")
    assert report == cold[0]
    assert seconds < 3

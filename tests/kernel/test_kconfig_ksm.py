"""Configuration and kABI of the first customer: KSM onto v2.6.31, and what the slices of its Kconfig are worth."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.drift import kabi
from backport.drift.kconfig.check import check
from backport.drift.kconfig.files import Scans, open_pair
from backport.drift.kconfig.machines import machines
from backport.drift.kconfig.sandbox import Sandbox
from backport.drift.kconfig.view import View
from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.catalog import data_folder
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.ingest.sources import Sources
from backport.model.finding import Level
from backport.model.progress import Silent
from backport.replay.engine import replay
from tests.drift.trees import Case

pytestmark = pytest.mark.kernel
DEFINITION = data_folder("patches") / "ksm" / "series.toml"


@pytest.fixture(scope="module")
def case(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    clone = open_clone(kernel)
    with Sources((clone,)).store(tmp_path_factory.mktemp("ksm") / "store") as store:
        trees, history = Trees(store), History(store)
        onto = resolve_one((clone,), "v2.6.31")
        series = ingest(load(DEFINITION), (clone,), store, Silent())
        done = replay(series, onto, store, trees, history, Silent())
        yield Case(series, history.commit(onto).tree, done.tree, trees, store)


def test_ksm_can_be_switched_on_everywhere(case: Case) -> None:
    started = time.monotonic()
    report = check(case.series, case.onto, case.result, load(DEFINITION).config, case.trees, case.store)
    assert time.monotonic() - started < 6  # 1 s where nothing else runs
    assert report.findings == ()
    assert report.skipped == ()
    (symbol,) = report.symbols
    assert (symbol.name, symbol.type, symbol.prompt) == ("KSM", "bool", "Enable KSM for page merging")
    assert (symbol.depends, symbol.path) == ("MMU", b"mm/Kconfig")
    everywhere = ("x86_64", "i386", "ppc64", "ppc", "s390x", "sparc64", "ia64", "arm")
    assert symbol.values == tuple((name, "y") for name in everywhere)


def test_without_the_series_the_wish_is_an_error(case: Case) -> None:
    report = check(case.series, case.onto, case.onto, load(DEFINITION).config, case.trees, case.store)
    (found,) = [f for f in report.findings if f.level is Level.ERROR and f.kind == "kconfig-absent"]
    assert (found.symbol, found.hint, found.path) == ("KSM", "the patch that adds it did not land", b"mm/Kconfig")


def test_the_notifier_is_what_modules_see(case: Case) -> None:
    started = time.monotonic()
    (found,) = kabi.check(case.series, case.onto, case.result, case.trees, case.store)
    assert time.monotonic() - started < 6
    assert (found.level, found.kind, found.symbol) == (Level.WARNING, "kabi-struct", "mmu_notifier_ops")
    assert found.upstream == "change_pte added in the middle, behind clear_flush_young"
    assert found.target == "reached by __mmu_notifier_register, mmu_notifier_register, mmu_notifier_unregister"
    assert (found.path, found.line, found.patch[:12]) == (b"include/linux/mmu_notifier.h", 68, "828502d30073")


def test_a_whitelisted_symbol_is_an_error(case: Case) -> None:
    found = kabi.check(case.series, case.onto, case.result, case.trees, case.store, frozenset({"mmu_notifier_register"}))
    assert [(f.kind, f.symbol) for f in found if f.level is Level.ERROR] == [("kabi-struct", "mmu_notifier_register")]


def test_a_slice_gives_the_values_of_the_whole(case: Case) -> None:
    """For symbols picked at random: value, visibility and possible values, as a parse of all of it has them."""
    tree, _ = open_pair(case.onto, case.onto, case.trees, case.store, Scans(case.store))
    sandbox = Sandbox()
    machine = next(m for m in machines(tree, "2.6.31") if m.name == "x86_64")
    view = View(tree, machine.root, dict(machine.environment))
    sandbox.resolve = view.resolve
    texts = {path: file.text for path in tree.paths() if (file := tree.file(path)) is not None}
    whole = sandbox.load(texts, machine.root, view.environment).kconf
    sandbox.load_config(whole, machine.defconfig or "")
    assert {symbol.name for symbol in whole.unique_defined_syms} == view.symbols
    for name in random.Random(7).sample(sorted(view.symbols), 40):
        part = sandbox.load(view.slice([name, "MODULES"]), machine.root, view.environment).kconf
        sandbox.load_config(part, machine.defconfig or "")
        expected, found = whole.syms[name], part.syms[name]
        assert (found.str_value, found.visibility, found.assignable) == (
            expected.str_value,
            expected.visibility,
            expected.assignable,
        )

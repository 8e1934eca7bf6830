"""The surface of KSM in the real history, and its numbers against the real 2.6.31."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.drift import numbers
from backport.drift.uapi.feature import Feature, compare_named, feature_at, series_surface
from backport.drift.uapi.surface import Reader, surface
from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.catalog import data_folder
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.ingest.sources import Sources
from backport.model.progress import Silent
from backport.replay.engine import replay
from tests.gitrepo import Session

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def session(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The series, replayed onto v2.6.31."""
    sources = Sources((open_clone(kernel),))
    with sources.store(tmp_path_factory.mktemp("uapi") / "store") as store:
        trees, history = Trees(store), History(store)
        series = ingest(load(data_folder("patches") / "ksm" / "series.toml"), sources.clones, store, Silent())
        onto = resolve_one(sources.clones, "v2.6.31")
        yield Session(series, replay(series, onto, store, trees, history, Silent()), store, trees, history)


@pytest.fixture(scope="module")
def feature(session: Session) -> Feature:
    return series_surface(session.series, Reader(session.trees, session.store))


def tree(kernel: Path, session: Session, name: str) -> str:
    return session.history.commit(resolve_one((open_clone(kernel),), name)).tree


def test_the_ids_of_each_architecture(feature: Feature) -> None:
    found = {(i.name, i.scope): i.value for i in feature.surface.items if i.kind == "madvise"}
    generic = ["asm-generic/mman-common.h", *(f"asm/mman.h on {arch}" for arch in ("alpha", "mips", "xtensa"))]
    expected = {("MADV_MERGEABLE", scope): "12" for scope in generic} | {("MADV_UNMERGEABLE", scope): "13" for scope in generic}
    expected |= {("MADV_MERGEABLE", "asm/mman.h on parisc"): "65", ("MADV_UNMERGEABLE", "asm/mman.h on parisc"): "66"}
    assert found == expected


def test_equal_in_the_release_and_in_the_backport(feature: Feature, session: Session, kernel: Path) -> None:
    reader = Reader(session.trees, session.store)
    release = feature_at(feature, tree(kernel, session, "v2.6.32"), reader)
    result = feature_at(feature, session.replayed.tree, reader)
    compared = compare_named(("v2.6.32", release), ("the backport", result))
    assert compared.verdict == "stable: equal in v2.6.32 and the backport (21 items)"
    assert compare_named(("ksm", feature.surface), ("v2.6.32", release)).stable
    assert feature_at(feature, tree(kernel, session, "v2.6.31"), reader).items == ()


def test_numbers_are_silent_on_2_6_31_and_quick(session: Session, kernel: Path) -> None:
    onto = tree(kernel, session, "v2.6.31")
    started = time.process_time()
    assert numbers.check(session.series, onto, session.trees, session.store, session.history) == ()
    assert time.process_time() - started < 1  # 0.2 s on an idle core


def test_known_facts_of_the_whole_of_mm_and_linux(session: Session, kernel: Path) -> None:
    paths = [b"include/linux/loop.h", b"include/linux/prctl.h", b"mm/madvise.c", b"kernel/sysctl.c", b"include/linux/fs.h"]
    found = surface(tree(kernel, session, "v2.6.31"), session.trees, session.store, paths)
    told = {(item.kind.value, item.name): item.value for item in found.items}
    assert told["prctl", "PR_SET_NAME"] == "15"
    assert told["syscall", "madvise"] == "(unsigned long start, size_t len_in, int behavior)"
    assert told["sysctl", "/proc/sys/vm/swappiness"] == "0644"
    assert told["ioctl", "FS_IOC_GETFLAGS"] == str(2 << 30 | 8 << 16 | ord("f") << 8 | 1)
    assert told["struct", "struct loop_info64"].startswith("size 232 at")

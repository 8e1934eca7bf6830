"""Configuration symbols on added lines, asked of whole trees: the target's, and upstream's where the target has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.history import History
from tests.gitrepo import Repo, numbered, replayed


@pytest.mark.parametrize(("upstream", "said"), [(b"config THING\n\tbool\n", ["THING"]), (b"config OTHER\n\tbool\n", [])])
def test_a_symbol_that_upstream_does_not_define_either_is_no_drift(tmp_path: Path, upstream: bytes, said: list[str]) -> None:
    repo = Repo.make(tmp_path / "kernel.git")
    base = repo.commit({b"f.c": numbered(20)}, b"release\n")
    parent = repo.on(base, {b"lib/Kconfig": upstream, b"f.c": numbered(20, l19=b"later")}, b"lib: options\n")
    patch = repo.on(parent, {b"f.c": numbered(20, l9=b"#ifdef CONFIG_THING", l19=b"later")}, b"use it\n")
    with replayed(repo, [patch], base, tmp_path) as session:
        assert [finding.symbol for finding in session.replayed.findings] == said


def test_a_symbol_that_is_defined_beside_the_file_is_not_looked_for_in_the_whole_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[set[bytes]] = []
    search = History.configures
    monkeypatch.setattr(
        History, "configures", lambda self, tree, symbols: searched.append(set(symbols)) or search(self, tree, symbols)
    )
    repo = Repo.make(tmp_path / "kernel.git")
    kconfigs = {b"lib/Kconfig": b"config NEAR\n\tbool\n", b"far/Kconfig": b"menuconfig FAR\n\tbool\n"}
    base = repo.commit({b"lib/x/f.c": numbered(20), **kconfigs}, b"release\n")
    parent = repo.on(base, {b"lib/x/f.c": numbered(20, l19=b"later")}, b"lib: later\n")
    lines = {"l5": b"#ifdef CONFIG_NEAR", "l9": b"#ifdef CONFIG_FAR", "l19": b"later"}
    near = repo.on(parent, {b"lib/x/f.c": numbered(20, l5=lines["l5"], l19=b"later")}, b"near\n")
    far = repo.on(near, {b"lib/x/f.c": numbered(20, **lines)}, b"far\n")
    with replayed(repo, [near, far], base, tmp_path) as session:
        assert not session.replayed.findings
    assert searched == [{b"FAR"}]

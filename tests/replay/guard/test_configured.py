"""Configuration symbols on added lines, asked of whole trees: the target's, and upstream's where the target has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gitrepo import Repo, numbered, replayed


@pytest.mark.parametrize(("upstream", "said"), [(b"config THING\n\tbool\n", ["THING"]), (b"config OTHER\n\tbool\n", [])])
def test_a_symbol_that_upstream_does_not_define_either_is_no_drift(tmp_path: Path, upstream: bytes, said: list[str]) -> None:
    repo = Repo.make(tmp_path / "kernel.git")
    base = repo.commit({b"f.c": numbered(20)}, b"release\n")
    parent = repo.on(base, {b"lib/Kconfig": upstream, b"f.c": numbered(20, l19=b"later")}, b"lib: options\n")
    patch = repo.on(parent, {b"f.c": numbered(20, l9=b"#ifdef CONFIG_THING", l19=b"later")}, b"use it\n")
    with replayed(repo, [patch], base, tmp_path) as session:
        assert [finding.symbol for finding in session.replayed.findings] == said

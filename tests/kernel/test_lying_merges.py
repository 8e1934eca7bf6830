"""Merges of real backports that are clean and wrong, by ids alone: each is refused, or made as the stable maintainers made it.

And two fixes that stand in the wrong function of 2.6.32.y to this day: put where upstream has them, or refused. Needs, in
BACKPORT_KERNEL (paths joined with `:`), mainline clones and one with the 2.6.32.y stable commits.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backport import sweep
from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.progress import Silent

pytestmark = pytest.mark.kernel

LYING = {
    # upstream: stable, what is wrong with the merge
    "6d152e23ad1a": "5381fb84ee42",  # skb_iif is called iif in the target
    "1445c08d06c5": "296a3f11b1fd",  # raw_spin_lock is spin_lock
    "a30eec2a8650": "7a5fb6dc311d",  # ext4_warning takes other arguments
    "55f9cf6bbaa6": "57ff64c3e0fe",  # fsstack_copy_attr_all takes one more argument
    "3c77f8457221": "d3de146b4e4f",  # the value is read in a second place
    "94e2238969e8": "0a3f7a263b2b",  # the code has a second copy
    "fd89a137924e": "6faa675c8269",  # an #include is missing
}
MISPLACED = {"70da2340fbc6": "3ec268a6828c", "d91afd15b041": "253f887cc8d7"}


@dataclass
class Swept:
    """What became of the pairs, by upstream commit, and the objects that were made."""

    rows: dict[str | None, dict[str, Any]]
    trees: Trees
    history: History

    def row(self, upstream: str) -> dict[str, Any]:
        """The row of a pair; skips where a history lacks one of its commits."""
        found = next((row for commit, row in self.rows.items() if commit and commit.startswith(upstream)), None)
        if found is None or found["verdict"] == "error":
            pytest.skip(f"BACKPORT_KERNEL has not both commits of {upstream}")
        return found

    def made(self, upstream: str, path: bytes) -> bytes | None:
        """The file as it landed or would land by the first suggestion; None where there is neither."""
        row = self.row(upstream)
        tree = row["tree"] or next((told["tree"] for told in row["suggestions"]), None)
        return self.trees.read(tree, path) if tree is not None else None


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    value = os.environ.get("BACKPORT_KERNEL", "")
    if not value:
        pytest.skip("BACKPORT_KERNEL is not set: give it mainline clones and one of 2.6.32.y, joined with ':'")
    folder, kernels = tmp_path_factory.mktemp("lying"), tuple(path for path in value.split(":") if path)
    listed, out = folder / "pairs.tsv", folder / "rows.jsonl"
    listed.write_text("upstream\tstable\n" + "".join(f"{u}\t{s}\n" for u, s in (LYING | MISPLACED).items()))
    sweep.run(sweep.Request(listed, kernels, keep=folder / "keep.git", out=out, workers=1), Silent(), io.BytesIO())
    rows = {row["commit"]: row for row in map(json.loads, out.read_bytes().splitlines())}
    objects = [folder / "keep.git" / "objects", *(open_clone(Path(path)).objects for path in kernels)]
    with Store(folder / "judge.git", objects) as store:
        yield Swept(rows, Trees(store), History(store))


@pytest.mark.parametrize("upstream", LYING)
def test_a_merge_that_is_clean_and_wrong_does_not_land(swept: Swept, upstream: str) -> None:
    row = swept.row(upstream)
    if row["verdict"] == "suspect":
        assert row["reason"]
        return
    stable = swept.history.commit(LYING[upstream])
    before = swept.history.commit(stable.parents[0]).tree
    (changes,) = swept.history.changes([(before, stable.tree)])
    assert row["tree"], "neither refused nor made"
    for change in changes:
        assert swept.trees.entry(row["tree"], change.new_path) == change.new


def test_the_limit_is_in_the_entry_that_it_is_for(swept: Swept) -> None:
    """70da2340fbc6 limits max_map_count; in 2.6.32.y it is exception-trace that has got the limit."""
    text = swept.made("70da2340fbc6", b"kernel/sysctl.c")
    if text is None:
        assert swept.row("70da2340fbc6")["verdict"] in ("conflict", "suspect")
        return
    entry = re.search(rb'"max_map_count",.*?\n\t\}', text, re.S)
    assert entry is not None
    assert re.search(rb"\.extra1\s*=\s*&zero", entry[0])
    other = re.search(rb'"exception-trace",.*?\n\t\}', text, re.S)
    assert other is not None
    assert b".extra1" not in other[0]


def test_the_overflow_is_mended_in_the_function_that_has_it(swept: Swept) -> None:
    """d91afd15b041 mends alloc_new_range; in 2.6.32.y it is flush_devices_by_domain that has got the type."""
    text = swept.made("d91afd15b041", b"arch/x86/kernel/amd_iommu.c")
    if text is None:
        assert swept.row("d91afd15b041")["verdict"] in ("conflict", "suspect")
        return
    other = re.search(rb"\nstatic void flush_devices_by_domain\(.*?\n\}", text, re.S)
    mended = re.search(rb"\nstatic int alloc_new_range\(.*?\n\}", text, re.S)
    assert other is not None
    assert mended is not None
    assert b"unsigned long i;" not in other[0]
    assert b"unsigned long i;" in mended[0]

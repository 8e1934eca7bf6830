"""Rules of the ladder on real backports, by ids alone: the result against what the stable maintainers made of the same commit.

Needs, in BACKPORT_KERNEL (paths joined with `:`), a mainline clone and one with the 2.6.32.y stable commits; what a clone does
not have is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.merge import Merger
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import BackportError
from backport.model.series import FileChange, Patch
from backport.replay.decide import decide
from backport.replay.rules.ladder import attempt
from backport.replay.situation import Library, Resolution, Situation

pytestmark = pytest.mark.kernel


@dataclass
class Past:
    """Objects of all histories that there are."""

    library: Library
    merger: Merger

    def situation(self, upstream: str, target: str, path: bytes) -> Situation:
        """The conflict of one file; skips where a history lacks the commits."""
        history, trees, store = self.library.history, self.library.trees, self.library.store
        try:
            commit = history.commit(upstream)
            parent, onto = history.commit(commit.parents[0]), history.commit(target)
        except BackportError as error:
            pytest.skip(f"BACKPORT_KERNEL has no such commit: {error.what}")
        changes = history.changes([(parent.tree, commit.tree)])[0]
        change = next(c for c in changes if c.new_path == path)
        patch = Patch(upstream, parent.oid, commit.tree, parent.tree, b"", b"", b"", commit.message, changes)
        found = self.decided(change, onto.tree)
        base, theirs = (store.read(e.oid, "blob") if e is not None else None for e in (change.old, change.new))
        return Situation(patch, change, path, onto.tree, "", base, trees.read(onto.tree, path), theirs, found, self.library)

    def decided(self, change: FileChange, tree: str) -> tuple:  # type: ignore[type-arg]
        trees = self.library.trees
        found = decide(change, lambda p: trees.entry(tree, p), lambda t: self.merger.merge([t])[0], {})
        assert found.conflict, "no conflict: the case tests nothing"
        return found.regions


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    value = os.environ.get("BACKPORT_KERNEL", "")
    if not value:
        pytest.skip("BACKPORT_KERNEL is not set: give it a mainline clone and one of 2.6.32.y, joined with ':'")
    clones = [open_clone(Path(path)).objects for path in value.split(":") if path]
    with Store(tmp_path_factory.mktemp("rules") / "store.git", clones) as store:
        trees = Trees(store)
        yield Past(Library(store, trees, History(store)), Merger(store, trees))


SURE = [
    # upstream, stable, path, rule
    ("5d618cb81aeea19879975cd1f9a1e707694dfd7c", "dde24b6c58b1", b"net/mac80211/rx.c", "anchor"),
    ("bb7f20b1c639606def3b91f4e4aca6daeee5d80a", "d75621cbb1df", b"arch/powerpc/kernel/align.c", "anchor"),
    ("55fe25b418640fad04190103274841b2c907bacd", "f6ee9e1716dd", b"Documentation/Makefile", "lists"),
    ("75dd321d79d495a0ee579e6249ebc38ddbb2667f", "1d3d2371a682", b"kernel/sched_fair.c", "moved"),
    ("3df7169e73fc1d71a39cffeacc969f6840cdf52b", "5f528de0ef9b", b"drivers/usb/core/hcd-pci.c", "words"),
    ("e37bcc0de040127281de13a84a608570355c20eb", "a3c00018400d", b"drivers/staging/mimio/mimio.c", "removed"),
    ("e8009e9850d59000d518296af372888911a129bd", "bef82b626e39", b"drivers/net/wireless/ath/ath9k/xmit.c", "renames"),
    ("b0cf4dfb7cd21556efd9a6a67edcba0840b4d98d", "33c567a7081f", b"drivers/net/3c503.c", "drifted"),
    ("061e2fd16863009c8005b4b5fdfb75c7215c0b99", "004ff730b84c", b"arch/x86/kvm/svm.c", "unneeded"),
    ("3dd823e6b86407aed1a025041d8f1df77e43a9c8", "9980ac811458", b"drivers/net/wireless/iwlwifi/iwl-agn.c", "anchor"),
    ("8e1e8a4779cb23c1d9f51e9223795e07ec54d77a", "3b454d6b495f", b"drivers/net/e1000e/netdev.c", "anchor"),
    ("9c047157a20521cd525527947b13b950d168d2e6", "e94c4aec7129", b"drivers/bluetooth/btusb.c", "anchor"),
    ("b561e8274f75831ee87e4ea378cbb1f9f050a51a", "ee567ad914fe", b"drivers/net/wireless/iwlwifi/iwl-agn-tx.c", "moved"),
    ("d5ad140bc1505a98c0f040937125bfcbb508078f", "354f5613d804", b"kernel/sched_fair.c", "moved"),
    ("a55ab496ea9c820b7192c15ef1fbf3291edfe638", "4a6b24769e5d", b"drivers/ata/sata_via.c", "versions"),
]
SUGGESTED = [
    ("b00916b189d13a615ff05c9242201135992fcda3", "3765ba020272", b"net/core/ethtool.c", "unneeded"),
]


def answer(past: Past, upstream: str, stable: str, path: bytes) -> tuple[Resolution, dict[bytes, bytes | None]]:
    """The best answer, and what the stable commit made of the files that it names."""
    library = past.library
    try:
        done = library.history.commit(_whole(library, stable))
    except BackportError as error:
        pytest.skip(f"BACKPORT_KERNEL has no such commit: {error.what}")
    found = attempt(past.situation(upstream, done.parents[0], path)).found
    assert found
    return found[0], {name: library.trees.read(done.tree, name) for name in found[0].texts}


def _whole(library: Library, short: str) -> str:
    named = library.store.git.run(["cat-file", "--batch-check=%(objectname)"], f"{short}^{{commit}}\n".encode())
    return named.decode().split()[0]


@pytest.mark.parametrize(("upstream", "stable", "path", "rule"), SURE)
def test_sure_and_as_stable_has_it(past: Past, upstream: str, stable: str, path: bytes, rule: str) -> None:
    found, wanted = answer(past, upstream, stable, path)
    assert found.sure
    assert rule in found.rule
    assert dict(found.texts) == wanted


@pytest.mark.parametrize(("upstream", "stable", "path", "rule"), SUGGESTED)
def test_suggested_as_stable_has_it(past: Past, upstream: str, stable: str, path: bytes, rule: str) -> None:
    found, wanted = answer(past, upstream, stable, path)
    assert not found.sure
    assert rule in found.rule
    assert dict(found.texts) == wanted


def test_the_fix_that_stable_has_in_the_wrong_function_is_put_in_the_right_one(past: Past) -> None:
    """d91afd15b041 is in flush_devices_by_domain of 2.6.32.y to this day; it was made for alloc_new_range."""
    found, wanted = answer(past, "d91afd15b041f27d34859c79afa9e172018a86f4", "253f887cc8d7", b"arch/x86/kernel/amd_iommu.c")
    assert found.evidence[0].function == "alloc_new_range"
    assert dict(found.texts) != wanted


def test_the_ksm_patch_speaks_the_targets_language(past: Past) -> None:
    """3da0dd433dc3 on v2.6.31: what it calls __set_spte was set_shadow_pte until d555c333aa54."""
    asked = past.situation(
        "3da0dd433dc399a8c0124d0614d82a09b6a49bce", "74fca6a42863ffacaf7ba6f1936a9f228950f657", b"arch/x86/kvm/mmu.c"
    )
    found = attempt(asked).found[0]
    assert not found.sure
    text = found.texts[b"arch/x86/kvm/mmu.c"] or b""
    assert b"__set_spte" not in text
    assert text.count(b"set_shadow_pte(") == (asked.ours or b"").count(b"set_shadow_pte(") + 2

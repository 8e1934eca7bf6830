"""Lists of pairs: what a line may be, and what becomes of a line that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.ingest.pairs import Pair, find_ids, read_pairs, read_patches
from backport.model.errors import BackportError, InputError
from backport.model.series import Patch
from tests.gitrepo import Repo, numbered


@pytest.mark.parametrize(
    ("text", "onto", "expected"),
    [
        (b"a\tb\nc\td^\textra\n", "", [Pair("a", "b", 1), Pair("c", "d^", 2)]),
        (b"# comment\n\na\tb", "", [Pair("a", "b", 3)]),
        (b"upstream\tstable\tthree_way\na\tb\tEXACT\n", "", [Pair("a", "b^", 2)]),
        (b"three_way\tonto\tcommit\nEXACT\tb\ta\n", "", [Pair("a", "b", 2)]),
        (b"onto\tstable\tupstream\nb\tc\ta\n", "", [Pair("a", "b", 2)]),
        (b"a\nb\n", "v1", [Pair("a", "v1", 1), Pair("b", "v1", 2)]),
        (b"commit\na\n", "v1", [Pair("a", "v1", 2)]),
        (b"a\tb\r\n", "", [Pair("a", "b", 1)]),
        (b"", "", []),
    ],
)
def test_a_list(text: bytes, onto: str, expected: list[Pair]) -> None:
    assert read_pairs(text, "list", onto) == expected


@pytest.mark.parametrize(
    ("text", "line"), [(b"a\n", 1), (b"a\tb\nc\t\n", 2), (b"\tb\n", 1), (b"commit\na\n", 2), (b"upstream\tstable\na\n", 2)]
)
def test_a_line_without_commit_or_target_is_named(text: bytes, line: int) -> None:
    if text.startswith(b"\t"):
        assert read_pairs(text, "list") == []
        return
    with pytest.raises(InputError) as caught:
        read_pairs(text, "list")
    assert caught.value.where == f"list:{line}"


def test_several_clones_are_one_store_and_each_knows_its_names(tmp_path: Path) -> None:
    one, two = Repo.make(tmp_path / "one"), Repo.make(tmp_path / "two")
    base = one.commit({b"f": numbered(3)}, b"base\n")
    later = one.on(base, {b"f": numbered(4)}, b"later\n")
    other = two.commit({b"f": b"other\n"}, b"other\n", parents=[base])
    two.branch("mine", other)
    clones = [open_clone(one.path), open_clone(two.path)]
    pairs = [Pair(later, f"{other}^", 1), Pair(later[:12], "mine", 2), Pair("0" * 40, "nothing", 3)]
    with Store(tmp_path / "store", [clone.objects for clone in clones]) as store:
        assert find_ids(pairs, clones, store) == [(later, base), (later, other), (None, None)]


def test_what_cannot_be_a_patch_is_an_error_of_its_own(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(3)}, b"base\n")
    good = repo.on(base, {b"f": numbered(4)}, b"good\n")
    merge = repo.commit({b"f": b"m\n"}, b"merge\n", parents=[good, base, base])
    orphan = repo.commit({b"f": b"m\n"}, b"parent is missing\n", parents=["1" * 40])
    unsafe = repo.commit(repo.raw_tree([(0o100644, b".git", repo.write("blob", b"x"))]), b"unsafe\n", parents=[base])
    broken = repo.commit("2" * 40, b"tree is missing\n", parents=[base])
    blob = repo.write("blob", b"no commit")
    with Store(tmp_path / "store", [repo.path / "objects"]) as store:
        found = read_patches([good, merge, orphan, unsafe, broken, blob, base], store, History(store))
    assert [isinstance(item, Patch) for item in found] == [True, False, False, False, False, False, True]
    assert all(isinstance(item, BackportError) for item in found[1:-1])
    assert "merge of 3 parents" in str(found[1])

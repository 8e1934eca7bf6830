"""Folders that are read together."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.store import Store
from backport.git.trees import Trees
from tests.csource.trees import empty_store, make_tree

FILES = {"a/b/c/one.c": b"one", "a/b/two.c": b"two", "a/x.c": b"x", "top.c": b"top", "d/e/f.c": b"f"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects each trip to git asks for."""
    trips: list[int] = []
    talk = Store._converse

    def counted(self: Store, batch: list[str]) -> object:
        trips.append(len(batch))
        return talk(self, batch)

    monkeypatch.setattr(Store, "_converse", counted)
    return trips


def test_one_trip_for_each_level_of_folders_and_one_for_the_files(tmp_path: Path, asked: list[int]) -> None:
    with empty_store(tmp_path / "made") as made:
        trees = [make_tree(made, FILES), make_tree(made, FILES | {"a/b/c/one.c": b"other"})]
    with Store(tmp_path / "run.git", [made.folder / "objects"]) as store:
        found = Trees(store)
        places = [(tree, path.encode()) for tree in trees for path in (*FILES, "absent/x.c", "top.c/x", "a/b")]
        found.prefetch(places, contents=True)
        assert len(asked) == 5  # the tops, a and d, b and e, c, the files
        assert sum(asked) == 2 + 3 + 3 + 2 + 6
        assert found.read(trees[1], b"a/b/c/one.c") == b"other"
        assert found.entry(trees[0], b"absent/x.c") is None
        assert set(found.listing(found.entry(trees[0], b"a/b").oid)) == {b"c", b"two.c"}  # type: ignore[union-attr]
        assert len(asked) == 5

"""The index: read once, shared by processes, thrown away when damaged, in memory when it cannot be written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import pytest

from backport.csource import index as index_module
from backport.csource.index import Index
from backport.csource.reading import Read, Reader
from backport.git.store import Store
from tests.csource.trees import empty_store

HEADER = b"#include <linux/a.h>\nint first(int a);\nstruct s { int m; };\n#define MAX 3\n"


class Counting(Reader):
    """A reader that counts what it reads."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, 1)
        self.read_oids: list[str] = []

    def blobs(self, oids: Sequence[str], known: Callable[[Collection[bytes]], Collection[bytes]]) -> Iterator[Read]:
        self.read_oids += oids
        return super().blobs(oids, known)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with empty_store(tmp_path) as opened:
        yield opened


def test_a_blob_is_read_once_whoever_asks(store: Store, tmp_path: Path) -> None:
    oid = store.write("blob", HEADER)
    for expected in ([oid], []):
        reader = Counting(store)
        with Index(reader, tmp_path / "cache") as index:
            found = index.declared([b"first", b"MAX", b"m", b"absent"], [oid])
            assert {name: (places[0][1].kind, places[0][1].line) for name, places in found.items()} == {
                b"first": ("prototype", 2), b"MAX": ("macro", 4),
            }  # fmt: skip
            member = index.members([b"m"], [oid])[b"m"][0][1]
            assert (member.owner, member.spelled) == (b"s", b"int m")
            assert [include.path for include in index.includes(oid)] == [b"linux/a.h"]
            assert reader.read_oids == expected


def test_only_the_blobs_asked_about_count(store: Store) -> None:
    here, there = store.write("blob", b"int a;\n"), store.write("blob", b"int b;\n")
    with Index(Reader(store, 1)) as index:
        assert index.declared([b"a", b"b"], [here]).keys() == {b"a"}
        assert index.declared([b"a", b"b"], [there, here]).keys() == {b"a", b"b"}


def test_what_is_remembered_stays(store: Store, tmp_path: Path) -> None:
    with Index(Reader(store), tmp_path) as index:
        index.remember("topic", [(b"key", b"value"), (b"empty", b"")])
    with Index(Reader(store), tmp_path) as index:
        assert (index.recall("topic", b"key"), index.recall("topic", b"empty"), index.recall("other", b"key")) == (
            b"value",
            b"",
            None,
        )


@pytest.mark.parametrize("damage", ["garbage", "truncated", "other version", "empty"])
def test_a_damaged_or_older_file_is_rebuilt(store: Store, tmp_path: Path, damage: str) -> None:
    oid, path = store.write("blob", HEADER), tmp_path / "index.sqlite"
    with Index(Reader(store), tmp_path) as index:
        index.ensure([oid])
    if damage == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 1")
        db.close()
    with Index(Reader(store), tmp_path) as index:
        assert index.declared([b"first"], [oid]).keys() == {b"first"}
        assert not index.in_memory


def test_damage_that_shows_only_in_use(store: Store, tmp_path: Path) -> None:
    oids = [store.write("blob", b"int name_%d_%d;\n" % (i, i) * 50) for i in range(200)]
    with Index(Reader(store, 1), tmp_path) as index:
        index.ensure(oids)
    path = tmp_path / "index.sqlite"
    raw = bytearray(path.read_bytes())
    for page in range(2, len(raw) // 4096, 2):
        raw[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(raw)
    with Index(Reader(store, 1), tmp_path) as index:
        found = index.declared([b"name_%d_%d" % (i, i) for i in range(200)], oids)
    assert len(found) == 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with Index(Reader(store), tmp_path / "locked" / "deep") as index:
        assert index.in_memory


def test_a_file_where_the_folder_should_be(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    oid = store.write("blob", HEADER)
    with Index(Reader(store), tmp_path / "file") as index:
        assert index.declared([b"first"], [oid]).keys() == {b"first"}
        assert index.in_memory


def test_a_disk_that_fills_up_leaves_the_index_usable(store: Store, tmp_path: Path) -> None:
    oids = [store.write("blob", b"int %s;\n" % (b"n%d" % i) * 400) for i in range(300)]
    with Index(Reader(store, 1), tmp_path) as index:
        index.ensure(oids[:1])
        index._db.execute("PRAGMA max_page_count = 30")
        index.ensure(oids)
        assert index.in_memory
        assert len(index.declared([b"n%d" % i for i in range(300)], oids)) == 300
    with Index(Reader(store, 1), tmp_path) as index:
        assert index.declared([b"n299"], oids[299:]).keys() == {b"n299"}


PROGRAM = """
import sys
from pathlib import Path
from backport.csource.index import Index
from backport.csource.reading import Reader
from backport.git.store import Store
run, objects, cache, *oids = sys.argv[1:]
with Store(Path(run), [Path(objects)]) as store, Index(Reader(store, 1), Path(cache)) as index:
    for start in range(0, len(oids), 10):
        index.ensure(oids[start:start + 10])
    assert len(index.declared([b"n%d" % i for i in range(len(oids))], oids)) == len(oids)
    assert not index.in_memory
"""


def test_several_processes_fill_one_index(store: Store, tmp_path: Path) -> None:
    oids = [store.write("blob", b"int n%d;\n" % i) for i in range(100)]
    store.flush()
    objects, cache = store.folder / "objects", tmp_path / "cache"
    commands = [[sys.executable, "-c", PROGRAM, str(tmp_path / f"run{i}"), str(objects), str(cache), *oids] for i in range(4)]
    running = [
        subprocess.Popen(command, stderr=subprocess.PIPE, cwd=Path(index_module.__file__).parents[2]) for command in commands
    ]
    for process in running:
        assert process.communicate(timeout=120)[1] == b""
        assert process.returncode == 0

"""Source0: deterministic bytes that GNU tar unpacks, and a cache that never hands out half a file."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.model.errors import EnvironmentFailedError, InputError
from backport.package import source, tarball
from tests.package.examples import DATE, entries, packed, quiet

ODD: list[tuple[bytes, int, bytes]] = [
    (b"Makefile", 0o100644, b"VERSION = 2\nPATCHLEVEL = 6\n"),
    (b".gitattributes", 0o100644, b"secret export-ignore\nid export-subst\n"),
    (b"secret", 0o100644, b"here"),
    (b"id", 0o100644, b"$Format:%H$"),
    (b"scripts/run", 0o100755, b"#!/bin/sh\n"),
    (b"link", 0o120000, b"scripts/run"),
    (b"long-link", 0o120000, b"x/" * 80 + b"y"),
    (b"\xff\xfe latin \xe9", 0o100644, b"odd"),
    ("größe".encode(), 0o100644, b""),
    (b"new\nline", 0o100644, b"n"),
    (b"d/" * 120 + b"deep", 0o100644, b"deep"),
    (b"n" * 250, 0o100644, b"long"),
    (b"module", 0o160000, b""),
    (b"group-writable", 0o100664, b"old git"),
]


def make(path: Path, what: list[tuple[bytes, int, bytes]]) -> str:
    return tarball.make(iter(what), "linux-2.6.31", DATE, path, quiet)


def test_gnu_tar_unpacks_every_entry_as_it_is(tmp_path: Path) -> None:
    make(tmp_path / "x.tar.gz", ODD)
    done = subprocess.run(["tar", "xpf", "x.tar.gz"], cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""
    for path, mode, data in ODD:
        place = tmp_path / "linux-2.6.31" / os.fsdecode(path)
        status = place.lstat()
        if mode == 0o120000:
            assert os.fsencode(place.readlink()) == data
        elif mode == 0o160000:
            assert list(place.iterdir()) == []
        else:
            assert place.read_bytes() == data
            assert status.st_mode & 0o777 == (0o755 if mode & 0o100 else 0o644)
            assert status.st_mtime == DATE


def test_equal_entries_give_equal_bytes(tmp_path: Path) -> None:
    first = make(tmp_path / "a.tar.gz", ODD)
    time.sleep(1.1)
    assert make(tmp_path / "b.tar.gz", ODD) == first
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    assert subprocess.run(["sha256sum", tmp_path / "a.tar.gz"], capture_output=True, check=True).stdout.startswith(first.encode())


def test_root_owns_everything(tmp_path: Path) -> None:
    make(tmp_path / "a.tar.gz", ODD)
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in tar} == {(0, 0, "root", "root", DATE)}


@pytest.mark.parametrize(
    "path", [b"../x", b"a/../../x", b"/etc/x", b"a//b", b"", b"./x", b".git/config", b"a/.GIT/hooks/x", b"a\0b"]
)
def test_a_path_that_leaves_the_tree(path: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make(tmp_path / "a.tar.gz", [(path, 0o100644, b"")])
    assert list(tmp_path.iterdir()) == []


def test_no_file_through_a_symlink(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make(tmp_path / "a.tar.gz", [(b"a", 0o120000, b"/etc"), (b"a/passwd", 0o100644, b"")])
    with pytest.raises(InputError):
        make(tmp_path / "a.tar.gz", [(b"a", 0o120000, b"/etc/passwd"), (b"a", 0o100644, b"")])


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[bytes, int, bytes]]:
        yield ODD[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tarball.make(broken(), "linux", DATE, tmp_path / "a.tar.gz", quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailedError):
        make(tmp_path / "none" / "a.tar.gz", ODD)


def test_the_cache_makes_it_once(tmp_path: Path) -> None:
    said: list[str] = []
    first = packed(tmp_path, said.append)
    assert packed(tmp_path, said.append) == first
    assert first.name == "linux-2.6.31.tar.gz"
    assert [word for word in said if "packed" not in word] == ["making the source tarball", "source tarball found in the cache"]


@pytest.mark.parametrize("harm", ["cut", "changed", "no record", "empty record", "gone"])
def test_a_damaged_tarball_is_made_again(harm: str, tmp_path: Path) -> None:
    first = packed(tmp_path)
    assert first.path
    record = next(first.path.parent.glob("*.sha256"))
    if harm == "cut":
        first.path.write_bytes(first.path.read_bytes()[:-100])
    elif harm == "changed":
        data = bytearray(first.path.read_bytes())
        data[100] ^= 1
        first.path.write_bytes(data)
    elif harm == "no record":
        record.unlink()
    elif harm == "empty record":
        record.write_bytes(b"")
    else:
        first.path.unlink()
    again = packed(tmp_path)
    assert again == first
    assert again.path
    gzip.decompress(again.path.read_bytes())


def test_what_a_killed_run_left_goes(tmp_path: Path) -> None:
    path = packed(tmp_path).path
    assert path
    path.with_name(f".{path.name}.abc").write_bytes(b"half")
    path.unlink()
    packed(tmp_path)
    assert not path.with_name(f".{path.name}.abc").exists()


def _run(cache: Path) -> None:
    def slow() -> Iterator[tuple[bytes, int, bytes]]:
        with (cache / "made").open("ab") as stream:
            stream.write(b"x")
        for entry in entries():
            time.sleep(0.005)
            yield entry

    source.cached("b" * 40, "linux-2.6.31", DATE, slow, quiet, cache)


def test_two_runs_make_one_tarball(tmp_path: Path) -> None:
    runs = [multiprocessing.get_context("fork").Process(target=_run, args=(tmp_path,)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert (tmp_path / "made").read_bytes() == b"x"


def test_the_cache_obeys_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert source.cache_folder() == tmp_path / "backport"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the XDG specification
    assert source.cache_folder() == Path.home() / ".cache" / "backport"


@pytest.mark.parametrize("option", ["z", "j", "J"])
def test_the_users_tarball(option: str, tmp_path: Path) -> None:
    path = packed(tmp_path).path
    assert path
    subprocess.run(["tar", "xf", path], cwd=tmp_path, check=True)
    suffix = {"z": "gz", "j": "bz2", "J": "xz"}[option]
    if not shutil.which({"z": "gzip", "j": "bzip2", "J": "xz"}[option]):
        pytest.skip("no such compressor here")
    given = tmp_path / f"linux-2.6.31.tar.{suffix}"
    subprocess.run(["tar", f"c{option}f", given, "linux-2.6.31"], cwd=tmp_path, check=True)
    found, makefile = source.given(given, quiet)
    assert (found.name, found.folder, found.path) == (given.name, "linux-2.6.31", given)
    assert makefile.startswith(b"VERSION = 2")


def test_a_wrong_tarball_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path).path
    assert path
    whole = path.read_bytes()
    cases = {"cut.tar.gz": whole[: len(whole) // 2], "page.tar.gz": b"<html>not found", "empty.tar.gz": b"", "%(x).tar.gz": whole}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError):
            source.given(tmp_path / name, quiet)
    with pytest.raises(InputError):
        source.given(tmp_path / "absent.tar.gz", quiet)
    for names in (["a/Makefile", "b/x"], ["a/x"], ["../a/Makefile"], ["Makefile"], ["a b/Makefile"], []):
        with tarfile.open(tmp_path / "odd.tar.gz", "w:gz") as tar:
            for name in names:
                tar.addfile(tarfile.TarInfo(name))
        with pytest.raises(InputError):
            source.given(tmp_path / "odd.tar.gz", quiet)

"""Sweeps of small repositories: order, resume, errors, executors; each result compared with a replay of the pair alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from backport import sweep
from backport.git.clone import open_clone
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.errors import InputError
from backport.model.progress import Silent
from tests.gitrepo import Repo, numbered, replayed


@pytest.fixture
def pairs(repo: Repo) -> list[tuple[str, str]]:
    """Seventy pairs: more than two waves. Every fifth conflicts, every seventh changes nothing."""
    base = repo.commit({b"f": numbered(40), b"g": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": numbered(40, l5=b"target")}, b"target\n")
    found = []
    for number in range(70):
        line = 5 if number % 5 == 0 else 20
        text = b"target" if number % 7 == 0 and line == 5 else b"patch %d" % number
        found.append((repo.on(base, {b"f": numbered(40, **{f"l{line}": text})}, b"patch %d\n" % number), target))
    return found


def written(pairs: list[tuple[str, str]], path: Path) -> Path:
    path.write_text("".join(f"{commit}\t{onto}\n" for commit, onto in pairs))
    return path


def swept(repo: Repo, listed: Path, **options: Any) -> tuple[bytes, list[dict[str, Any]]]:
    request = sweep.Request(listed, (str(repo.path),), drift=False, timing=False, workers=2, **options)
    out = BytesIO()
    sweep.run(request, Silent(), out)
    data = options["out"].read_bytes() if "out" in options else out.getvalue()
    return data, [json.loads(line) for line in data.splitlines()]


def test_lines_come_in_the_order_of_the_list_and_are_those_of_single_replays(
    repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path
) -> None:
    data, rows = swept(repo, written(pairs, tmp_path / "pairs.tsv"))
    assert [(row["commit"], row["onto"]) for row in rows] == pairs
    for commit, onto in pairs[::9]:
        with replayed(repo, [commit], onto, tmp_path / commit) as session:
            (outcome,) = session.outcomes
            row = rows[[pair[0] for pair in pairs].index(commit)]
            assert row["verdict"] == outcome.verdict
            expected = outcome.tree or (None if outcome.verdict.needs_person else session.git("rev-parse", f"{onto}^{{tree}}"))
            assert row["tree"] == (expected.decode().strip() if isinstance(expected, bytes) else expected)
    assert {row["verdict"] for row in rows} == {"merged", "conflict", "already-present"}
    assert swept(repo, tmp_path / "pairs.tsv")[0] == data


def test_a_killed_sweep_goes_on_and_ends_with_the_same_bytes(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    listed, out = written(pairs, tmp_path / "pairs.tsv"), tmp_path / "rows.jsonl"
    whole, _ = swept(repo, listed)
    for cut in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
        out.write_bytes(whole[:cut])
        assert swept(repo, listed, out=out)[0] == whole


def test_the_workers_of_a_killed_sweep_end_with_it(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    """They were there for ever, and held the file: "another sweep is writing to this file"."""
    listed, out = written(pairs * 20, tmp_path / "pairs.tsv"), tmp_path / "rows.jsonl"
    command = ["sweep", str(listed), "--kernel", str(repo.path), "--no-drift", "--no-timing", "--workers", "2", "--out", str(out)]
    child = subprocess.Popen([sys.executable, "-m", "backport", *command], stderr=subprocess.DEVNULL)
    while not out.exists() or not out.stat().st_size:
        assert child.poll() is None
        time.sleep(0.01)
    workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    child.kill()
    child.wait()
    assert workers
    whole, _ = swept(repo, listed, out=out)
    assert [row["commit"] for row in map(json.loads, whole.splitlines())] == [commit for commit, _ in pairs * 20]
    deadline = time.monotonic() + 20
    while any(_runs(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_lines_of_another_list_are_not_continued(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    listed, out = written(pairs[:3], tmp_path / "pairs.tsv"), tmp_path / "rows.jsonl"
    swept(repo, listed, out=out)
    before = out.read_bytes()
    with pytest.raises(InputError) as caught:
        swept(repo, written(pairs[1:4], tmp_path / "others.tsv"), out=out)
    assert caught.value.where == f"{out}:1"
    assert out.read_bytes() == before


def test_one_bad_pair_does_not_stop_the_others(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    onto = pairs[0][1]
    octopus = repo.commit({b"f": b"m\n"}, b"octopus\n", parents=[pair[0] for pair in pairs[:3]])
    absent = repo.write("blob", numbered(40, l20=b"gone"))
    broken = repo.on(pairs[1][0], {b"f": numbered(40, l20=b"gone")}, b"its blob is missing\n")
    (repo.path / "objects" / absent[:2] / absent[2:]).unlink()
    listed = written([pairs[1], ("f" * 40, onto), (octopus, onto), (broken, onto), pairs[2]], tmp_path / "pairs.tsv")
    _, rows = swept(repo, listed)
    assert [row["verdict"] for row in rows] == ["merged", "error", "error", "error", "merged"]
    assert "no clone has the commit" in rows[1]["reason"]
    assert "merge of 3 parents" in rows[2]["reason"]
    assert rows[3]["reason"]


def test_resulting_trees_stay_where_they_are_kept(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    keep = tmp_path / "keep.git"
    _, rows = swept(repo, written(pairs, tmp_path / "pairs.tsv"), keep=keep)
    with Store(tmp_path / "reader", [keep / "objects"]) as store:
        trees = Trees(store)
        for row in rows:
            if row["tree"]:
                assert trees.read(row["tree"], b"g") == numbered(9)
    assert sorted(path.name for path in keep.iterdir()) == ["HEAD", "config", "objects", "refs"]


def test_any_executor_will_do(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    data, _ = swept(repo, written(pairs, tmp_path / "pairs.tsv"))
    plan = sweep.Plan((str(open_clone(repo.path).objects),), drift=False, timing=False)
    with ThreadPoolExecutor(1) as executor:
        assert b"".join(sweep.sweep(pairs, plan, executor)) == data


def test_a_dask_cluster_on_loopback_does_the_same(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'backport[dask]'")
    data, _ = swept(repo, written(pairs, tmp_path / "pairs.tsv"))
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None, "processes": True}
    with distributed.LocalCluster(**options) as cluster:
        assert swept(repo, tmp_path / "pairs.tsv", dask=cluster.scheduler_address)[0] == data


def test_a_cluster_that_is_not_there_is_an_error(repo: Repo, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'backport[dask]'")
    with pytest.raises(InputError):
        swept(repo, written(pairs, tmp_path / "pairs.tsv"), dask="no address")


def test_drift_findings_are_told(repo: Repo, tmp_path: Path) -> None:
    head = b"#ifndef H\n#define H\nint known(void);\n%s#endif\n"
    base = repo.commit({b"include/linux/h.h": head % b"", b"a.c": b"#include <linux/h.h>\n" + numbered(9)}, b"base\n")
    grown = repo.on(base, {b"include/linux/h.h": head % b"int grown(void);\n"}, b"grown\n")
    code = b"#include <linux/h.h>\n" + numbered(9, l5=b"int f(void)\n{\n\treturn grown();\n}")
    patch = repo.on(grown, {b"a.c": code}, b"patch\n")
    listed = written([(patch, base)], tmp_path / "pairs.tsv")
    request = sweep.Request(listed, (str(repo.path),), timing=False, workers=1)
    out = BytesIO()
    sweep.run(request, Silent(), out)
    row = json.loads(out.getvalue())
    assert (row["verdict"], row["tree"]) == ("suspect", None)
    assert [(found["symbol"], found["file"], found["introduced_by"]["commit"]) for found in row["findings"]] == [
        ("grown", "a.c", grown)
    ]

"""Merges are made many at a time: what counts is the number of processes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backport.git.runner import Git
from tests.gitrepo import Repo, compare, numbered


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each git command was started."""
    counted: Counter[str] = Counter()
    start = Git.start

    def counting(self: Git, arguments, *rest, **options):
        counted[arguments[0]] += 1
        return start(self, arguments, *rest, **options)

    monkeypatch.setattr(Git, "start", counting)
    return counted


def chain(repo: Repo, files: int, patches: int) -> tuple[str, list[str]]:
    """Each patch edits every file, at another line; the target edited the first line of each."""
    names = [b"f%d" % i for i in range(files)]
    base = repo.commit(dict.fromkeys(names, numbered(100)), b"base\n")
    target = repo.on(base, dict.fromkeys(names, numbered(100, l1=b"target")), b"target\n")
    at, commits, changed = base, [], {}
    for number in range(patches):
        changed[f"l{10 + number * 4}"] = b"patch %d" % number
        at = repo.on(at, dict.fromkeys(names, numbered(100, **changed)), b"patch\n")
        commits.append(at)
    return target, commits


def test_twenty_merges_of_ten_files_cost_one_process_a_link_of_the_chain(
    repo: Repo, tmp_path: Path, processes: Counter[str]
) -> None:
    target, commits = chain(repo, 10, 20)
    assert compare(repo, commits, target, tmp_path).verdicts == ["merged"] * 20
    assert processes["merge-tree"] <= 20
    assert sum(processes.values()) <= 25


def test_merges_of_many_patches_to_different_files_are_one_process(repo: Repo, tmp_path: Path, processes: Counter[str]) -> None:
    names = [b"f%d" % i for i in range(30)]
    base = repo.commit(dict.fromkeys(names, numbered(20)), b"base\n")
    target = repo.on(base, dict.fromkeys(names, numbered(20, l1=b"target")), b"target\n")
    at, commits = base, []
    for name in names:
        at = repo.on(at, {name: numbered(20, l10=name)}, b"patch\n")
        commits.append(at)
    assert set(compare(repo, commits, target, tmp_path).verdicts) == {"merged"}
    assert processes["merge-tree"] == 1


def test_a_conflict_in_the_middle_of_a_chain_costs_no_result(repo: Repo, tmp_path: Path, processes: Counter[str]) -> None:
    names = [b"a", b"b"]
    base = repo.commit(dict.fromkeys(names, numbered(60)), b"base\n")
    target = repo.on(base, {b"a": numbered(60, l1=b"target", l20=b"target"), b"b": numbered(60, l1=b"target")}, b"target\n")
    at, commits, changed = base, [], {}
    for line in (10, 20, 30, 40, 50):
        changed[f"l{line}"] = b"patch"
        at = repo.on(at, dict.fromkeys(names, numbered(60, **changed)), b"patch\n")
        commits.append(at)
    verdicts = compare(repo, commits, target, tmp_path).verdicts
    assert verdicts == ["merged", "conflict", "merged", "merged", "merged"]
    assert processes["merge-tree"] <= 10


def test_an_exact_series_starts_no_merge(repo: Repo, tmp_path: Path, processes: Counter[str]) -> None:
    base = repo.commit({b"a": numbered(20), b"b": b"b\n"}, b"base\n")
    target = repo.on(base, {b"b": b"target\n"}, b"target\n")
    patch = repo.on(base, {b"a": numbered(20, l3=b"x")}, b"patch\n")
    assert compare(repo, [patch], target, tmp_path).verdicts == ["exact"]
    assert processes["merge-tree"] == 0
    assert sum(processes.values()) <= 4


def test_a_file_whose_content_is_not_known_yet_is_renamed(repo: Repo, tmp_path: Path) -> None:
    """The second patch renames what the first one merges; the third edits it under its new name."""
    base = repo.commit({b"a": numbered(20), b"k": b"k\n"}, b"base\n")
    target = repo.on(base, {b"a": numbered(20, l1=b"target")}, b"target\n")
    one = repo.on(base, {b"a": numbered(20, l10=b"one")}, b"one\n")
    two = repo.on(one, {b"a": None, b"b": numbered(20, l10=b"one")}, b"two\n")
    three = repo.on(two, {b"b": numbered(20, l10=b"one", l18=b"three")}, b"three\n")
    assert compare(repo, [one, two, three], target, tmp_path).verdicts == ["merged", "merged", "merged"]

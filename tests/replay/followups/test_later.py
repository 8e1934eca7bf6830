"""Later commits of small histories: what each is taken for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.ingest.sources import Sources
from backport.model.followups import FollowUp, Rank
from backport.model.progress import Silent
from backport.replay.followups.later import follow_ups
from backport.replay.situation import Library
from tests.gitrepo import Repo, definition, numbered

PATH = b"mm/feature.c"
HELPER = b"static int feature_start(struct mm_struct *mm)\n{\n\tint error = prepare_feature(mm);\n\n\treturn error;\n}\n"
OTHER = b"int other(void)\n{\n\treturn something_else_entirely();\n}\n"
FIXED = HELPER.replace(b"\treturn error;", b"\tif (error)\n\t\tundo_feature(mm);\n\treturn error;")
SUBJECT = b"mm: start the feature for a process\n"


@pytest.fixture
def base(repo: Repo) -> str:
    return repo.commit({PATH: OTHER, b"README": b"read me\n"}, b"base\n")


@pytest.fixture
def patch(repo: Repo, base: str) -> str:
    return repo.on(base, {PATH: OTHER + b"\n" + HELPER}, SUBJECT)


def later(repo: Repo, patches: Sequence[str], until: str, tmp_path: Path) -> list[FollowUp]:
    sources = Sources((open_clone(repo.path),))
    with sources.store(tmp_path / "store") as store:
        series = ingest(definition(repo, patches), sources.clones, store, Silent())
        library = Library(store, Trees(store), History(store))
        found, _ = follow_ups(series, series.patches[0].parent, until, library, Silent())
    return found


def after(repo: Repo, patch: str, message: bytes, text: bytes = OTHER + b"\n" + HELPER, readme: bytes = b"read me\n") -> str:
    return repo.on(patch, {PATH: text, b"README": readme}, message)


@pytest.mark.parametrize(
    ("body", "rule", "rank"),
    [
        (b'docs: say it\n\nFixes: %s ("mm: start the feature")\n', "fixes", Rank.MANDATORY),
        (b'Revert "something"\n\nThis reverts commit %s.\n', "reverts", Rank.MANDATORY),
        (b"docs: fix it\n\nCommit %s introduced\na regression.\n", "blames", Rank.MANDATORY),
        (b"docs: it\n\nCommit %s introduced\na regression.\n", "blames", Rank.LIKELY),
        (b"docs: more\n\nSee %s for how to do it.\n", "names", Rank.MAYBE),
    ],
)
def test_what_a_message_says(repo: Repo, patch: str, tmp_path: Path, body: bytes, rule: str, rank: Rank) -> None:
    told = after(repo, patch, body % patch[:12].encode(), readme=b"changed\n")
    (found,) = later(repo, [patch], told, tmp_path)
    assert (found.commit, found.rank, [t.rule for t in found.traces]) == (told, rank, [rule])
    assert found.traces[0].patch == patch


def test_a_subject_in_quotes(repo: Repo, patch: str, tmp_path: Path) -> None:
    told = after(repo, patch, b'docs: fix\n\nThis broke with "mm: start the\nfeature for a process".\n', readme=b"changed\n")
    assert [f.traces[0].rule for f in later(repo, [patch], told, tmp_path)] == ["blames"]
    undone = after(repo, patch, b'Revert "mm: start the feature for a process"\n', OTHER)
    assert [f.rank for f in later(repo, [patch], undone, tmp_path / "again")] == [Rank.MANDATORY]


@pytest.mark.parametrize("line", [b"commit %s upstream.", b"(cherry picked from commit %s)"])
def test_a_copy_of_the_patch_is_no_follow_up(repo: Repo, patch: str, tmp_path: Path, line: bytes) -> None:
    copy = after(repo, patch, SUBJECT + b"\n" + line % patch.encode() + b"\n", readme=b"changed\n")
    assert later(repo, [patch], copy, tmp_path) == []


def test_the_beginning_of_another_id_is_not_it(repo: Repo, patch: str, tmp_path: Path) -> None:
    other = patch[:11] + ("0" if patch[11] != "0" else "1") + "abc"
    told = after(repo, patch, b"docs: x\n\nFixes: %s\n" % other.encode(), readme=b"changed\n")
    assert later(repo, [patch], told, tmp_path) == []


def test_a_fix_that_names_nobody(repo: Repo, patch: str, tmp_path: Path) -> None:
    fix = after(repo, patch, b"mm: fix a leak when the feature cannot start\n", OTHER + b"\n" + FIXED)
    (found,) = later(repo, [patch], fix, tmp_path)
    assert found.rank is Rank.MANDATORY
    assert [(t.rule, t.path, t.patch) for t in found.traces] == [("function", PATH, patch)]


def test_a_change_that_calls_itself_no_fix(repo: Repo, patch: str, tmp_path: Path) -> None:
    changed = after(repo, patch, b"mm: rework how the feature starts\n", OTHER + b"\n" + FIXED.replace(b"prepare", b"begin"))
    (found,) = later(repo, [patch], changed, tmp_path)
    assert (found.rank, {t.rule for t in found.traces}) == (Rank.MAYBE, {"lines", "function"})
    spelling = after(repo, patch, b"mm: fix typos\n", OTHER + b"\n" + FIXED)
    assert [f.rank for f in later(repo, [patch], spelling, tmp_path / "again")] == [Rank.MAYBE]


def test_what_passes_by_is_counted_and_not_told(repo: Repo, patch: str, tmp_path: Path) -> None:
    sweep = {b"drivers/%d.c" % i: numbered(3, l2=b"swept") for i in range(20)}
    swept = repo.on(patch, {PATH: OTHER + b"\n" + FIXED, **sweep}, b"treewide: use another interface\n")
    sources = Sources((open_clone(repo.path),))
    with sources.store(tmp_path / "store") as store:
        series = ingest(definition(repo, [patch]), sources.clones, store, Silent())
        library = Library(store, Trees(store), History(store))
        found, skipped = follow_ups(series, series.patches[0].parent, swept, library, Silent())
    assert found == []
    assert [s.what for s in skipped] == ["1 of the later commits"]


def test_other_parts_of_the_file_are_not_the_series(repo: Repo, patch: str, tmp_path: Path) -> None:
    fix = after(repo, patch, b"mm: fix other()\n", OTHER.replace(b"something", b"anything") + b"\n" + HELPER)
    assert later(repo, [patch], fix, tmp_path) == []


def test_the_most_needed_comes_first_and_the_series_itself_does_not_count(repo: Repo, patch: str, tmp_path: Path) -> None:
    second = after(repo, patch, b"mm: rework how the feature starts\n", OTHER + b"\n" + FIXED)
    rework = repo.on(second, {PATH: OTHER + b"\n" + FIXED.replace(b"prepare", b"begin")}, b"mm: rename the preparation\n")
    fix = repo.on(rework, {PATH: OTHER + b"\n" + HELPER}, b"mm: fix a crash of the feature\n")
    assert [f.commit for f in later(repo, [patch, second], fix, tmp_path)] == [fix, rework]

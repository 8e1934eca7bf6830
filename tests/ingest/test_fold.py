"""A fix and the commit that it fixes as one patch, and the file that says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backport.fold import fold, unfold
from backport.git.clone import open_clone
from backport.ingest.commits import ingest
from backport.ingest.definition import dump, load
from backport.ingest.sources import Sources
from backport.model.definition import Definition, Fold
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.model.series import Series
from backport.replay.engine import replay
from tests.gitrepo import Repo, definition, numbered

FILE = b"mm/a.c"
SIGNED = b"Signed-off-by: A U Thor <author@example.com>\n"
COMMENT = "# what the packager has to say\n"


@pytest.fixture
def commits(repo: Repo) -> list[str]:
    """base, a feature, something else, the fix of the feature."""
    base = repo.commit({FILE: numbered(30)}, b"base\n")
    feature = repo.on(base, {FILE: numbered(30, l10=b"feature")}, b"mm: feature\n\nWhy.\n\n" + SIGNED)
    other = repo.on(feature, {FILE: numbered(30, l10=b"feature", l25=b"other")}, b"mm: other\n")
    fix = repo.on(other, {FILE: numbered(30, l10=b"fixed", l25=b"other"), b"mm/new.c": b"x\n"}, b"mm: fix the feature\n")
    return [base, feature, other, fix]


@pytest.fixture
def file(repo: Repo, commits: list[str], tmp_path: Path) -> Path:
    path = tmp_path / "patches" / "test" / "series.toml"
    path.parent.mkdir(parents=True)
    path.write_text(COMMENT + dump(definition(repo, commits[1:], commits[0])).decode() + "  # and last\n")
    return path


def read(repo: Repo, told: Definition, scratch: Path) -> Series:
    sources = Sources((open_clone(repo.path),))
    with sources.store(scratch) as store:
        return ingest(told, sources.clones, store, Silent())


def write(repo: Repo, file: Path, fix: str, into: str) -> Fold:
    return fold(load(file), fix, into, [str(repo.path)], Silent())


def test_two_commits_make_one_patch_where_the_first_stands(repo: Repo, commits: list[str], file: Path, tmp_path: Path) -> None:
    base, feature, other, fix = commits
    write(repo, file, fix[:12], feature[:12])
    sources = Sources((open_clone(repo.path),))
    with sources.store(tmp_path / "store") as store:
        series = ingest(load(file), sources.clones, store, Silent())
        from backport.git.history import History
        from backport.git.trees import Trees

        trees = Trees(store)
        assert [patch.commit for patch in series.patches] == [feature, other]
        assert trees.read(series.patches[0].tree, FILE) == numbered(30, l10=b"fixed")
        assert {change.new_path: change.status for change in series.patches[0].changes} == {FILE: "M", b"mm/new.c": "A"}
        replayed = replay(series, base, store, trees, History(store), Silent())
        assert replayed.tree == repo.text("rev-parse", f"{fix}^{{tree}}")  # all of it landed, whatever the order
    message = series.patches[0].message
    assert message == b"mm: feature\n\nWhy.\n\n" + SIGNED + b"[folded in: %s mm: fix the feature]\n" % fix[:12].encode()
    assert series.patches[0].author == read(repo, definition(repo, [feature], base), tmp_path / "plain").patches[0].author


def test_a_fix_that_is_not_yet_in_the_series(repo: Repo, commits: list[str], tmp_path: Path) -> None:
    base, feature, _, fix = commits
    told = replace(definition(repo, [feature], base), folds=(Fold(fix, "mm: fix the feature", feature, 1),))
    assert [patch.commit for patch in read(repo, told, tmp_path / "store").patches] == [feature]


def test_only_the_fold_is_new_in_the_file_and_undo_takes_it_away(repo: Repo, commits: list[str], file: Path) -> None:
    before = file.read_text()
    made = write(repo, file, commits[3], commits[1])
    assert made.subject == "mm: fix the feature"
    text = file.read_text()
    assert text.startswith(before.rstrip("\n"))
    assert text.count("[[fold]]") == 1
    unfold(load(file), commits[3][:12])
    assert file.read_text() == before
    with pytest.raises(InputError, match="not folded"):
        unfold(load(file), commits[3][:12])


def test_where_it_does_not_apply_nothing_is_written(repo: Repo, commits: list[str], file: Path) -> None:
    late = repo.on(commits[2], {FILE: numbered(30, l10=b"feature", l25=b"other fixed")}, b"mm: fix the other\n")
    before = file.read_bytes()
    with pytest.raises(InputError, match="does not apply directly on"):
        write(repo, file, late, commits[1])
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["series.toml"]


@pytest.mark.parametrize(
    ("fix", "into", "said"),
    [(3, 0, "no commit of the series"), (1, 2, "does not come after"), (1, 1, "keeps its place"), (0, 1, "not apply directly")],
)
def test_folds_that_mean_nothing(repo: Repo, commits: list[str], file: Path, fix: int, into: int, said: str) -> None:
    before = file.read_bytes()
    with pytest.raises(InputError, match=said) as found:
        write(repo, file, commits[fix], commits[into])
    assert ".new" not in found.value.where
    assert file.read_bytes() == before


def test_twice_is_refused(repo: Repo, commits: list[str], file: Path) -> None:
    write(repo, file, commits[3], commits[1])
    with pytest.raises(InputError, match="folded already"):
        write(repo, file, commits[3][:12], commits[2])
    text = file.read_text()
    file.write_text(text + f'\n[[fold]]\nid = "{commits[3]}"\nsubject = "x"\ninto = "{commits[2]}"\n')
    with pytest.raises(InputError, match="folded elsewhere"):
        load(file)


def test_a_wrong_subject_names_its_line(repo: Repo, commits: list[str], file: Path) -> None:
    write(repo, file, commits[3], commits[1])
    file.write_text(file.read_text().replace('subject = "mm: fix the feature"\ninto', 'subject = "mm: another"\ninto'))
    with pytest.raises(InputError, match="mm: fix the feature") as found:
        load(file)
    line = file.read_text().split("\n").index("[[fold]]") + 3
    assert found.value.where == f"{file}:{line}: fold.subject"

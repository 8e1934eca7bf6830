"""Commits that are not what the definition says, and trees that no git would make."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.store import Store
from backport.ingest import select
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.ingest.sources import Sources, open_sources
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.model.series import Series
from tests.gitrepo import FILE, FOLDER, LINK, Repo, definition, numbered


def taken(repo: Repo, commits: list[str], subjects: list[str], scratch: Path) -> Series:
    sources = Sources((open_clone(repo.path),))
    with sources.store(scratch) as store:
        assert isinstance(store, Store)
        return ingest(definition(repo, commits, subjects=subjects), sources.clones, store, Silent())


@pytest.fixture
def base(repo: Repo) -> str:
    return repo.commit({b"f": numbered(9)}, b"base\n")


def test_a_wrong_subject_is_named_with_line_and_key(repo: Repo, base: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is 'base', not 'other'") as caught:
        taken(repo, [base], ["other"], tmp_path / "s")
    assert caught.value.where == "series.toml:10: subject"


@pytest.mark.parametrize("oid", ["f" * 40, "f" * 12])
def test_an_unknown_commit_is_named(repo: Repo, base: str, tmp_path: Path, oid: str) -> None:
    with pytest.raises(InputError, match=oid) as caught:
        taken(repo, [base, oid], ["base", "subject"], tmp_path / "s")
    assert caught.value.where == "series.toml:11: id"
    assert "--kernel" in caught.value.then


def test_a_merge_is_refused(repo: Repo, base: str, tmp_path: Path) -> None:
    side = repo.on(base, {b"g": b"g\n"}, b"side\n")
    merge = repo.commit({b"f": b"x\n", b"g": b"g\n"}, b"merge\n", parents=[base, side])
    with pytest.raises(InputError, match="merge of 2 parents") as caught:
        taken(repo, [merge], ["merge"], tmp_path / "s")
    assert caught.value.where == "series.toml:10: id"


def test_a_tag_s_id_instead_of_the_commit_s(repo: Repo, base: str, tmp_path: Path) -> None:
    """It would resolve, but the patch would belong to no topic: patches are looked up by this id."""
    repo.git("tag", "-a", "-m", "x", "v1", base)
    with pytest.raises(InputError, match="tag") as caught:
        taken(repo, [repo.text("rev-parse", "v1")], ["base"], tmp_path / "s")
    assert base in caught.value.then
    assert caught.value.where == "series.toml:10: id"


def test_a_branch_that_is_called_like_a_short_id(repo: Repo, base: str, tmp_path: Path) -> None:
    other = repo.on(base, {b"f": b"x\n"}, b"base\n")
    repo.branch(base[:12], other)
    with pytest.raises(InputError):
        taken(repo, [base[:12]], ["base"], tmp_path / "s")


@pytest.mark.parametrize("kind", ["tree", "blob"])
def test_an_id_of_something_else(repo: Repo, base: str, tmp_path: Path, kind: str) -> None:
    oid = repo.text("rev-parse", f"{base}^{{tree}}" if kind == "tree" else f"{base}:f")
    with pytest.raises(InputError, match=oid):
        taken(repo, [oid], ["x"], tmp_path / "s")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"a  subject\twith\x01signs\n", "a subject with signs"),
        (b"two\nlines\n\nbody\n", "two lines"),
        (b"caf\xe9\n", "café"),
        ("zero\u200bwidth\u00a0nbsp\n".encode(), "zero width nbsp"),
        (b"\n\nlate\n", "late"),
        (b"subject\r\n\r\nbody\r\n", "subject"),
        (b"subject\n  \nbody\n", "subject"),
    ],
)
def test_a_subject_is_compared_as_a_definition_can_hold_it(
    repo: Repo, base: str, tmp_path: Path, message: bytes, told: str
) -> None:
    commit = repo.on(base, {b"f": b"x\n"}, message)
    assert len(taken(repo, [commit], [told], tmp_path / "s").patches) == 1


def test_a_shortened_id_is_made_whole(repo: Repo, base: str, tmp_path: Path) -> None:
    assert taken(repo, [base[:12]], ["base"], tmp_path / "s").patches[0].commit == base


UNSAFE: dict[str, tuple[bytes, ...]] = {
    "dot dot": (b"..", b"passwd"),
    "dot dot below": (b"a", b"..", b"b"),
    "dot": (b".", b"f"),
    "empty name": (b"", b"f"),
    "empty file name": (b"a", b""),
    ".git": (b".git", b"config"),
    ".GIT": (b".GIT", b"config"),
    ".git below": (b"sub", b".git", b"hooks", b"post-checkout"),
    "git~1": (b"git~1", b"config"),
    ".git with dots": (b".git. .", b"config"),
    ".git as a file": (b".git",),
    ".git with a zero-width joiner": (".g\u200dit".encode(), b"config"),
    "a slash inside a name": (b"a/../../x",),
}


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("kind", ["added", "modified", "deleted"])
def test_a_path_that_leaves_the_tree_is_refused(repo: Repo, base: str, tmp_path: Path, name: str, kind: str) -> None:
    """A tree written by hand; git fsck would complain, git cherry-pick refuse."""

    def tree(content: bytes | None) -> str:
        entries = [(FILE, b"f", repo.write("blob", b"f\n"))]
        if content is None:
            return repo.raw_tree(entries)
        *folders, last = UNSAFE[name]
        inner = [(FILE, last, repo.write("blob", content))]
        for folder in reversed(folders):
            inner = [(FOLDER, folder, repo.raw_tree(inner))]
        return repo.raw_tree(sorted(entries + inner, key=lambda row: row[1]))

    before = {"added": None, "modified": b"1\n", "deleted": b"1\n"}[kind]
    after = {"added": b"2\n", "modified": b"2\n", "deleted": None}[kind]
    one = repo.commit(tree(before), b"one\n")
    two = repo.commit(tree(after), b"two\n", parents=[one])
    with pytest.raises(InputError, match=r"leave the tree|git's own|empty filename") as caught:
        taken(repo, [two], ["two"], tmp_path / "s")
    assert caught.value.where.startswith("series.toml")


@pytest.mark.parametrize(
    "name", [b"...", b"..a", b".gitignore", b".gitattributes", b"git", b".git-x", b"a..b", b".github", b"x.git"]
)
def test_names_that_only_look_unsafe_are_taken(repo: Repo, base: str, tmp_path: Path, name: bytes) -> None:
    commit = repo.on(base, {name + b"/" + name: b"x\n"}, b"x\n")
    assert taken(repo, [commit], ["x"], tmp_path / "s").patches[0].changes[0].new_path == name + b"/" + name


def test_a_link_out_of_the_tree_is_data_and_not_followed(repo: Repo, base: str, tmp_path: Path) -> None:
    commit = repo.on(base, {b"l": (LINK, b"/etc/passwd")}, b"x\n")
    assert taken(repo, [commit], ["x"], tmp_path / "s").patches[0].changes[0].new is not None


def test_no_kernel_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no kernel history"):
        open_sources([], [], tmp_path, Silent())


def selection(**changed: object) -> select.Selection:
    values: dict[str, object] = {
        "name": "x",
        "title": "X",
        "span": "v1..v2",
        "paths": (),
        "grep": "",
        "onto": "v1",
        "symbols": (),
    }
    return select.Selection(**(values | changed))  # type: ignore[arg-type]


@pytest.fixture
def tagged(repo: Repo, base: str) -> Repo:
    """v1, three commits with odd subjects, a merge, v2."""
    repo.git("tag", "v1", base)
    one = repo.on(base, {b"f": b"1\n"}, b"one: \ttabs  and \"quotes\" \\ # [x] = 'y'\n")
    two = repo.on(one, {b"d/ \xff": b"2\n"}, "zwei \u200b\u2028 Über\n".encode())
    side = repo.on(one, {b"g": b"g\n"}, b"side\n")
    merge = repo.commit({b"f": b"1\n", b"d/ \xff": b"2\n", b"g": b"g\n"}, b"merge\n", parents=[two, side])
    repo.git("tag", "v2", merge)
    return repo


def test_series_new_writes_what_load_reads_and_ingest_takes(tagged: Repo, tmp_path: Path) -> None:
    made = select.write(select.select(selection(symbols=("KSM=y", 'CONFIG_S="a b"')), [str(tagged.path)]), tmp_path / "patches")
    wanted = tagged.text("rev-list", "--reverse", "--no-merges", "--topo-order", "v1..v2").split()
    assert sorted(c.commit for c in made.commits) == sorted(wanted)
    assert made == load(tmp_path / "patches" / "x" / "series.toml")
    sources = Sources((open_clone(tagged.path),))
    with sources.store(tmp_path / "store") as store:
        assert len(ingest(made, sources.clones, store, Silent()).patches) == 3
    with pytest.raises(InputError, match="defined already"):
        select.write(made, tmp_path / "patches")
    assert [p.name for p in (tmp_path / "patches" / "x").iterdir()] == ["series.toml"]


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({"paths": ("f",)}, 1),
        ({"paths": ("d",)}, 1),
        ({"paths": ("d/ \udcff",)}, 1),
        ({"grep": "SIDE|ONE"}, 2),
        ({"grep": "^side$"}, 1),
    ],
)
def test_series_new_by_path_and_message(tagged: Repo, changed: dict[str, object], count: int) -> None:
    assert len(select.select(selection(**changed), [str(tagged.path)]).commits) == count


@pytest.mark.parametrize(
    "changed",
    [
        {"span": "v1"},
        {"span": ".."},
        {"span": "v1.."},
        {"span": "..v2"},
        {"span": "v1...v2"},
        {"span": "v1..v9"},
        {"span": "v2..v1"},
        {"onto": "v9"},
        {"grep": "("},
        {"grep": "nothing like it"},
        {"paths": ("none",)},
        {"paths": (":(glob)*",)},
        {"name": "../x"},
        {"name": ""},
        {"symbols": ("KSM",)},
        {"symbols": ("=y",)},
    ],
    ids=str,
)
def test_series_new_with_nonsense(tagged: Repo, changed: dict[str, object]) -> None:
    with pytest.raises(InputError):
        select.select(selection(**changed), [str(tagged.path)])


def test_series_new_with_a_value_that_will_not_do_leaves_nothing(tagged: Repo, tmp_path: Path) -> None:
    made = select.select(selection(symbols=("KSM=maybe",)), [str(tagged.path)])
    with pytest.raises(InputError):
        select.write(made, tmp_path / "patches")
    assert not list((tmp_path / "patches").rglob("*.*"))


def test_series_new_with_a_commit_that_has_no_message(repo: Repo, base: str, tmp_path: Path) -> None:
    repo.git("tag", "v1", base)
    repo.git("tag", "v2", repo.on(base, {b"f": b"1\n"}, b""))
    with pytest.raises(InputError, match="subject"):
        select.write(select.select(selection(), [str(repo.path)]), tmp_path / "patches")
    assert not list((tmp_path / "patches").rglob("*.*"))

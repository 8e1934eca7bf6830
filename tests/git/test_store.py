"""Clones in every state are read, and not one byte of them changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from backport.git.clone import open_clone, resolve, resolve_one
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.sources import Sources
from backport.model.errors import BackportError, EnvironmentFailedError, InputError
from backport.model.series import Entry
from tests.gitrepo import Repo, numbered, replayed, run


@pytest.fixture
def history(repo: Repo) -> tuple[str, str, str]:
    """Base, target and one patch that merges; on branches."""
    base = repo.commit({b"f": numbered(9), b"g": b"g\n"}, b"base\n")
    target = repo.on(base, {b"f": numbered(9, l1=b"target")}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l6=b"patch")}, b"patch\n")
    for name, commit in (("master", patch), ("target", target)):
        repo.branch(name, commit)
    return base, target, patch


def clone(repo: Repo, path: Path, *options: str) -> Path:
    """A clone with a work tree, made by git."""
    run(
        ["git", "clone", "-q", "--no-local", *options, repo.path.as_uri(), path],
        repo.path,
        GIT_CONFIG_PARAMETERS="'protocol.file.allow=always'",
    )
    return path


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file below with mode, time of change and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = hashlib.sha1(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[str(path.relative_to(folder))] = (stat.st_mode, stat.st_mtime_ns, content)
    return found


def open_store(path: Path, scratch: Path) -> Store:
    return Sources((open_clone(path),)).store(scratch)


def damage(repo: Repo, oid: str, content: bytes | None = b"garbage") -> None:
    path = repo.path / "objects" / oid[:2] / oid[2:]
    path.unlink()
    if content is not None:
        path.write_bytes(content)


@pytest.mark.parametrize("content", [b"garbage", b"", b"x\x9c"], ids=["garbage", "empty", "cut off"])
@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_a_damaged_object_is_named(repo: Repo, history: tuple[str, str, str], tmp_path: Path, kind: str, content: bytes) -> None:
    spec = {"commit": "master", "tree": "master^{tree}", "blob": "master:f"}[kind]
    oid = repo.text("rev-parse", spec)
    damage(repo, oid, content)
    with open_store(repo.path, tmp_path / "store") as store:
        with pytest.raises(BackportError) as caught:
            store.read(oid, kind)
        assert oid in f"{caught.value}{caught.value.then}"
        assert "fsck" in caught.value.then
        assert store.read(repo.text("rev-parse", "target:g"), "blob") == b"g\n", "the store still works"


def test_an_object_whose_content_is_not_its_id(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    """git cat-file does not check the hash; git fsck does. Whatever we say, no other object may be taken for it silently."""
    oid = repo.text("rev-parse", "master:f")
    other = repo.write("tree", b"")
    shutil.copy(repo.path / "objects" / other[:2] / other[2:], repo.path / "objects" / oid[:2] / oid[2:])
    with open_store(repo.path, tmp_path / "store") as store, pytest.raises(BackportError):
        store.read(oid, "blob")


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_a_missing_object_is_named(repo: Repo, history: tuple[str, str, str], tmp_path: Path, kind: str) -> None:
    oid = repo.text("rev-parse", {"commit": "master", "tree": "master^{tree}", "blob": "master:f"}[kind])
    damage(repo, oid, None)
    with open_store(repo.path, tmp_path / "store") as store, pytest.raises(InputError, match=oid) as caught:
        store.read(oid, kind)
    assert "--kernel" in caught.value.then


@pytest.mark.parametrize("what", ["master:f", "target:f"])
def test_a_replay_over_a_damaged_blob_ends_with_an_error_of_ours(
    repo: Repo, history: tuple[str, str, str], tmp_path: Path, what: str
) -> None:
    damage(repo, repo.text("rev-parse", what))
    with pytest.raises(BackportError), replayed(repo, [history[2]], history[1], tmp_path / "store"):
        pass


def test_an_object_of_another_kind_is_refused(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    with open_store(repo.path, tmp_path / "store") as store, pytest.raises(InputError, match="is a commit, not a tree"):
        store.read(history[0], "tree")


def test_thousands_of_requests_and_large_answers_do_not_block_each_other(repo: Repo, tmp_path: Path) -> None:
    oids = [repo.write("blob", b"%d\n" % i + b"x" * (200_000 if i % 50 == 0 else 10)) for i in range(1500)]
    repo.commit({b"f": b"f"})
    with open_store(repo.path, tmp_path / "store") as store:
        store.prefetch(oids)
        assert [store.read(oid, "blob")[:5] for oid in oids[::499]] == [b"0\nxxx", b"499\nx", b"998\nx", b"1497\n"]
        assert [content[:2] for _, content in store.stream(oids[:3])] == [b"0\n", b"1\n", b"2\n"]


def test_a_written_object_is_git_s_object(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    content = b"\0\xff\r\n" * 1000
    with open_store(repo.path, tmp_path / "store") as store:
        oid = store.write("blob", content)
        assert store.read(oid) == content
        assert oid == run(["git", "hash-object", "--stdin", "--no-filters"], tmp_path, content).stdout.decode().strip()
        store.flush()
        assert run(["git", "cat-file", "blob", oid], store.folder).stdout == content
        assert store.has([oid, history[0], "1" * 40]) == {oid, history[0]}
    assert not (repo.path / "objects" / oid[:2] / oid[2:]).exists()


def test_what_was_written_is_one_sound_pack_for_the_git_that_comes_next(repo: Repo, tmp_path: Path) -> None:
    with open_store(repo.path, tmp_path / "store") as store:
        blobs = [store.write("blob", b"%d\n" % number * 1000) for number in range(50)]
        tree = Trees(store).make({b"%d" % n: Entry(0o100644, oid) for n, oid in enumerate(blobs)})
        assert store.git.run(["ls-tree", "--object-only", tree]).decode().split() == [
            oid for _, oid in sorted((b"%d" % n, oid) for n, oid in enumerate(blobs))
        ]
        (index,) = (store.folder / "objects" / "pack").glob("*.idx")
        run(["git", "verify-pack", index], store.folder)
        late = store.write("blob", b"late\n")
        assert store.git.run(["cat-file", "blob", late]) == b"late\n"
        assert len(list((store.folder / "objects" / "pack").glob("*.idx"))) == 2
        last = store.write("blob", b"last\n")
    assert run(["git", "cat-file", "blob", last], tmp_path / "store").stdout == b"last\n", "closing it writes the rest"


def test_a_store_that_is_thrown_away_writes_only_what_git_asks_for(repo: Repo, tmp_path: Path) -> None:
    with Store(tmp_path / "store", [repo.path / "objects"], keep_last=False) as store:
        oid = store.write("blob", b"text\n")
        assert store.read(oid) == b"text\n"
    assert not list((tmp_path / "store" / "objects" / "pack").iterdir())


@pytest.mark.parametrize(
    "name", ['quo"te', '"first', "#first", "new\nline", "back\\slash", " space ", "t\tab", "caf\udce9", '"a\nb\\n"', "col:on;x"]
)
def test_a_clone_at_an_odd_path(repo: Repo, history: tuple[str, str, str], tmp_path: Path, name: str) -> None:
    odd = tmp_path / name
    repo.path.rename(odd)
    before = fingerprint(odd)
    with replayed(Repo(odd), [history[2]], history[1], tmp_path / f"store {name}", subjects=["patch"]) as session:
        assert session.verdicts == ["merged"]
    assert fingerprint(odd) == before


def test_a_clone_of_a_clone_of_a_clone_by_alternates(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    last = repo.path
    for number in range(3):
        run(["git", "clone", "-q", "--bare", "-s", last, tmp_path / f"c{number}"], tmp_path)
        last = tmp_path / f"c{number}"
    with replayed(Repo(last), [history[2]], history[1], tmp_path / "store") as session:
        assert session.verdicts == ["merged"]


SHAPES = [
    "bare",
    "work tree",
    "linked worktree",
    "submodule",
    "busy index",
    "repacked",
    "detached",
    "read-only",
    "alternate refs",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_clones_of_every_shape_are_read_and_not_modified(
    repo: Repo, history: tuple[str, str, str], tmp_path: Path, shape: str
) -> None:
    path = repo.path if shape == "bare" else clone(repo, tmp_path / "clone", *(("--bare",) if shape == "alternate refs" else ()))
    watched = path
    if shape == "linked worktree":
        run(["git", "worktree", "add", "-q", tmp_path / "linked", "origin/target"], path)
        path = tmp_path / "linked"
    elif shape == "submodule":
        (path / "sub").mkdir()
        (path / ".git").rename(path / "moved.git")
        (path / "sub" / ".git").write_text("gitdir: ../moved.git\n")
        path = path / "sub"
    elif shape == "busy index":
        (path / ".git" / "index.lock").write_text("")
        (path / ".git" / "index").write_bytes(b"broken")
    elif shape == "repacked":
        run(["git", "repack", "-adq", "--write-bitmap-index"], path)
    elif shape == "detached":
        run(["git", "checkout", "-q", "--detach"], path)
    elif shape == "read-only":
        run(["chmod", "-R", "a-w", path], tmp_path)
    before = fingerprint(watched)
    try:
        assert resolve_one([open_clone(path)], "HEAD")
        with replayed(path, [history[2]], history[1], tmp_path / "store", subjects=["patch"]) as session:
            assert session.verdicts == ["merged"]
        assert fingerprint(watched) == before
    finally:
        run(["chmod", "-R", "u+w", watched], tmp_path)


def test_a_shallow_clone_names_the_commit_that_it_lacks(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    path = clone(repo, tmp_path / "clone", "--depth", "1")
    with (
        pytest.raises(InputError, match=history[0]),
        replayed(path, [history[2]], history[2], tmp_path / "store", subjects=["patch"]),
    ):
        pass
    with pytest.raises(InputError, match=history[1][:12]) as caught:
        resolve_one([open_clone(path)], history[1])
    assert "unshallow" in caught.value.then


def test_a_shallow_clone_that_is_deep_enough_works(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    """Blame and log -L stop where the clone ends."""
    at = repo.on(history[2], {b"f": numbered(9, l6=b"again")}, b"again\n")
    repo.branch("master", at)
    path = clone(repo, tmp_path / "clone", "--depth", "2", "--no-single-branch")
    with replayed(path, [at], history[1], tmp_path / "store", subjects=["again"]) as session:
        assert session.verdicts == ["conflict"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "\n",
        "-x",
        "--all",
        "HEAD:",
        "nothing",
        ":/patch",
        "f" * 40,
        "master..target",
        "commit " + "a" * 23,
        "a b",
        "@{-1}",
        "é",
        "x" * 5000,
    ],
)
def test_a_name_that_is_no_commit_is_unknown(repo: Repo, history: tuple[str, str, str], tmp_path: Path, name: str) -> None:
    found = resolve([open_clone(repo.path)], [name, "target", name])
    assert found[1] == history[1]
    if name != ":/patch":
        assert found == [None, history[1], None]
        with pytest.raises(InputError):
            resolve_one([open_clone(repo.path)], name)


def test_names_that_are_commits(repo: Repo, history: tuple[str, str, str]) -> None:
    repo.git("tag", "-a", "-m", "x", "v1", history[1])
    names = ["v1", "v1~1", "refs/tags/v1", repo.text("rev-parse", "v1"), history[1][:12], "HEAD", "master^", "target@{0}"]
    expected = [repo.text("rev-parse", f"{name}^{{commit}}") for name in names[:-1]]
    assert resolve([open_clone(repo.path)], names)[:-1] == expected


def test_the_first_clone_that_knows_a_name_wins(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    other = Repo.make(tmp_path / "other.git")
    only = other.commit({b"x": b"x"}, b"only here\n")
    other.branch("target", only)
    clones = [open_clone(repo.path), open_clone(other.path)]
    assert resolve(clones, ["target", only]) == [history[1], only]


def test_an_ambiguous_short_id_is_unknown(repo: Repo, history: tuple[str, str, str]) -> None:
    seen: dict[str, str] = {}
    for number in range(5000):
        oid = repo.write("blob", b"%d" % number)
        if oid[:4] in seen:
            assert resolve([open_clone(repo.path)], [oid[:4]]) == [None]
            return
        seen[oid[:4]] = oid
    pytest.fail("no two ids begin alike")


@pytest.mark.parametrize(
    "what", ["nothing there", "empty folder", "file", "gitfile to nowhere", "gitfile of nonsense", "subfolder of a clone"]
)
def test_what_is_no_clone_is_refused(repo: Repo, history: tuple[str, str, str], tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "subfolder of a clone":
        path = clone(repo, tmp_path / "clone") / "sub"
    if what not in ("nothing there", "file"):
        path.mkdir()
    if what == "file":
        path.write_text("x")
    if what.startswith("gitfile"):
        (path / ".git").write_bytes(b"gitdir: ../gone\n" if "nowhere" in what else b"\xff\0nonsense")
    with pytest.raises(InputError) as caught:
        open_clone(path)
    assert str(path) in caught.value.where


def test_the_run_s_folder_cannot_be_written(repo: Repo, tmp_path: Path) -> None:
    repo.commit({b"f": b"f"})
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFailedError):
        open_store(repo.path, tmp_path / "file" / "store")


HOSTILE = """[core]
	fsmonitor = touch {canary}
	hooksPath = {hooks}
	sshCommand = touch {canary}
	gitProxy = touch {canary}
	pager = touch {canary}
	editor = touch {canary}
	askPass = touch {canary}
	alternateRefsCommand = touch {canary}; true
	attributesFile = {attributes}
	notesRef = refs/notes/hostile
[alias]
	cat-file = !touch {canary}
	log = !touch {canary}
	blame = !touch {canary}
[diff]
	external = touch {canary}
	algorithm = patience
	noprefix = true
	context = 0
	renames = copies
	orderFile = {attributes}
	colorMoved = zebra
[color]
	ui = always
[diff "evil"]
	command = touch {canary}
	textconv = touch {canary}; cat
	binary = true
	xfuncname = .*
[merge "evil"]
	driver = touch {canary}
[merge]
	default = evil
	conflictStyle = zdiff3
	renames = false
[filter "evil"]
	clean = touch {canary}; cat
	smudge = touch {canary}; cat
	process = touch {canary}
	required = true
[credential]
	helper = !touch {canary}
[gpg]
	program = touch {canary}
[log]
	showSignature = true
	date = relative
	follow = true
[blame]
	ignoreRevsFile = {attributes}
[i18n]
	logOutputEncoding = UTF-16
	commitEncoding = latin1
[format]
	pretty = raw
	signature = hostile
	attach = true
[include]
	path = {attributes}.more
[uploadpack]
	packObjectsHook = touch {canary}
[remote "origin"]
	url = ext::touch {canary}
	vcs = evil
	promisor = true
	partialclonefilter = blob:none
[maintenance]
	auto = true
[gc]
	auto = 1
[fetch]
	recurseSubmodules = true
	writeCommitGraph = true
[submodule]
	recurse = true
[transfer]
	hideRefs = refs
[protocol]
	allow = always
[url "ext::touch {canary} #"]
	insteadOf = /
"""


@pytest.fixture
def hostile(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> tuple[Path, Path]:
    """A clone whose configuration, attributes, hooks, replace refs and grafts try to run `touch canary` or to lie."""
    canary = tmp_path / "canary"
    hooks, attributes = tmp_path / "hooks", tmp_path / "attributes"
    hooks.mkdir()
    for name in (
        "reference-transaction",
        "post-update",
        "post-checkout",
        "pre-auto-gc",
        "post-index-change",
        "update",
        "post-receive",
    ):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / name).chmod(0o755)
    shutil.copytree(hooks, repo.path / "hooks")
    attributes.write_text("* diff=evil merge=evil filter=evil text eol=crlf working-tree-encoding=UTF-16 -delta ident\n")
    (tmp_path / "attributes.more").write_text(f"[alias]\n\trev-list = !touch {canary}\n")
    (repo.path / "info").mkdir()
    shutil.copy(attributes, repo.path / "info" / "attributes")
    _, target, patch = history
    (repo.path / "refs" / "replace").mkdir()
    (repo.path / "refs" / "replace" / patch).write_text(target + "\n")
    (repo.path / "info" / "grafts").write_text(f"{patch} {target}\n")
    with (repo.path / "config").open("a") as config:
        config.write(HOSTILE.format(canary=canary, hooks=hooks, attributes=attributes))
    return repo.path, canary


def test_a_hostile_clone_runs_nothing_and_changes_nothing(
    hostile: tuple[Path, Path], history: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, canary = hostile
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {canary}")
    base, target, patch = history
    clean = Repo.make(tmp_path / "clean.git")
    shutil.copytree(path / "objects", clean.path / "objects", dirs_exist_ok=True)
    later = Repo(path).commit(
        {b".gitattributes": b"* diff=evil merge=evil\n", b"f": numbered(9, l1=b"z"), b"g": b"g\n"}, b"later\n", parents=[patch]
    )
    shutil.copytree(path / "objects", clean.path / "objects", dirs_exist_ok=True)
    before = fingerprint(path)
    with replayed(path, [patch, later], target, tmp_path / "a", subjects=["patch", "later"]) as session:
        hostile_outcomes = session.outcomes
        session.history.added_lines([(base, patch)])
        assert session.history.introduced(["patch"], base, later, [b"f"])["patch"].commit == patch
        assert session.history.list_commits(f"{base}..{later}") == [patch, later]
        assert resolve([open_clone(path)], [f"{patch}^", f"{later}~1"]) == [base, patch]
    with replayed(clean, [patch, later], target, tmp_path / "b") as session:
        assert session.outcomes == hostile_outcomes
    assert not canary.exists()
    assert fingerprint(path) == before


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "/nowhere"},
        {"GIT_INDEX_FILE": "/nowhere/index", "GIT_PREFIX": "x/"},
        {"GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere", "GIT_QUARANTINE_PATH": "/nowhere"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "nonsense"},
        {"GIT_CONFIG_PARAMETERS": "'diff.noprefix=true' 'color.ui=always'"},
        {"GIT_WORK_TREE": "/nowhere", "GIT_NAMESPACE": "x", "GIT_CEILING_DIRECTORIES": "/"},
        {"GIT_LITERAL_PATHSPECS": "0", "GIT_ICASE_PATHSPECS": "1", "GIT_GLOB_PATHSPECS": "1"},
        {"GIT_DEFAULT_HASH": "sha256", "GIT_TRACE": "1", "GIT_TRACE2_EVENT": "2", "GIT_FLUSH": "0"},
        {"GIT_SHALLOW_FILE": "/nowhere", "GIT_GRAFT_FILE": "/nowhere", "GIT_REPLACE_REF_BASE": "refs/heads"},
        {"GIT_DIFF_OPTS": "--unified=9", "GIT_MERGE_VERBOSITY": "5", "GIT_ATTR_SOURCE": "nonsense"},
        {"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de", "TZ": "Asia/Tokyo"},
        {"COLUMNS": "10", "LESS": "x", "PAGER": "false", "EDITOR": "false", "TMPDIR": "/tmp"},
    ],
    ids=lambda v: next(iter(v)),
)
def test_the_environment_of_a_git_hook_does_not_matter(
    repo: Repo, history: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    with replayed(repo, [history[2]], history[1], tmp_path / "plain") as session:
        expected = session.replayed
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with replayed(repo, [history[2]], history[1], tmp_path / "store") as session:
        assert session.replayed == expected


def test_runs_from_a_folder_that_is_another_repository(
    repo: Repo, history: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    run(["git", "init", "-q"], tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with replayed(repo, [history[2]], history[1], tmp_path / "store") as session:
        assert session.verdicts == ["merged"]


def test_trees_are_read_as_git_lists_them(repo: Repo, tmp_path: Path) -> None:
    files = {b"a-b": b"1", b"a/b": b"2", b"a.c": b"3", b"z/y/x": b"4", "ü".encode(): b"5", b"\xff": b"6", b"a b\n": b"7"}
    commit = repo.commit(files)
    with open_store(repo.path, tmp_path / "store") as store:
        trees = Trees(store)
        walked = [(path, entry.oid) for path, entry in trees.walk(History(store).commit(commit).tree)]
    listed = [row.partition(b"\t") for row in repo.git("ls-tree", "-r", "-z", commit).split(b"\0")[:-1]]
    assert walked == [(path, head.split()[2].decode()) for head, _, path in listed]


def test_the_long_lived_process_ends_with_the_store(repo: Repo, history: tuple[str, str, str], tmp_path: Path) -> None:
    store = open_store(repo.path, tmp_path / "store")
    with store:
        store.read(history[0])
        pid = store._batch.pid  # type: ignore[union-attr]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

"""Branches and bundles: what we made may be replaced, nothing else, and no hook runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backport.git.clone import Clone, open_clone
from backport.git.publish import bundle, check_branch, publish
from backport.git.store import Store
from backport.ingest.sources import Sources
from backport.model.errors import EnvironmentFailedError, InputError
from tests.gitrepo import Repo, numbered, replayed, run


@pytest.fixture
def commits(repo: Repo) -> tuple[str, str]:
    """Target and patch; master points to the target."""
    target = repo.commit({b"f": numbered(9)}, b"target\n")
    repo.branch("master", target)
    return target, repo.on(target, {b"f": numbered(9, l3=b"x")}, b"patch\n")


def work_tree(repo: Repo, tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    run(["git", "clone", "-q", repo.path, path], tmp_path)
    return path


def store(clone: Path, repo: Repo, scratch: Path) -> Store:
    return Sources((open_clone(clone), open_clone(repo.path))).store(scratch)


def made(into: Store, parent: str, text: bytes) -> str:
    """A commit of ours that only the store has."""
    blob = into.write("blob", text)
    tree = into.write("tree", b"100644 f\0" + bytes.fromhex(blob))
    return into.write(
        "commit", f"tree {tree}\nparent {parent}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nours\n".encode()
    )


def ref(path: Path, name: str) -> str:
    return run(["git", "rev-parse", "--verify", "-q", name], path, ok=None).stdout.decode().strip()


def test_new_then_again_then_refused_after_somebody_moved_it(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    path = work_tree(repo, tmp_path)
    clone = open_clone(path)
    with store(path, repo, tmp_path / "store") as ours:
        one, two = made(ours, commits[0], b"one\n"), made(ours, commits[0], b"two\n")
        publish(ours, clone, one, "backport/ksm")
        assert ref(path, "refs/heads/backport/ksm") == one
        assert run(["git", "fsck", "--strict"], path)
        publish(ours, clone, two, "backport/ksm")  # not a fast-forward: ours all the same
        assert ref(path, "refs/heads/backport/ksm") == two
        publish(ours, clone, two, "backport/ksm")
        run(["git", "branch", "-f", "backport/ksm", commits[0]], path)
        with pytest.raises(InputError, match="not as backport left it"):
            publish(ours, clone, one, "backport/ksm")
        assert ref(path, "refs/heads/backport/ksm") == commits[0]
        run(["git", "branch", "-D", "backport/ksm"], path)
        publish(ours, clone, one, "backport/ksm")  # deleted by its owner: free again
        assert ref(path, "refs/heads/backport/ksm") == one
    assert run(["git", "cat-file", "-t", one], path).stdout == b"commit\n", "the objects outlive our folder"


@pytest.mark.parametrize("clean", [True, False])
def test_a_branch_of_somebody_else_is_refused(repo: Repo, commits: tuple[str, str], tmp_path: Path, clean: bool) -> None:
    repo.branch("theirs", commits[1])
    if not clean:
        repo.git("pack-refs", "--all")
    with pytest.raises(InputError, match="exists"):
        check_branch(open_clone(repo.path), "theirs")


@pytest.mark.parametrize("where", ["work tree", "linked worktree", "bare", "symlink HEAD", "unborn"])
def test_a_branch_that_is_checked_out_is_refused(repo: Repo, commits: tuple[str, str], tmp_path: Path, where: str) -> None:
    path = repo.path if where in ("bare", "unborn") else work_tree(repo, tmp_path)
    clone = open_clone(path)
    with store(path, repo, tmp_path / "store") as ours:
        tip = made(ours, commits[0], b"one\n")
        publish(ours, clone, tip, "made")
        if where == "linked worktree":
            run(["git", "worktree", "add", "-q", tmp_path / "linked", "made"], path)
        elif where == "bare":
            run(["git", "symbolic-ref", "HEAD", "refs/heads/made"], path)
        elif where == "unborn":
            run(["git", "symbolic-ref", "HEAD", "refs/heads/fresh"], path)
        else:
            run(["git", "checkout", "-q", "made"], path)
        if where == "symlink HEAD":  # what git wrote before 2005's end, and still reads
            (path / ".git" / "HEAD").unlink()
            (path / ".git" / "HEAD").symlink_to("refs/heads/made")
        with pytest.raises(InputError, match="is checked out"):
            publish(ours, open_clone(path), tip, "fresh" if where == "unborn" else "made")
        if where == "linked worktree":
            with pytest.raises(InputError, match="is checked out"):
                check_branch(open_clone(tmp_path / "linked"), "made")


BAD = ["", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock",
    "a.lock/b",        "a@{b", "@{", "é", "a\nb", "x" * 300, "a/../b", "a\x7f"]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused(repo: Repo, commits: tuple[str, str], name: str) -> None:
    with pytest.raises(InputError, match="no name for a branch"):
        check_branch(open_clone(repo.path), name)


@pytest.mark.parametrize("name", ["a", "backport/ksm", "fedora-12/ksm_2.6.31", "f12+ksm", "a/b/c/d", "1", "HEADS", "v2.6.31"])
def test_every_name_that_we_take_is_one_for_git(repo: Repo, commits: tuple[str, str], name: str) -> None:
    check_branch(open_clone(repo.path), name)
    run(["git", "check-ref-format", "--branch", name], repo.path)


def test_git_refuses_whatever_we_refuse_but_for_the_merely_unusual() -> None:
    unusual = {"é", "a\x7f", "x" * 300}
    for name in set(BAD) - unusual:
        assert run(["git", "check-ref-format", "--branch", name], Path("/"), ok=None).returncode != 0, name


def test_a_branch_below_another_is_an_error_and_nothing_changes(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    with store(repo.path, repo, tmp_path / "store") as ours:
        tip = made(ours, commits[0], b"one\n")
        with pytest.raises(EnvironmentFailedError) as caught:
            publish(ours, open_clone(repo.path), tip, "master/below")
    assert "bundle" in caught.value.then
    assert run(["git", "for-each-ref", "--format=%(refname)"], repo.path).stdout == b"refs/heads/master\n"


def test_hooks_and_commands_of_the_clone_are_not_run(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    other = Repo.make(tmp_path / "other.git")
    other.branch("x", other.commit({b"x": b"x"}))
    (repo.path / "hooks").mkdir()
    for name in ("reference-transaction", "post-update", "update", "pre-receive", "post-receive", "pre-auto-gc", "post-rewrite"):
        (repo.path / "hooks" / name).write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
        (repo.path / "hooks" / name).chmod(0o755)
    (repo.path / "objects" / "info" / "alternates").write_text(f"{other.path}/objects\n")
    with (repo.path / "config").open("a") as config:
        config.write(f"\tfsmonitor = touch {canary}\n\talternateRefsCommand = touch {canary}; true\n\tlogAllRefUpdates = true\n")
        config.write(
            f"[uploadpack]\n\tpackObjectsHook = touch {canary}\n[fetch]\n\trecurseSubmodules = true\n\twriteCommitGraph = true\n"
        )
        config.write("[gc]\n\tauto = 1\n[remote]\n\tpushDefault = x\n")
    with store(repo.path, repo, tmp_path / "store") as ours:
        tip = made(ours, commits[0], b"one\n")
        publish(ours, open_clone(repo.path), tip, "made")
    assert ref(repo.path, "refs/heads/made") == tip
    assert not canary.exists()
    assert not (repo.path / "FETCH_HEAD").exists()
    assert run(["git", "for-each-ref", "--format=%(refname)"], repo.path).stdout.split() == [
        b"refs/backport/made",
        b"refs/heads/made",
        b"refs/heads/master",
    ]


def test_the_index_and_work_tree_of_the_clone_are_left_alone(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    path = work_tree(repo, tmp_path)
    (path / "f").write_text("edited, not committed\n")
    (path / ".git" / "index.lock").write_text("busy")
    before = {name: (path / name).read_bytes() for name in ("f", ".git/index", ".git/HEAD", ".git/config")}
    with store(path, repo, tmp_path / "store") as ours:
        publish(ours, open_clone(path), made(ours, commits[0], b"one\n"), "made")
    assert before == {name: (path / name).read_bytes() for name in before}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_clone_says_so(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    run(["chmod", "-R", "a-w", repo.path], tmp_path)
    try:
        with (
            store(repo.path, repo, tmp_path / "store") as ours,
            pytest.raises(EnvironmentFailedError, match="could not be written"),
        ):
            publish(ours, open_clone(repo.path), made(ours, commits[0], b"one\n"), "made")
    finally:
        run(["chmod", "-R", "u+w", repo.path], tmp_path)


def test_a_ref_that_is_locked_by_another_git_is_an_error(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    (repo.path / "refs" / "heads" / "made.lock").write_text("")
    with store(repo.path, repo, tmp_path / "store") as ours, pytest.raises(EnvironmentFailedError):
        publish(ours, open_clone(repo.path), made(ours, commits[0], b"one\n"), "made")
    assert ref(repo.path, "refs/heads/made") == ""
    assert ref(repo.path, "refs/backport/made") == ""


@pytest.mark.parametrize("packing", ["loose", "packed", "packed otherwise"])
def test_bundle_is_the_same_however_the_clone_is_packed_and_git_can_fetch_it(repo: Repo, tmp_path: Path, packing: str) -> None:
    """Upstream's own blobs are taken over where the target was identical, and may lie as deltas in the clone's packs."""
    base = repo.commit({b"d/f%d" % i: numbered(300, l5=b"%d" % i) for i in range(6)}, b"base\n")
    at, patches = base, []
    for number in range(4):
        at = repo.on(
            at, {b"d/f%d" % i: numbered(300, l5=b"%d" % i, **{f"l{50 + number * 9}": b"p"}) for i in range(6)}, b"patch\n"
        )
        patches.append(at)
    repo.branch("master", at)
    plain = tmp_path / "plain.bundle"
    with replayed(repo, patches, base, tmp_path / "plain") as session:
        bundle(session.store, base, session.replayed.tip, "backport/x", plain)
    if packing != "loose":
        repo.git("repack", "-adfq", *(["--window=1", "--depth=1"] if packing == "packed" else ["--window=50"]))
        repo.git("prune-packed")
    with replayed(repo, patches, base, tmp_path / "again") as session:
        bundle(session.store, base, session.replayed.tip, "backport/x", tmp_path / "again.bundle")
        tip, tree = session.replayed.tip, session.replayed.tree
    assert (tmp_path / "again.bundle").read_bytes() == plain.read_bytes()
    run(["git", "bundle", "verify", "-q", plain], repo.path)
    run(["git", "fetch", "-q", plain, "backport/x:backport/x"], repo.path)
    assert repo.text("rev-parse", "backport/x") == tip
    assert repo.text("rev-parse", "backport/x^{tree}") == tree
    run(["git", "fsck", "--strict", "--no-dangling"], repo.path)


def test_two_refs_change_or_none(repo: Repo, commits: tuple[str, str], tmp_path: Path) -> None:
    (repo.path / "refs" / "backport").mkdir()
    (repo.path / "refs" / "backport" / "made.lock").write_text("")
    with store(repo.path, repo, tmp_path / "store") as ours, pytest.raises(EnvironmentFailedError):
        publish(ours, Clone(repo.path, repo.path), made(ours, commits[0], b"one\n"), "made")
    assert ref(repo.path, "refs/heads/made") == ""

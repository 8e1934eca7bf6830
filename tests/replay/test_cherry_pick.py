"""The replay against the real `git cherry-pick`: the same patches land, and with the same trees."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitrepo import EXECUTABLE, Checkout, Content, Files, Repo, compare, link, numbered, program, replayed, submodule

TEXT = numbered(12)
OTHER = b"other\n" * 9
A, B = b"a" * 40, b"b" * 40


@dataclass(frozen=True)
class Case:
    """Files of base and target, what each patch of the series changes, and the verdicts."""

    base: Files
    target: dict[bytes, Content | None]
    patches: list[dict[bytes, Content | None]]
    verdicts: list[str]
    between: dict[bytes, Content | None] | None = None  # upstream, after base and before the first patch


def build(repo: Repo, case: Case) -> tuple[str, str, list[str]]:
    base = repo.commit(case.base, b"base\n")
    target = repo.on(base, case.target, b"target\n") if case.target else base
    at = repo.on(base, case.between, b"between\n") if case.between else base
    commits = []
    for number, changes in enumerate(case.patches):
        at = repo.on(at, changes, b"patch %d\n" % number)
        commits.append(at)
    return base, target, commits


def edit(line: int, text: bytes = b"changed", of: int = 12) -> bytes:
    return numbered(of, **{f"l{line}": text})


CASES = {
    "added file is not there": Case({b"a": TEXT}, {}, [{b"n": OTHER}], ["exact"]),
    "added file is there, identical": Case({b"a": TEXT}, {b"n": OTHER}, [{b"n": OTHER}], ["already-present"]),
    "added file is there, different": Case({b"a": TEXT}, {b"n": OTHER}, [{b"n": TEXT}], ["conflict"]),
    "added file is there, identical but executable": Case({b"a": TEXT}, {b"n": program(OTHER)}, [{b"n": OTHER}], ["conflict"]),
    "added in a folder that is not there": Case({b"a": TEXT}, {}, [{b"x/y/z": OTHER}], ["exact"]),
    "added, then changed, then deleted": Case({b"a": TEXT}, {}, [{b"n": TEXT}, {b"n": edit(3)}, {b"n": None}], ["exact"] * 3),
    "deleted file is the same": Case({b"a": TEXT, b"d/e": OTHER}, {}, [{b"d/e": None}], ["exact"]),
    "deleted file is gone": Case({b"a": TEXT, b"d/e": OTHER}, {b"d/e": None}, [{b"d/e": None}], ["already-present"]),
    "deleted file modified in target": Case({b"a": TEXT, b"d": OTHER}, {b"d": OTHER + b"x\n"}, [{b"d": None}], ["conflict"]),
    "deleted file has another mode in target": Case(
        {b"a": TEXT, b"d": OTHER}, {b"d": program(OTHER)}, [{b"d": None}], ["conflict"]
    ),
    "renamed by the patch, target the same": Case({b"a": TEXT}, {}, [{b"a": None, b"b": TEXT}], ["exact"]),
    "renamed and edited by the patch, target edited elsewhere": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": edit(2)}, [{b"a": None, b"b": edit(10)}], ["merged"]
    ),
    "renamed by the patch, target edited the same lines": Case(
        {b"a": TEXT}, {b"a": edit(5, b"mine")}, [{b"a": None, b"b": edit(5, b"theirs")}], ["conflict"]
    ),
    "renamed by the patch, new name taken in target": Case({b"a": TEXT}, {b"b": OTHER}, [{b"a": None, b"b": TEXT}], ["conflict"]),
    "renamed by the patch, done in target already": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"b": TEXT}, [{b"a": None, b"b": TEXT}], ["already-present"]
    ),
    "renamed by the patch, then edited": Case({b"a": TEXT}, {}, [{b"a": None, b"b": TEXT}, {b"b": edit(3)}], ["exact", "exact"]),
    "two files swap names": Case({b"a": TEXT, b"b": OTHER}, {b"a": edit(2)}, [{b"a": OTHER, b"b": TEXT}], ["conflict"]),
    "renamed in the target": Case({b"a": TEXT, b"k": OTHER}, {b"a": None, b"b": TEXT}, [{b"a": edit(4)}], ["exact"]),
    "renamed and edited in the target": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"b": edit(2)}, [{b"a": edit(10)}], ["merged"]
    ),
    "renamed upstream before the patch": Case(
        {b"a": TEXT, b"k": OTHER}, {}, [{b"b": edit(4)}, {b"b": edit(5)}], ["exact", "exact"], between={b"a": None, b"b": TEXT}
    ),
    "renamed upstream before the patch, target edited": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": edit(2)}, [{b"b": edit(10)}], ["merged"], between={b"a": None, b"b": TEXT}
    ),
    "renamed by the series while another file was renamed upstream": Case(
        {b"a": TEXT, b"c": OTHER},
        {},
        [{b"a": None, b"b": TEXT}, {b"b": edit(3)}, {b"d": OTHER + b"x\n"}],
        ["exact"] * 3,
        between={b"c": None, b"d": OTHER},
    ),
    "a file like one that upstream deleted is added": Case(
        {b"a": TEXT, b"c": OTHER},
        {},
        [{b"n": TEXT}, {b"d": OTHER + b"x\n"}],
        ["exact", "exact"],
        between={b"a": None, b"c": None, b"d": OTHER},
    ),
    "deleted by the patch, renamed in the target": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"b": TEXT}, [{b"a": None}], ["conflict"]
    ),
    "renamed by the patch, renamed otherwise in the target": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"b": TEXT}, [{b"a": None, b"c": TEXT}], ["conflict"]
    ),
    "an empty commit between two that change": Case(
        {b"a": TEXT}, {}, [{b"a": edit(2)}, {}, {b"a": edit(3)}], ["exact", "already-present", "exact"]
    ),
    "mode change only": Case({b"a": TEXT}, {}, [{b"a": program(TEXT)}], ["exact"]),
    "mode change only, target edited": Case({b"a": TEXT}, {b"a": edit(3)}, [{b"a": program(TEXT)}], ["merged"]),
    "mode change only, target has it": Case({b"a": TEXT}, {b"a": program(TEXT)}, [{b"a": program(TEXT)}], ["already-present"]),
    "mode and content, target edited": Case({b"a": TEXT}, {b"a": edit(3)}, [{b"a": program(edit(10))}], ["merged"]),
    "content, target changed the mode": Case({b"a": TEXT}, {b"a": program(TEXT)}, [{b"a": edit(10)}], ["exact"]),
    "content, target changed mode and content": Case({b"a": TEXT}, {b"a": program(edit(2))}, [{b"a": edit(10)}], ["merged"]),
    "symlink changed": Case({b"a": TEXT, b"l": link(b"a")}, {}, [{b"l": link(b"b")}], ["exact"]),
    "symlink changed, target has it": Case({b"l": link(b"a")}, {b"l": link(b"b")}, [{b"l": link(b"b")}], ["already-present"]),
    "symlink changed on both sides": Case({b"l": link(b"a")}, {b"l": link(b"c")}, [{b"l": link(b"b")}], ["conflict"]),
    "symlink becomes a file": Case({b"l": link(b"a")}, {}, [{b"l": TEXT}], ["exact"]),
    "file becomes a symlink, target edited it": Case({b"l": TEXT}, {b"l": edit(3)}, [{b"l": link(b"a")}], ["conflict"]),
    "file edited, target has a symlink": Case({b"l": TEXT}, {b"l": link(b"a")}, [{b"l": edit(3)}], ["conflict"]),
    "symlink with no newline and content like a file": Case(
        {b"l": link(TEXT)}, {b"l": TEXT}, [{b"l": link(OTHER)}], ["conflict"]
    ),
    "submodule bump": Case({b"a": TEXT, b"s": submodule(A.decode())}, {}, [{b"s": submodule(B.decode())}], ["exact"]),
    "submodule bump, target is elsewhere": Case(
        {b"a": TEXT, b"s": submodule("a" * 40)}, {b"s": submodule("c" * 40)}, [{b"s": submodule("b" * 40)}], ["conflict"]
    ),
    "submodule added": Case({b"a": TEXT}, {}, [{b"s": submodule("b" * 40)}], ["exact"]),
    "submodule removed": Case({b"a": TEXT, b"s": submodule("a" * 40)}, {}, [{b"s": None}], ["exact"]),
    "binary file, target the same": Case({b"a": b"\0\1" * 50}, {}, [{b"a": b"\0\2" * 50}], ["exact"]),
    "binary file, target differs": Case({b"a": b"\0\1" * 50}, {b"a": b"\0\3" * 50}, [{b"a": b"\0\2" * 50}], ["conflict"]),
    "file becomes a folder": Case({b"a": TEXT, b"k": OTHER}, {}, [{b"a": None, b"a/b": OTHER * 3}], ["exact"]),
    "file is moved into a folder of its own name": Case({b"a": TEXT, b"k": OTHER}, {}, [{b"a": None, b"a/b": TEXT}], ["exact"]),
    "folder becomes a file": Case(
        {b"a/b": TEXT, b"a/c": TEXT, b"k": OTHER}, {}, [{b"a/b": None, b"a/c": None, b"a": OTHER * 3}], ["exact"]
    ),
    "folder becomes a file, target has more in it": Case(
        {b"a/b": TEXT, b"k": OTHER}, {b"a/c": OTHER}, [{b"a/b": None, b"a": OTHER * 3}], ["conflict"]
    ),
    "folder becomes a symlink": Case({b"a/b": TEXT, b"k": OTHER}, {}, [{b"a/b": None, b"a": link(b"k")}], ["exact"]),
    "file edited, target has a folder there": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"a/b": OTHER}, [{b"a": edit(3)}], ["conflict"]
    ),
    "file added where the target has a folder": Case({b"k": OTHER}, {b"a/b": OTHER}, [{b"a": TEXT}], ["conflict"]),
    "file added below what is a file in the target": Case({b"k": OTHER}, {b"a": OTHER}, [{b"a/b": TEXT}], ["conflict"]),
    "file deleted, target has a folder there": Case(
        {b"a": TEXT, b"k": OTHER}, {b"a": None, b"a/b": OTHER}, [{b"a": None}], ["already-present"]
    ),
    "empty file added": Case({b"a": TEXT}, {}, [{b"e": b""}], ["exact"]),
    "empty file filled": Case({b"e": b"", b"k": OTHER}, {}, [{b"e": TEXT}], ["exact"]),
    "empty file filled on both sides": Case({b"e": b"", b"k": OTHER}, {b"e": OTHER}, [{b"e": TEXT}], ["conflict"]),
    "file emptied, target edited": Case({b"e": TEXT, b"k": OTHER}, {b"e": edit(3)}, [{b"e": b""}], ["conflict"]),
    "no newline at end, added by the patch": Case({b"a": TEXT[:-1]}, {b"a": edit(2)[:-1]}, [{b"a": TEXT}], ["merged"]),
    "no newline at end, both change the last line": Case(
        {b"a": TEXT[:-1]}, {b"a": TEXT[:-1] + b"!"}, [{b"a": TEXT[:-1] + b"?"}], ["conflict"]
    ),
    "no newline at end, a long last block in conflict": Case(
        {b"a": numbered(4)[:-1]}, {b"a": b"w\nx\ny\nz"}, [{b"a": b"1\n2\n3\n4\n5"}], ["conflict"]
    ),
    "CRLF file": Case(
        {b"a": TEXT.replace(b"\n", b"\r\n")},
        {b"a": edit(2).replace(b"\n", b"\r\n")},
        [{b"a": edit(9).replace(b"\n", b"\r\n")}],
        ["merged"],
    ),
    "CRLF file becomes LF, target edited": Case(
        {b"a": TEXT.replace(b"\n", b"\r\n")}, {b"a": edit(2).replace(b"\n", b"\r\n")}, [{b"a": TEXT}], ["conflict"]
    ),
    "lone CR": Case({b"a": b"x\ry\n" + TEXT}, {b"a": b"x\rz\n" + TEXT}, [{b"a": b"x\ry\n" + edit(9)}], ["merged"]),
    "lines of seven equals signs and markers": Case(
        {b"a": b"=======\n<<<<<<< HEAD\n" + TEXT + b">>>>>>> x\n||||||| y\n"},
        {b"a": b"=======\n<<<<<<< HEAD\n" + edit(2) + b">>>>>>> x\n||||||| y\n"},
        [{b"a": b"=======\n<<<<<<< HEAD\n" + edit(10) + b">>>>>>> x\n||||||| y\n"}],
        ["merged"],
    ),
    "200 files": Case(
        {b"d%d/f%d" % (i % 7, i): TEXT for i in range(200)},
        {b"d%d/f%d" % (i % 7, i): edit(2) for i in range(0, 200, 2)},
        [{b"d%d/f%d" % (i % 7, i): edit(10) for i in range(200)}],
        ["merged"],
    ),
    "empty commit": Case({b"a": TEXT}, {}, [{}], ["already-present"]),
    "already present by content, other lines differ": Case(
        {b"a": TEXT}, {b"a": edit(10)[:-1] + b"\nmore\n"}, [{b"a": edit(10)}], ["already-present"]
    ),
    "a patch and its revert": Case({b"a": TEXT}, {b"a": edit(2)}, [{b"a": edit(9)}, {b"a": TEXT}], ["merged", "merged"]),
    "the same patch twice": Case({b"a": TEXT}, {}, [{b"a": edit(9)}, {b"a": TEXT}, {b"a": edit(9)}], ["exact"] * 3),
    "file absent in the target": Case({b"a": TEXT}, {}, [{b"n": OTHER + b"x\n"}], ["not-applicable"], between={b"n": OTHER}),
    "one file absent in the target, one not": Case(
        {b"a": TEXT}, {}, [{b"n": OTHER + b"x\n", b"a": edit(3)}], ["conflict"], between={b"n": OTHER}
    ),
    "names that only a folder's slash sorts": Case(
        {b"a-b": TEXT, b"a/x": TEXT, b"a.c": TEXT, b"a0": TEXT}, {}, [{b"a/x": edit(2), b"a=": OTHER}], ["exact"]
    ),
    "a file called as diff-tree calls a pair of trees": Case(
        {A + b" " + B: TEXT, b"z": TEXT}, {}, [{A + b" " + B: edit(2), b"z": edit(2)}], ["exact"]
    ),
    "files called 0 and 1 as in the synthetic merge": Case(
        {b"0": TEXT, b"1": OTHER}, {b"0": edit(2), b"1": OTHER + b"x\n"}, [{b"0": edit(10), b"1": b"x\n" + OTHER}], ["merged"]
    ),
    "CRLF conflict": Case(
        {b"a": TEXT.replace(b"\n", b"\r\n")},
        {b"a": edit(2, b"mine").replace(b"\n", b"\r\n")},
        [{b"a": edit(2, b"theirs").replace(b"\n", b"\r\n")}],
        ["conflict"],
    ),
    "a .gitattributes that names drivers": Case(
        {b".gitattributes": b"* merge=ours\n*.u merge=union\n", b"a": TEXT}, {b"a": edit(2)}, [{b"a": edit(10)}], ["merged"]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_lands_as_cherry_pick_does(repo: Repo, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    _, target, commits = build(repo, case)
    session = compare(repo, commits, target, tmp_path)
    assert session.verdicts == case.verdicts
    _is_sound(session.outcomes[-1].commit or target, tmp_path / "store")


def _is_sound(commit: str, store: Path) -> None:
    """git fsck has nothing to say about what we wrote."""
    Repo(store).git("-c", "fsck.missingSpaceBeforeDate=error", "fsck", "--strict", "--connectivity-only", "--no-dangling", commit)


def test_a_root_commit_is_a_patch_that_adds_everything(repo: Repo, tmp_path: Path) -> None:
    target = repo.commit({b"k": OTHER}, b"target\n")
    root = repo.commit({b"a": TEXT, b"d/b": OTHER}, b"root\n", parents=[])
    assert compare(repo, [root], target, tmp_path).verdicts == ["exact"]


def test_a_root_commit_onto_an_empty_tree(repo: Repo, tmp_path: Path) -> None:
    target = repo.commit({}, b"nothing yet\n")
    root = repo.commit({b"a": TEXT}, b"root\n", parents=[])
    assert compare(repo, [root], target, tmp_path).verdicts == ["exact"]


def test_everything_deleted_leaves_the_empty_tree(repo: Repo, tmp_path: Path) -> None:
    _, target, commits = build(repo, Case({b"a": TEXT, b"d/b": OTHER}, {}, [{b"a": None, b"d/b": None}], []))
    assert compare(repo, commits, target, tmp_path).replayed.tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_a_target_without_common_history(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"a": TEXT, b"k": OTHER}, b"base\n")
    patch = repo.on(base, {b"a": edit(9)})
    target = repo.commit({b"a": edit(2), b"k": OTHER, b"z": OTHER}, b"tarball\n", parents=[])
    assert compare(repo, [patch], target, tmp_path).verdicts == ["merged"]


def test_a_patch_left_out_leaves_nothing_behind(repo: Repo, tmp_path: Path) -> None:
    """Its clean files must not land either, and the next patch is decided without them."""
    case = Case({b"a": TEXT, b"b": TEXT}, {b"a": edit(5, b"mine")}, [{b"a": edit(5), b"b": edit(3)}, {b"b": edit(4, b"y")}], [])
    _, target, commits = build(repo, case)
    session = compare(repo, commits, target, tmp_path)
    assert session.verdicts == ["conflict", "conflict"]
    assert session.replayed.tip == target
    assert session.replayed.tree == repo.text("rev-parse", f"{target}^{{tree}}")


@pytest.mark.parametrize("seed", range(24))
def test_random_histories(repo: Repo, tmp_path: Path, seed: int) -> None:
    """Edits, additions, deletions, modes and links at random, with a target that drifted at random."""
    dice = random.Random(seed)
    names = [b"f%d" % i for i in range(4)] + [b"d/g", b"d/e/h"]
    base = repo.commit({name: b"".join(b"%s %d\n" % (name, i) for i in range(25)) for name in names}, b"base\n")
    target, at = base, base
    for _ in range(dice.randrange(4)):
        target = _random_commit(repo, target, names, dice)
    for _ in range(dice.randrange(3)):
        at = _random_commit(repo, at, names, dice)
    commits = []
    for _ in range(6):
        at = _random_commit(repo, at, names, dice)
        commits.append(at)
    compare(repo, commits, target, tmp_path)


def _random_commit(repo: Repo, parent: str, names: list[bytes], dice: random.Random) -> str:
    files = repo.files[parent]
    changes: dict[bytes, Content | None] = {}
    for name in dice.sample(names, dice.randint(1, 3)):
        action = dice.random()
        if name not in files:
            changes[name] = dice.choice([b"new %s\n" % name, link(b"there")])
        elif action < 0.04:
            changes[name] = None
        elif action < 0.08:
            changes[name] = link(b"elsewhere")
        else:
            changes[name] = _edited(files[name], dice)
    return repo.on(parent, changes, b"random %d\n" % dice.randrange(10**9))


def _edited(content: Content, dice: random.Random) -> Content:
    mode, data = content if isinstance(content, tuple) else (0, content)
    if mode not in (0, EXECUTABLE):
        return mode, data + b"x"
    lines = data.splitlines(keepends=True)
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(len(lines) + 1)
        lines[at : at + dice.randrange(3)] = [b"%d\n" % dice.randrange(6) for _ in range(dice.randrange(3))]
    flip = dice.random() < 0.1
    return (program if flip != (mode == EXECUTABLE) else bytes)(b"".join(lines))


ODD_PATHS: dict[str, bytes] = {
    "space": b"a b/c d",
    "quotes": b"a\"b'c",
    "newline": b"a\nb/c\nd",
    "trailing newline": b"a\n",
    "leading newline": b"\na",
    "only a newline": b"\n",
    "tab": b"a\tb",
    "latin-1": b"caf\xe9/\xff\xfe",
    "utf-8": "Übergröße/ключ".encode(),
    "backslash": b"a\\b\\",
    "leading dash": b"--help",
    "only a dash": b"-",
    "pathspec magic": b":(glob)**",
    "pathspec root": b":/a",
    "exclude": b":!a",
    "wildcards": b"*?[a]",
    "colon and comma": b"1,2:a",
    "revision range": b"a..b",
    "hash and percent": b"#a%s%d",
    "control characters": b"\x01\x1b[31m\x7f",
    "dots": b".../..a/.b./git",
    "at-brace": b"HEAD@{1}^{tree}",
    "leading and trailing space": b" a ",
    "deep": b"/".join([b"d"] * 200) + b"/f",
    "long name": b"n" * 255,
    "long path": b"/".join([b"x" * 200] * 15),
    "hex like an object id": A,
    "raw record": b":100644 100644 " + A,
}


@pytest.mark.parametrize("odd", ODD_PATHS)
def test_odd_path_lands_and_conflicts_as_any_other(repo: Repo, tmp_path: Path, odd: str) -> None:
    """Merged, in conflict (with blame and log -L), absent (with the commit that brought it), added, renamed, deleted."""
    path, plain = ODD_PATHS[odd], b"plain"
    base = repo.commit({path: TEXT, plain: OTHER}, b"base\n")
    target = repo.on(base, {path: edit(2, b"mine")}, b"target\n")
    drift = repo.on(base, {path: edit(2, b"drift")}, b"the drift\n")
    brought = repo.on(drift, {path + b".new": OTHER}, b"brought\n")
    steps: Iterable[dict[bytes, Content | None]] = (
        {path: numbered(12, l2=b"drift", l10=b"ten")},
        {path: numbered(12, l2=b"theirs", l10=b"ten")},
        {path + b".new": OTHER + b"x\n"},
        {path + b".added": TEXT * 2},
        {path + b".added": None, path + b".moved": TEXT * 2},
        {path + b".moved": None},
    )
    commits, at = [], brought
    for changes in steps:
        at = repo.on(at, changes)
        commits.append(at)
    work = Checkout(repo, tmp_path / "work", target) if odd not in ("long name", "long path") else None
    with replayed(repo, commits, target, tmp_path / "store", base) as session:
        assert session.verdicts == ["merged", "conflict", "not-applicable", "exact", "exact", "exact"]
        conflict, absent = session.outcomes[1], session.outcomes[2]
        assert [(c.path, c.rule, c.line, c.ours, c.theirs) for c in conflict.conflicts] == [
            (path, "content", 2, b"mine\n", b"theirs\n")
        ]
        assert [c.commit for c in conflict.causes] == [drift]
        assert [c.commit for c in absent.causes] == [brought]
        if work is not None:
            assert [work.pick(c) for c in commits] == ["landed", "conflict", "conflict", "landed", "landed", "landed"]
            assert session.replayed.tree == work.tree()


@pytest.mark.parametrize("mode", [0o100664, 0o100600])
def test_an_old_mode_that_git_no_longer_writes(repo: Repo, tmp_path: Path, mode: int) -> None:
    """Histories of 2005 have 100664; git reads it as 100644."""
    blob, new = repo.write("blob", TEXT), repo.write("blob", edit(3))
    base = repo.commit(repo.raw_tree([(mode, b"a", blob)]), b"base\n")
    patch = repo.commit(repo.raw_tree([(mode, b"a", new)]), b"patch\n")
    assert compare(repo, [patch], base, tmp_path).verdicts == ["exact"]


def test_twice_gives_the_same_bytes(repo: Repo, tmp_path: Path) -> None:
    _, target, commits = build(repo, CASES["renamed upstream before the patch, target edited"])
    tips = set()
    for name in ("one", "two"):
        with replayed(repo, commits, target, tmp_path / name) as session:
            tips.add((session.replayed.tip, session.outcomes))
    assert len(tips) == 1


def test_a_repository_that_is_packed_and_has_a_commit_graph(repo: Repo, tmp_path: Path) -> None:
    _, target, commits = build(repo, CASES["mode and content, target edited"])
    repo.branch("master", commits[-1])
    repo.branch("target", target)
    repo.git("repack", "-adq")
    repo.git("prune-packed")
    repo.git("commit-graph", "write", "--reachable")
    assert compare(repo, commits, target, tmp_path).verdicts == ["merged"]

"""A dist-git folder as a branch, compared with what rpmbuild -bp makes of the same folder; and the branch back as files."""

from __future__ import annotations

import bz2
import difflib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from backport import distgit
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.package import document
from backport.package.dialects import f12
from backport.package.distgit import obsolete, patcher, sources
from backport.package.distgit.applied import Application, applications
from backport.package.distgit.branch import Imported, Wanted
from backport.package.plan import PatchFile
from tests.gitrepo import environment
from tests.package.examples import needs_rpm, rpm
from tests.package.specs import DATA

Files = dict[str, str]
SIGNER = "Kim Poe <kim@example.org>"


def numbered(first: int, last: int) -> str:
    return "".join(f"line {n}\n" for n in range(first, last + 1))


BASE: Files = {
    "Makefile": "VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n",
    "mm/Kconfig": 'config MMU\n\tbool "MMU"\n',
    "mm/a.c": numbered(1, 30),
    "mm/b.c": numbered(1, 30),
    "mm/gone.c": "int gone;\n",
    "mm/reverted.c": "int newer;\n",
    "script.sh": "#!/bin/sh\n",
}


def diff(old: Mapping[str, str], new: Mapping[str, str], header: str = "") -> bytes:
    """A patch as git writes one."""
    out = [header]
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        out.append(f"diff --git a/{path} b/{path}\n")
        out.append("new file mode 100644\n" if before is None else "deleted file mode 100644\n" if after is None else "")
        names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
        out += difflib.unified_diff((before or "").splitlines(True), (after or "").splitlines(True), *names)
    return "".join(out).encode()


def mail(subject: str, who: str = "Jane Doe <jane@example.org>") -> str:
    lines = ["From " + "1" * 40 + " Mon Sep 17 00:00:00 2001", f"From: {who}", "Date: Tue, 1 Dec 2009 10:00:00 +0200"]
    return "\n".join([*lines, f"Subject: [PATCH] {subject}", "", "Because.", "---", " mm/a.c | 2 +-", "", ""])


def changed(files: Files, path: str, old: str, new: str) -> Files:
    assert old in files[path]
    return files | {path: files[path].replace(old, new, 1)}


def patches() -> dict[str, bytes]:
    """The patches of tests/data/spec-f12, in the order in which it applies them: each depends on the one before."""
    one = changed(BASE, "script.sh", "#!/bin/sh\n", "#!/bin/sh\nexit 0\n")
    two = changed(one, "mm/reverted.c", "newer", "older")
    last = changed(two, "mm/a.c", "line 10\n", "line 10\nlast\n") | {"mm/new.c": "int new;\n"}
    last.pop("mm/gone.c")
    first = changed(last, "mm/a.c", "last\n", "last, then first\n")
    ppc = changed(first, "mm/b.c", "line 5\n", "line 5 on ppc\n")
    # fits with one line of fuzz only: its outermost context is not what the file has
    fuzzy = diff(last, first, mail("First, though applied last")).replace(b" line 8\n", b" line eight\n")
    assert fuzzy.count(b"line eight") == 1
    return {
        "mini-nonintconfig.patch": diff(BASE, one),
        "mini-upstream-reverts.patch": diff(two, one, "reverts\n" * 10),
        "mini-last.patch": diff(one | two, last, mail("Grüße: last", "Zoé =?utf-8?q?=C3=96?= <zoe@example.org>")),
        "mini-first.patch": fuzzy,
        "mini-only-ppc.patch": diff(first, ppc),
    }


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment()).stdout


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A history whose v2.6.31 is BASE."""
    place = tmp_path / "linux"
    place.mkdir()
    lay_out(place, BASE)
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "-c", "user.name=L", "-c", "user.email=l@example.org", "commit", "-q", "-m", "Linux 2.6.31")
    git(place, "tag", "v2.6.31")
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dist"
    shutil.copytree(DATA / "spec-f12", place)
    for name, data in patches().items():
        (place / name).write_bytes(data)
    (place / "config-generic").write_bytes(b"CONFIG_MMU=y\n")
    return place


def lay_out(place: Path, files: Files) -> None:
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
    (place / "script.sh").chmod(0o755)


def tarball(place: Path, where: Path) -> Path:
    lay_out(where / "linux-2.6.31", BASE)
    with tarfile.open(place / "linux-2.6.31.tar.bz2", "w:bz2") as tar:
        tar.add(where / "linux-2.6.31", "linux-2.6.31")
    return place / "linux-2.6.31.tar.bz2"


def take(folder: Path, linux: Path, *, base: str = "v2.6.31", pack: Path | None = None, **wanted: object) -> Imported:
    request = distgit.Import(folder, (str(linux),), base, pack, folder.parent / "d.git", "f12", Wanted(**wanted))  # type: ignore[arg-type]
    return distgit.import_(request, Silent())


def tree_of(repository: Path, revision: str) -> dict[str, tuple[str, str]]:
    rows = (row.split(maxsplit=3) for row in git(repository, "ls-tree", "-r", revision).splitlines())
    return {path: (mode, oid) for mode, _, oid, path in rows}


def prepared(folder: Path, home: Path, *arguments: str) -> dict[str, tuple[str, str]]:
    """What rpmbuild -bp makes of the folder: mode and blob id of each file."""
    home.mkdir()
    places = [part for name in ("_sourcedir", "_specdir") for part in ("--define", f"{name} {folder}")]
    done = rpm("rpmbuild", *places, *arguments, "-bp", "--nodeps", folder / "kernel.spec", home=home)
    assert done.returncode == 0, done.stderr.decode()
    found = {}
    for path in (top := home / "BUILD" / "linux-2.6.31").rglob("*"):
        if path.is_file() and not path.name.startswith("config-") and path.suffix != ".orig":
            data = path.read_bytes()
            oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            found[str(path.relative_to(top))] = ("100755" if os.access(path, os.X_OK) else "100644", oid)
    return found


@needs_rpm
@pytest.mark.parametrize(("cpu", "vanilla"), [("x86_64", False), ("ppc64", False), ("x86_64", True)])
def test_the_branch_is_what_rpmbuild_prepares(cpu: str, vanilla: bool, folder: Path, linux: Path, tmp_path: Path) -> None:
    tarball(folder, tmp_path / "pack")
    made = take(folder, linux, cpu=cpu, defines=(("_with_vanilla", "1"),) if vanilla else ())
    assert not made.failed
    arguments = ["--target", f"{cpu}-linux", *(["--with", "vanilla"] if vanilla else [])]
    assert tree_of(tmp_path / "d.git", "f12") == prepared(folder, tmp_path / "home", *arguments)
    names = ["mini-nonintconfig.patch", "mini-upstream-reverts.patch", "mini-last.patch", "mini-first.patch"]
    expected = names[:1] if vanilla else names + ["mini-only-ppc.patch"] * (cpu == "ppc64")
    assert [landed.how.name for landed in made.landed] == expected


def test_each_commit_says_where_it_comes_from(folder: Path, linux: Path) -> None:
    take(folder, linux)
    said = git(
        folder.parent / "d.git", "log", "--format=%an|%ae|%ai|%s|%(trailers:key=Distgit-Patch,valueonly,separator=%x2C)", "f12"
    )
    assert said.splitlines()[:2] == [
        "Jane Doe|jane@example.org|2009-12-01 10:00:00 +0200|First, though applied last|mini-first.patch",
        "Zoé Ö|zoe@example.org|2009-12-01 10:00:00 +0200|Grüße: last|mini-last.patch",
    ]
    text = git(folder.parent / "d.git", "log", "-1", "--format=%b", "f12")
    line = next(
        n for n, text in enumerate((folder / "kernel.spec").read_text().split("\n"), 1) if text == "ApplyPatch mini-first.patch"
    )
    assert text.startswith("Because.\n\nDistgit-Patch: mini-first.patch\n")
    assert f"Distgit-Line: kernel.spec:{line}\n" in text


def test_equal_folders_give_equal_commits_and_the_clone_is_only_read(folder: Path, linux: Path) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in linux.rglob("*"))
    one = take(folder, linux)
    shutil.rmtree(folder.parent / "d.git")
    assert take(folder, linux) == one
    assert take(folder, linux).tip == one.tip, "a second import into the same repository"
    assert sorted((path, path.stat().st_mtime_ns) for path in linux.rglob("*")) == before


def test_a_tarball_is_a_base_as_well(folder: Path, linux: Path, tmp_path: Path) -> None:
    pack = tarball(folder, tmp_path / "pack")
    digits = hashlib.md5(pack.read_bytes()).hexdigest()
    (folder / "sources").write_text(f"{digits}  {pack.name}\n")
    made = take(folder, linux, base="", pack=pack)
    assert not made.failed
    whole = tree_of(tmp_path / "d.git", "f12")
    shutil.rmtree(tmp_path / "d.git")
    take(folder, linux)
    assert tree_of(tmp_path / "d.git", "f12") == whole
    (folder / "sources").write_text(f"{digits[::-1]}  {pack.name}\n")
    with pytest.raises(InputError, match="its md5 is not the one in `sources`"):
        take(folder, linux, base="", pack=pack)


def test_a_stable_patch_may_be_compressed(folder: Path, linux: Path) -> None:
    name = "mini-nonintconfig.patch"
    (folder / f"{name}.bz2").write_bytes(bz2.compress((folder / name).read_bytes()))
    (folder / name).unlink()
    spec = folder / "kernel.spec"
    spec.write_text(spec.read_text().replace(name, f"{name}.bz2"))
    assert not take(folder, linux).failed
    (folder / f"{name}.bz2").write_bytes(b"BZh9 no")
    assert "damaged" in take(folder, linux).failed[0].why


@pytest.mark.parametrize("present", [False, True])
def test_the_stable_patch_of_the_base_is_left_out(present: bool, folder: Path, linux: Path) -> None:
    """Fedora 12 at 2.6.32.26 declares patch-2.6.32.26.bz2, which only the look-aside cache has; a history has the release."""
    makefile = "VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION = .6\n"
    (linux / "Makefile").write_text(makefile)
    git(linux, "add", "-A")
    git(linux, "-c", "user.name=L", "-c", "user.email=l@example.org", "commit", "-q", "-m", "Linux 2.6.31.6")
    git(linux, "tag", "v2.6.31.6")
    spec = folder / "kernel.spec"
    spec.write_text(spec.read_text().replace("mini-nonintconfig.patch", "patch-2.6.31.6.bz2"))
    if present:
        (folder / "patch-2.6.31.6.bz2").write_bytes(bz2.compress(b"not looked at"))
    made = take(folder, linux, base="v2.6.31.6")
    assert [(skipped.how.name, skipped.why) for skipped in made.skipped] == [
        ("patch-2.6.31.6.bz2", "the base is 2.6.31.6 already")
    ]
    assert not made.failed
    failed = take(folder, linux).failed
    assert [one.how.name for one in failed[:1]] == ["patch-2.6.31.6.bz2"], "v2.6.31 is not 2.6.31.6"


def test_a_second_import_leaves_the_first_readable(folder: Path, linux: Path, tmp_path: Path) -> None:
    """The second one's clone took the place of the first one's, whose branch then lacked blobs: `unable to read blob object`."""
    first = take(folder, linux)
    other = tmp_path / "other"
    shutil.copytree(linux, other)
    git(other, "-c", "user.name=L", "-c", "user.email=l@example.org", "commit", "-q", "--allow-empty", "-m", "Linux, again")
    request = distgit.Import(folder, (str(other),), "HEAD", None, tmp_path / "d.git", "second", Wanted())
    distgit.import_(request, Silent())
    shutil.rmtree(other)
    assert git(tmp_path / "d.git", "rev-list", "--objects", first.tip)


def test_what_does_not_apply_is_named_with_its_line(folder: Path, linux: Path) -> None:
    (folder / "mini-nonintconfig.patch").unlink()
    (folder / "sources").write_text("0123456789abcdef0123456789abcdef  mini-nonintconfig.patch\n")
    fuzzier = (folder / "mini-first.patch").read_bytes().replace(b" line 9\n", b" line nine\n")
    (folder / "mini-first.patch").write_bytes(fuzzier)
    made = take(folder, linux)
    assert [failed.how.name for failed in made.failed] == ["mini-nonintconfig.patch", "mini-first.patch"]
    assert "not in the folder; `sources` lists it, md5 0123" in made.failed[0].why
    assert made.failed[1].why.startswith("patch -p1 -F1: ")
    assert "FAILED" in made.failed[1].why
    assert [landed.how.name for landed in made.landed] == ["mini-upstream-reverts.patch", "mini-last.patch"]


def test_a_patch_can_be_left_out(folder: Path, linux: Path) -> None:
    made = take(folder, linux, skip=("mini-nonintconfig.patch",))
    assert [skipped.how.name for skipped in made.skipped] == ["mini-nonintconfig.patch"]
    with pytest.raises(InputError, match=r"does not apply other\.patch"):
        take(folder, linux, skip=("other.patch",))


def test_an_optional_patch_of_nine_lines_is_empty(folder: Path, linux: Path) -> None:
    (folder / "mini-upstream-reverts.patch").write_bytes(b"x\n" * 9)
    assert [skipped.why for skipped in take(folder, linux).skipped] == ["nine lines or fewer"]


@pytest.mark.parametrize(
    "data",
    [
        b"--- a/../../evil\n+++ b/../../evil\n@@ -0,0 +1 @@\n+x\n",
        b"--- /dev/null\n+++ b/x/../../evil\n@@ -0,0 +1 @@\n+x\n",
        b"diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n",
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
        b"not a patch\n" * 20,
    ],
)
def test_hostile_patches_stay_in_their_tree(data: bytes, folder: Path, linux: Path) -> None:
    (folder / "mini-nonintconfig.patch").write_bytes(data)
    made = take(folder, linux)
    assert made.failed[0].how.name == "mini-nonintconfig.patch"
    assert not list(folder.parent.rglob("evil"))


def test_the_repository_must_be_ours(folder: Path, linux: Path) -> None:
    (folder.parent / "d.git").mkdir()
    (folder.parent / "d.git" / "theirs").touch()
    with pytest.raises(InputError, match="no repository of ours"):
        take(folder, linux)
    shutil.rmtree(folder.parent / "d.git")
    with pytest.raises(InputError, match="is not said"):
        take(folder, linux, base="")


def new_commit(repository: Path, tip: str, work: Path, message: str, **files: str) -> str:
    """A commit of somebody on top of the branch."""
    git(repository.parent, "clone", "-q", "-b", tip, str(repository), str(work))
    for name, text in files.items():
        path = work / name.replace("__", "/").replace("_", ".", 1)
        path.write_text(path.read_text() + text if path.exists() else text)
    git(work, "add", "-A")
    git(work, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-m", message)
    git(work, "push", "-q", "origin", f"HEAD:refs/heads/{tip}-new")
    return f"{tip}-new"


def put_back(folder: Path, branch: str, series: str = "ksm") -> distgit.Written:
    request = distgit.Export(folder, folder.parent / "d.git", branch, series, None, SIGNER)
    made = distgit.export_(request, folder.parent / "scratch.git")
    shutil.rmtree(folder.parent / "scratch.git")
    return made


@needs_rpm
def test_new_commits_come_back_as_a_series_that_the_spec_applies(folder: Path, linux: Path, tmp_path: Path) -> None:
    take(folder, linux)
    branch = new_commit(tmp_path / "d.git", "f12", tmp_path / "work", "mm: one more", mm__a_c="one more\n")
    made = put_back(folder, branch)
    assert made.edited is not None
    assert [name for name in made.edited.files if name.endswith(".patch")] == ["0001-mm-one-more.patch"]
    distgit.write(made, folder)
    tarball(folder, tmp_path / "pack")
    assert tree_of(tmp_path / "d.git", branch) == prepared(folder, tmp_path / "home", "--target", "x86_64-linux")
    again = put_back(folder, branch)
    assert again.edited is not None
    assert not again.edited.changed
    assert not again.edited.files


def test_an_untouched_branch_changes_nothing(folder: Path, linux: Path) -> None:
    take(folder, linux)
    assert put_back(folder, "f12") == distgit.Written(None, (), (), ())


def test_a_commit_that_changed_is_written_to_its_file(folder: Path, linux: Path, tmp_path: Path) -> None:
    take(folder, linux)
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", "-b", "f12", str(tmp_path / "d.git"), str(work))
    (work / "mm" / "a.c").write_text((work / "mm" / "a.c").read_text().replace("last, then first", "last, then better"))
    git(work, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-a", "--amend", "--no-edit")
    git(work, "push", "-q", "origin", "HEAD:refs/heads/better")
    made = put_back(folder, "better", "")
    assert [file.name for file in made.changed] == ["mini-first.patch"]
    assert b"+last, then better\n" in made.changed[0].data
    assert made.edited is None
    distgit.write(made, folder)
    take(folder, linux)
    assert tree_of(tmp_path / "d.git", "f12") == tree_of(tmp_path / "d.git", "better")
    git(work, "reset", "-q", "--hard", "HEAD^")
    git(work, "push", "-q", "-f", "origin", "HEAD:refs/heads/fewer")
    assert put_back(folder, "fewer", "").gone == ("mini-first.patch",)


def test_commits_in_another_order_than_the_specs_are_refused(folder: Path, linux: Path, tmp_path: Path) -> None:
    """mini-first builds upon mini-last: with the new commit between them, the files would no longer make the branch."""
    take(folder, linux)
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", "-b", "f12", str(tmp_path / "d.git"), str(work))
    git(work, "reset", "-q", "--hard", "HEAD^")
    (work / "mm" / "a.c").write_text((work / "mm" / "a.c").read_text().replace("line 9\n", "line nine\n"))
    git(work, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-a", "-m", "between")
    changed = (work / "mm" / "a.c").read_text().replace("last\n", "last, then first\n")
    (work / "mm" / "a.c").write_text(changed)
    message = "First\n\nDistgit-Patch: mini-first.patch\n"
    git(work, "-c", "user.name=K", "-c", "user.email=k@example.org", "commit", "-q", "-a", "-m", message)
    git(work, "push", "-q", "origin", "HEAD:refs/heads/mixed")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match=r"would apply it|another tree"):
        put_back(folder, "mixed")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_new_commits_need_a_name(folder: Path, linux: Path, tmp_path: Path) -> None:
    take(folder, linux)
    branch = new_commit(tmp_path / "d.git", "f12", tmp_path / "work", "mm: one more", mm__a_c="one more\n")
    with pytest.raises(InputError, match=r"in no patch file yet: 0001-mm-one-more\.patch"):
        put_back(folder, branch, "")


def test_a_patch_that_the_series_brings_itself_is_obsolete() -> None:
    theirs = diff(BASE, changed(BASE, "mm/a.c", "line 3\nline 4\nline 5\n", "a\nb\nc\n"))
    half = diff(BASE, changed(BASE, "mm/a.c", "line 3\nline 4\nline 5\n", "a\nb\nother\n"))
    elsewhere = diff(BASE, changed(BASE, "mm/b.c", "line 3\nline 4\nline 5\n", "a\nb\nc\n"))
    files = [PatchFile("same.patch", theirs), PatchFile("half.patch", half), PatchFile("elsewhere.patch", elsewhere)]
    found = obsolete.covered(files, [PatchFile("ours.patch", theirs)])
    assert [(c.name, c.same, c.lines, c.obsolete) for c in found] == [("same.patch", 6, 6, True), ("half.patch", 5, 6, False)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("d41d8cd98f00b204e9800998ecf8427e  a.tar.bz2\n", {"a.tar.bz2": ("md5", "d41d8cd98f00b204e9800998ecf8427e")}),
        ("SHA512 (a.tar.xz) = 00ff\n\n", {"a.tar.xz": ("sha512", "00ff")}),
        ("", {}),
    ],
)
def test_both_forms_of_sources(text: str, found: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "sources").write_text(text)
    assert sources.read(tmp_path) == found


def test_a_sources_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "sources").write_text("good\n")
    with pytest.raises(InputError) as caught:
        sources.read(tmp_path)
    assert caught.value.where == f"{tmp_path / 'sources'}:1"


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("ApplyPatch a.patch", Application("a.patch", 0, 1, 1)),
        ("ApplyOptionalPatch a.patch -R", Application("a.patch", 0, 1, 1, reverse=True, optional=True)),
        ("ApplyPatch a.patch -p0 -F3", Application("a.patch", 0, 0, 3)),
        ("%patch03 -p1", Application("mini-nonintconfig.patch", 0, 1, 0)),
        ("%patch -P 3 -p1 -b .orig", Application("mini-nonintconfig.patch", 0, 1, 0)),
        ("%patch -P3 -p2 -R", Application("mini-nonintconfig.patch", 0, 2, 0, reverse=True)),
        ("%patch 3 -p1", Application("mini-nonintconfig.patch", 0, 1, 0)),
    ],
)
def test_every_way_to_apply_a_patch_is_read(line: str, how: Application) -> None:
    from dataclasses import replace

    data = (DATA / "spec-f12" / "kernel.spec").read_text().replace("ApplyPatch mini-nonintconfig.patch", line)
    read = document.parse(data.encode())
    first = applications(read, "x86_64", f12.presets(read))[0]
    assert replace(first, line=0) == how


@pytest.mark.parametrize(
    "line", ["ApplyPatch %(ls).patch", "ApplyPatch a.patch --binary", "%patch -P 77 -p1", "ApplyPatch a.patch 'x"]
)
def test_an_application_that_cannot_be_understood_is_quoted(line: str) -> None:
    data = (DATA / "spec-f12" / "kernel.spec").read_text().replace("ApplyPatch mini-nonintconfig.patch", line)
    read = document.parse(data.encode())
    with pytest.raises(InputError, match=r"kernel\.spec:\d+"):
        applications(read, "x86_64", f12.presets(read))


def test_a_bomb_does_not_go_off() -> None:
    with pytest.raises(InputError, match="unpacks to more"):
        patcher.unpacked("x.bz2", bz2.compress(bytes(patcher._LARGEST + 1)))


@needs_rpm
def test_the_commands_do_the_whole_way(folder: Path, linux: Path, tmp_path: Path) -> None:
    """The folder as a target of a run of the sample's kind: import, a commit, export, with the exit statuses."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "backport", "distgit", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={**environment(), "HOME": str(tmp_path)})

    store = ["--into", tmp_path / "d.git"]
    done = run("import", folder, "--kernel", linux, "--base", "v2.6.31", *store, "--branch", "f12")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 patches applied" in done.stdout
    branch = new_commit(tmp_path / "d.git", "f12", tmp_path / "work", "mm: one more", mm__a_c="one more\n")
    arguments = ["export", folder, *store, "--branch", branch, "--series", "mine", "--packager", SIGNER]
    before = sorted(path.name for path in folder.iterdir())
    done = run(*arguments)
    assert (done.returncode, "+ApplyPatch 0001-mm-one-more.patch\n" in done.stdout) == (0, True), done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before
    assert run(*arguments, "--in-place").returncode == 0
    assert (folder / "0001-mm-one-more.patch").is_file()
    (folder / "mini-last.patch").unlink()
    done = run("import", folder, "--kernel", linux, "--base", "v2.6.31", *store, "--branch", "other")
    assert done.returncode == 1
    assert "mini-last.patch: the file is not in the folder" in done.stdout

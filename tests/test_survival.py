"""Whether a requested symbol survives, asked of a made-up kernel before a spec is edited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.package.change import Change
from backport.package.distgit.applied import Application
from backport.package.flavours import Flavour
from backport.survival import Question, Survived, WrongTreeError, survive
from tests.gitrepo import Repo
from tests.package.specs import TWO, change, contents, folder

TREE = {
    b"Makefile": b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\n",
    b"arch/x86/Kconfig": b'config 64BIT\n\tbool "64"\n\tdefault y\n\nconfig X86_32\n\tdef_bool !64BIT\n\nsource "mm/Kconfig"\n',
    b"arch/ia64/Kconfig": b'source "mm/Kconfig"\n',
    b"mm/Kconfig": b'config OLD\n\tbool "Old"\n',
}
FLAVOURS = (Flavour("x86_64", b"CONFIG_OLD=y\n"), Flavour("x86_64-debug", b"CONFIG_OLD=y\n"), Flavour("ia64", b""))


@pytest.fixture
def tree(repo: Repo) -> str:
    commit = repo.commit(dict(TREE), b"release\n")
    repo.branch("master", commit)
    return commit


def ask(repo: Repo, what: Change, flavours: tuple[Flavour, ...] = FLAVOURS, onto: str = "master") -> Survived:
    how = Application("", 0, 1, 1)
    return survive(Question(what, how, flavours, (str(repo.path),), onto), Silent())


def test_a_symbol_that_survives_on_every_kernel(repo: Repo, tree: str) -> None:
    flavours = tuple(Flavour(one.name, b"CONFIG_OLD=y\n") for one in FLAVOURS)
    found = ask(repo, change(patches=TWO[:1]), flavours)
    assert found.asked == ("KSM",)
    assert found.facts == ("CONFIG_KSM=y survives on master with the patches (3 kernels of the folder)",)


def test_a_kernel_whose_config_lacks_the_dependency_is_named(repo: Repo, tree: str) -> None:
    (fact,) = ask(repo, change(patches=TWO[:1])).facts
    assert fact == "CONFIG_KSM=y does not survive everywhere: ia64: OLD"


def test_a_dependency_that_is_met_nowhere_is_an_error_that_names_it(repo: Repo, tree: str) -> None:
    data = TWO[0].data.replace(b"depends on OLD", b"depends on NEWER")
    with pytest.raises(InputError, match=r"CONFIG_KSM=y does not survive: .*NEWER is not defined"):
        ask(repo, change(patches=(type(TWO[0])("a.patch", data),)))


@pytest.mark.parametrize(("symbol", "value", "said"), [("NOSUCH", "y", "no such symbol"), ("KSM", "m", "it is a bool")])
def test_what_kconf_would_drop_without_a_word(symbol: str, value: str, said: str, repo: Repo, tree: str) -> None:
    with pytest.raises(InputError, match=f"CONFIG_{symbol}={value} does not survive: .*{said}"):
        ask(repo, change(patches=TWO[:1], config=(ConfigValue(symbol, value),)))


def test_without_flavours_the_defconfigs_are_asked(repo: Repo, tree: str) -> None:
    (fact,) = ask(repo, change(patches=TWO[:1]), ()).facts
    assert "x86_64, i386, ia64: OLD" in fact


def test_patches_for_another_tree(repo: Repo, tree: str) -> None:
    with pytest.raises(WrongTreeError, match=r"linux-2.6-ksm.patch does not apply to master: patch -p1 -F1"):
        ask(repo, change(patches=(type(TWO[0])("linux-2.6-ksm.patch", TWO[0].data.replace(b'"Old"', b'"Ancient"')),)))
    with pytest.raises(WrongTreeError, match="no clone has the revision 'v9'"):
        ask(repo, change(patches=TWO[:1]), onto="v9")


def test_the_command_writes_nothing_where_it_does_not_survive(repo: Repo, tree: str, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    patches = tmp_path / "patches"
    patches.mkdir()
    (patches / TWO[0].name).write_bytes(TWO[0].data)
    before = contents(spec.parent)
    command = [sys.executable, "-m", "backport", "spec", "edit", str(spec), "--series", "mine", "--patches", str(patches)]
    command += ["--packager", "Kim Poe <kim@example.org>", "--kernel", str(repo.path), "--onto", "master", "--in-place"]
    done = subprocess.run([*command, "--config", "KSM=m"], capture_output=True, text=True, check=False)
    assert (done.returncode, "CONFIG_KSM=m does not survive" in done.stderr) == (2, True), done.stderr
    assert contents(spec.parent) == before
    done = subprocess.run([*command, "--config", "KSM=y"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CONFIG_KSM=y does not survive everywhere" in done.stdout


def test_a_tree_that_nobody_named_and_that_does_not_fit_is_only_said(repo: Repo, tree: str, tmp_path: Path) -> None:
    import json
    import os

    spec = folder("f12", tmp_path)
    run = tmp_path / "build"
    (run / "patches").mkdir(parents=True)
    (run / "patches" / TWO[0].name).write_bytes(TWO[0].data.replace(b'"Old"', b'"Ancient"'))
    (run / "report.json").write_text(json.dumps({"onto_commit": tree}))
    words = ["spec", "edit", str(spec), "--series", "mine", "--patches", str(run / "patches"), "--config", "KSM=y"]
    command = [sys.executable, "-m", "backport", *words, "--packager", "Kim Poe <kim@example.org>"]
    environment = os.environ | {"BACKPORT_KERNEL": str(repo.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "not checked: whether CONFIG_KSM survives; linux-2.6-ksm.patch does not apply" in " ".join(done.stderr.split())

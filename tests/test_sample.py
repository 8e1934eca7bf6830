"""The embedded sample is what its README says: real git, real make and gcc, no part of the replay engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from backport.ingest.definition import load
from backport.model.errors import InputError
from backport.sample import build

FOLDER = Path(__file__).parents[1] / "patches" / "sample"
SERIES = load(FOLDER / "series.toml")
SUBJECTS = {commit.subject.removeprefix("page merging: "): commit.commit for commit in SERIES.commits}

EXACT = (
    "first tidy up madvise_vma()",
    "define MADV_MERGEABLE and MADV_UNMERGEABLE",
    "pages with equal content become one",
    "a switch and four numbers in sysfs",
    "add some documentation",
)
MERGED = ("the mm interface", "self tests")
LANDS = (*EXACT[:2], MERGED[0], *EXACT[2:4], MERGED[1], EXACT[4])  # in the order of the series
ALREADY = "dup_mm() must not leave half a child behind"
LIE = "reclaim merged pages of zeroes"
CONFLICT = "show in meminfo what it saves"
ABSENT = "a merged page cannot be moved"

needs_make = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("make", "gcc", "awk", "nm")),
    reason="needs make, gcc, awk and nm to build the mini kernel",
)


@dataclass(frozen=True)
class Checkout:
    """A work tree with a clean environment around git and make."""

    folder: Path

    def git(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run git here; fails on a status that is not in `ok`."""
        return self._run(["git", "-c", "user.name=T", "-c", "user.email=t@t.example", *arguments], ok)

    def make(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run make here."""
        return self._run(["make", "ARCH=x86_64", *arguments], ok)

    def configure(self, *lines: str) -> list[str]:
        """`make oldconfig` with these lines in .config; what .config says then."""
        (self.folder / ".config").write_text("".join(f"{line}\n" for line in lines))
        self.make("oldconfig")
        return (self.folder / ".config").read_text().splitlines()

    def boot(self) -> str:
        """Build everything with PAGE_MERGE=y where there is such a thing, and run it: what it prints."""
        self.configure('CONFIG_DEFAULT_HOSTNAME="test"', "CONFIG_PAGE_MERGE=y")
        self.make("-j2", "all")
        return self.run().stdout

    def run(self, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run what was built."""
        return self._run(["./vmlinux"], ok)

    def pick(self, subject: str, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """`git cherry-pick` of a commit of the series."""
        return self.git("cherry-pick", SUBJECTS[subject], ok=ok)

    def lines(self, *arguments: str) -> list[str]:
        """What git prints, in lines."""
        return self.git(*arguments).stdout.splitlines()

    def _run(self, command: list[str], ok: tuple[int, ...]) -> subprocess.CompletedProcess[str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE", "LC_", "LANG"))}
        environment = keep | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in ok, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(FOLDER, tmp_path_factory.mktemp("sample") / "sample.git")


@pytest.fixture
def target(repository: Path, tmp_path: Path) -> Checkout:
    """A work tree of the target."""
    subprocess.run(
        ["git", "clone", "-q", "-b", "target", str(repository), str(tmp_path / "mini")], check=True, capture_output=True
    )
    return Checkout(tmp_path / "mini")


@pytest.fixture
def landed(target: Checkout) -> Checkout:
    """The target with every patch that lands."""
    for subject in LANDS:
        target.pick(subject)
    return target


def test_series_names_what_the_repository_has(target: Checkout) -> None:
    upstream = dict(line.split(" ", 1) for line in target.lines("log", "--reverse", "--format=%H %s", SERIES.range))
    listed = [(c.commit, c.subject) for c in SERIES.commits]
    assert listed == [(i, s) for i, s in upstream.items() if s.startswith("page merging") and i != SERIES.drops[0].commit]
    assert all(upstream[drop.commit] == drop.subject and drop.reason for drop in SERIES.drops)
    assert set(SUBJECTS) == {*LANDS, ALREADY, LIE, CONFLICT, ABSENT}
    assert target.lines("describe", "--exact-match", "target", "origin/master") == [SERIES.onto, "v2.6.32"]


def test_build_is_deterministic(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "init.defaultObjectFormat")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "sha256")
    before = os.umask(0o077)
    try:
        again = build(FOLDER, tmp_path / "deep" / "again.git")
    finally:
        os.umask(before)
    monkeypatch.undo()
    references = [Checkout(folder).lines("for-each-ref", "--format=%(objectname) %(refname)") for folder in (repository, again)]
    assert references[0] == references[1]
    assert [line.split("/", 1)[1] for line in references[0]] == [
        *("heads/master", "heads/target", "tags/v2.6.31", "tags/v2.6.31.1", "tags/v2.6.32")
    ]
    assert [path.name for path in again.parent.iterdir()] == ["again.git"]


def test_build_refuses_what_is_not_the_sample(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="overwrite"):
        build(FOLDER, tmp_path)
    changed = tmp_path / "changed"
    shutil.copytree(FOLDER, changed)
    (changed / "tree" / "leftover.o").write_text("not ours\n")
    with pytest.raises(InputError, match="the mail says") as caught:
        build(changed, tmp_path / "a.git")
    assert "0001-" in caught.value.where
    (changed / "tree" / "mm" / "madvise.c").write_text("int nothing;\n")
    with pytest.raises(InputError, match=r"does not apply to mm/madvise\.c"):
        build(changed, tmp_path / "b.git")
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]


def test_stable_commits_say_where_they_come_from(target: Checkout) -> None:
    said = [line.split()[1] for line in target.lines("log", "--format=%b", "v2.6.31..target") if line.endswith(" upstream.")]
    upstream = set(target.lines("rev-list", SERIES.range))
    assert len(said) == 2
    assert set(said) <= upstream
    assert SUBJECTS[ALREADY] in said


@pytest.mark.parametrize("subject", SUBJECTS)
def test_files_are_those_of_the_base_only_where_claimed(target: Checkout, subject: str) -> None:
    commit = SUBJECTS[subject]
    for before in LANDS[: LANDS.index(subject)] if subject in LANDS else ():
        target.pick(before)
    paths = target.lines("diff", "--name-only", f"{commit}^", commit)
    differ = target.lines("diff", "--name-only", f"{commit}^", "HEAD", "--", *paths)
    assert (not differ) == (subject in EXACT)
    if subject in MERGED:
        landed_already = {"the mm interface": ["include/linux/mm.h", "mm/memory.c"], "self tests": ["mm/Makefile"]}
        assert differ == landed_already[subject]


@needs_make
@pytest.mark.parametrize(
    ("revision", "version", "tests"), [("target", "2.6.31.1", 5), ("v2.6.31", "2.6.31", 5), ("v2.6.32", "2.6.32", 9)]
)
def test_releases_build_and_pass(target: Checkout, revision: str, version: str, tests: int) -> None:
    target.git("checkout", "-q", "--detach", revision)
    said = target.boot()
    assert said.startswith(f"Mini version {version} (test)\n")
    assert said.endswith(f"RESULT: ok, {tests} self tests\n")
    assert target.make("-s", "kernelrelease").stdout == f"{version}\n"
    assert (target.folder / "arch/x86/boot/bzImage").read_bytes() == (target.folder / "vmlinux").read_bytes()
    assert target.lines("status", "--porcelain") == []


@needs_make
def test_every_upstream_commit_builds(target: Checkout) -> None:
    for commit in target.lines("rev-list", "--reverse", SERIES.range):
        target.git("checkout", "-q", "--detach", commit)
        assert "RESULT: ok" in target.boot(), commit


@needs_make
def test_what_lands_builds_and_merges_pages(landed: Checkout) -> None:
    said = landed.boot()
    assert "selftest: equal_pages_merge: ok\n" in said
    assert "selftest: a_write_makes_a_copy: ok\n" in said
    assert said.endswith("RESULT: ok, 9 self tests\n")
    assert landed.configure("# CONFIG_PAGE_MERGE is not set")
    landed.make("-j2", "all")
    assert landed.run().stdout.endswith("RESULT: ok, 5 self tests\n")


@needs_make
def test_self_test_notices_a_merge_of_unequal_pages(landed: Checkout) -> None:
    for path, right, wrong in (
        ("mm/merge.c", "(page_address(a), page_address(b), PAGE_SIZE)", "(page_address(a), page_address(b), 1)"),
        ("mm/memory.c", "if (page_count(old) == 1 && !page_merged(old)) {", "if (page_count(old) == 1 || page_merged(old)) {"),
    ):
        file = landed.folder / path
        good = file.read_text()
        assert right in good
        file.write_text(good.replace(right, wrong))
        landed.configure("CONFIG_PAGE_MERGE=y")
        landed.make("-j2", "vmlinux")
        assert "RESULT: FAILED" in landed.run(ok=(1,)).stdout
        file.write_text(good)


def test_conflict_is_one_region_and_one_prerequisite_resolves_it(landed: Checkout) -> None:
    done = landed.pick(CONFLICT, ok=(1,))
    assert "CONFLICT (content): Merge conflict in kernel/meminfo.c" in done.stdout
    assert (landed.folder / "kernel/meminfo.c").read_text().count("<<<<<<<") == 1
    landed.git("cherry-pick", "--abort")

    before = landed.lines("log", "--format=%H %s", f"v2.6.31..{SUBJECTS[CONFLICT]}^", "--", "kernel/meminfo.c")
    assert [line.split(" ", 1)[1] for line in before] == ["meminfo: one table instead of one format"]
    landed.git("cherry-pick", before[0].split()[0])
    landed.pick(CONFLICT)


@needs_make
def test_lie_merges_cleanly_and_does_not_compile(landed: Checkout) -> None:
    assert landed.git("grep", "-l", "trylock_page", ok=(1,)).stdout == ""
    landed.pick(LIE)
    assert landed.lines("diff", "--name-only", "HEAD^") == ["mm/vmscan.c"]
    landed.configure("CONFIG_PAGE_MERGE=y")
    done = landed.make("vmlinux", ok=(2,))
    assert "implicit declaration of function 'trylock_page'" in done.stderr

    landed.git("reset", "-q", "--hard", "HEAD^")
    origin = landed.lines("log", "--reverse", "--format=%H", "-Strylock_page(", SERIES.range)[0]
    assert landed.lines("log", "-1", "--format=%s", origin) == ["mm: test_set_page_locked() becomes trylock_page()"]
    landed.git("cherry-pick", origin)
    landed.pick(LIE)
    assert "RESULT: ok, 9 self tests" in landed.boot()


def test_not_applicable_touches_only_what_upstream_brought(landed: Checkout) -> None:
    commit = SUBJECTS[ABSENT]
    assert landed.lines("diff", "--name-only", f"{commit}^", commit) == ["mm/offline.c"]
    assert landed.lines("ls-files", "mm/offline.c") == []
    done = landed.pick(ABSENT, ok=(1,))
    assert "CONFLICT (modify/delete): mm/offline.c" in done.stdout
    brought = landed.lines("log", "--diff-filter=A", "--format=%s", SERIES.range, "--", "mm/offline.c")
    assert brought == ["mm: take failing page frames out of use"]


def test_already_present_changes_nothing(target: Checkout) -> None:
    commit = SUBJECTS[ALREADY]
    done = target.pick(ALREADY, ok=(1,))
    assert "The previous cherry-pick is now empty" in done.stderr
    assert target.lines("diff", "--name-only", f"{commit}^", commit) == ["kernel/fork.c"]
    assert target.lines("diff", commit, "HEAD", "--", "kernel/fork.c") == []


@needs_make
def test_oldconfig_keeps_drops_and_completes(landed: Checkout) -> None:
    config = landed.configure(
        "CONFIG_UNHEARD_OF=y",
        "# CONFIG_64BIT is not set",
        "CONFIG_NR_FRAMES=64",
        "CONFIG_PAGE_MERGE=y",
        "# CONFIG_PRINTK is not set",
    )
    assert not [line for line in config if "UNHEARD_OF" in line]
    assert {"# CONFIG_64BIT is not set", "CONFIG_NR_FRAMES=64", "CONFIG_PAGE_MERGE=y"} <= set(config)
    assert {"CONFIG_MMU=y", "CONFIG_SELFTEST=y", "CONFIG_HASH=y", 'CONFIG_DEFAULT_HOSTNAME="(none)"'} <= set(config)
    assert not [line for line in config if "PRINTK_DEBUG" in line]  # its dependency is not met
    assert landed.configure(*config) == config

    config = landed.configure("CONFIG_PRINTK_DEBUG=y", "CONFIG_HASH=y", "CONFIG_NR_FRAMES=many", "CONFIG_SELFTEST=m")
    assert {"CONFIG_PRINTK_DEBUG=y", "CONFIG_NR_FRAMES=128", "CONFIG_SELFTEST=y", "# CONFIG_PAGE_MERGE is not set"} <= set(config)
    assert not [line for line in config if "HASH" in line]  # nobody selects it, and it has no prompt


@needs_make
def test_oldconfig_drops_the_feature_where_there_is_none(target: Checkout) -> None:
    before = target.configure()
    assert target.configure("CONFIG_PAGE_MERGE=y") == before


@needs_make
def test_make_as_a_spec_calls_it(target: Checkout, tmp_path: Path) -> None:
    makefile = target.folder / "Makefile"
    head = makefile.read_text().splitlines()[:4]
    assert head == ["VERSION = 2", "PATCHLEVEL = 6", "SUBLEVEL = 31", "EXTRAVERSION = .1"]
    makefile.write_text(makefile.read_text().replace("EXTRAVERSION = .1", "EXTRAVERSION = .1-7.fc12"))
    target.make("mrproper")
    target.make("defconfig")
    target.make("-j2", "bzImage")
    target.make("modules")
    target.make("modules_install", f"INSTALL_MOD_PATH={tmp_path / 'root'}")
    assert (tmp_path / "root/lib/modules/2.6.31.1-7.fc12").is_dir()
    assert (target.folder / "System.map").read_text()
    for missing in ("oldnoconfig", "olddefconfig", "nonint_oldconfig"):
        assert "No rule to make target" in target.make(missing, ok=(2,)).stderr
    target.make("mrproper")
    target.make(f"O={tmp_path / 'out'}", "-j2", "mm/memory.o", "vmlinux")
    assert target.lines("status", "--porcelain", "--ignored") == [" M Makefile"]
    assert (tmp_path / "out/vmlinux").is_file()

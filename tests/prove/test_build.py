"""`backport prove build`, with the sample's kernel: what each patch brought, what was there before, and what is not built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.catalog import data_folder
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.progress import Silent
from backport.model.proof import Outcome
from backport.model.series import Entry
from backport.prove import profile, results, toolchain
from backport.prove.bench import Bench, open_bench
from backport.prove.build import Built, Chain, Setup, Step, build
from backport.prove.config import Recipe, parse

pytestmark = pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="gcc or make is not installed")
SYSFS = b"kernel/sysfs.c"
GOOD = b"\nint more(void)\n{\n\treturn 0;\n}\n"


@dataclass
class Mini:
    """The sample's kernel in a store, a bench for it, and trees that differ from it by a few files."""

    store: Store
    trees: Trees
    bench: Bench
    base: str

    def plus(self, tree: str, path: bytes, text: bytes) -> str:
        """`tree` with a text appended to a file."""
        content = (self.trees.read(tree, path) or b"") + text
        return self.trees.edit(tree, {path: Entry(0o100644, self.store.write("blob", content))})

    def build(self, *steps: tuple[str, str, bytes], config: str = "", each: bool = True, base: str = "") -> Built:
        """Build steps given as name, tree, path."""
        chain = Chain("v0", base or self.base, tuple(Step(name, name, tree, (path,)) for name, tree, path in steps))
        return build(chain, self.setup(config), self.bench, self.trees, History(self.store), Silent(), each=each)

    def setup(self, config: str = "") -> Setup:
        """gcc as it is, with the sample's defconfig and a fragment."""
        compiler = toolchain.compiler_version("gcc")
        plain = profile.Profile("plain", Path("plain"), ((), ()), ((), ()))
        chain = toolchain.prepare(plain, "gcc", compiler, "", self.bench.cache, ccache=False)
        return Setup("x86_64", Recipe("defconfig", "defconfig", parse(config, "test")), chain)


@pytest.fixture
def mini(tmp_path: Path) -> Iterator[Mini]:
    with Store(tmp_path / "run.git", []) as store:
        trees = Trees(store)
        source = data_folder("patches") / "sample" / "tree"
        files = {
            os.fsencode(path.relative_to(source)): Entry(0o100644, store.write("blob", path.read_bytes()))
            for path in source.rglob("*")
            if path.is_file()
        }
        base = trees.edit(trees.make({}), files)
        with open_bench(tmp_path / "cache", "2.6.31", store) as bench:
            yield Mini(store, trees, bench, base)


def found(built: Built) -> list[tuple[str, str, str, int]]:
    return [(f.kind, f.symbol, f.patch, f.line) for f in built.findings]


def test_each_diagnostic_is_told_of_the_patch_that_brought_it(mini: Mini) -> None:
    lines = (mini.trees.read(mini.base, SYSFS) or b"").count(b"\n")
    one = mini.plus(mini.base, SYSFS, GOOD)
    two = mini.plus(one, SYSFS, b"int worse(char *p)\n{\n\tint *q = p;\n\treturn *q + nowhere;\n}\n")
    three = mini.plus(two, b"lib/Kconfig", b"\n")
    built = mini.build(("one", one, SYSFS), ("two", two, SYSFS), ("three", three, b"lib/Kconfig"))
    assert ("build-error", "nowhere", "two", lines + 9) in found(built)
    assert {patch for _, _, patch, _ in found(built)} == {"two"}
    assert built.proofs[0].outcome is Outcome.FAILED


def test_what_did_not_compile_before_is_no_evidence(mini: Mini) -> None:
    broken = mini.plus(mini.base, SYSFS, b"int bad(void) { return nowhere; }\n")
    after = mini.plus(broken, SYSFS, GOOD)
    built = mini.build(("one", after, SYSFS), base=broken)
    assert found(built) == []
    assert built.proofs[0].why == "not made before either: kernel/sysfs.o"


def test_a_series_that_mends_it_says_nothing(mini: Mini) -> None:
    broken = mini.plus(mini.base, SYSFS, b"int bad(void) { return nowhere; }\n")
    built = mini.build(("mend", mini.base, SYSFS), base=broken)
    assert found(built) == []
    assert built.proofs[0].outcome is Outcome.PASSED


def test_a_header_is_seen_through_the_objects_of_the_series(mini: Mini) -> None:
    header = b"include/linux/sysfs.h"
    touched = mini.plus(mini.base, SYSFS, GOOD)
    worse = mini.plus(touched, header, b"nonsense;\n")
    built = mini.build(("one", touched, SYSFS), ("two", worse, header))
    assert {patch for _, _, patch, _ in found(built)} == {"two"}
    assert built.findings[0].path == header


def test_without_each_the_last_patch_of_a_file_is_named(mini: Mini) -> None:
    one = mini.plus(mini.base, SYSFS, b"int bad(void) { return nowhere; }\n")
    two = mini.plus(one, b"mm/mmap.c", GOOD)
    built = mini.build(("one", one, SYSFS), ("two", two, b"mm/mmap.c"), each=False)
    assert {patch for _, _, patch, _ in found(built)} == {"one"}


def test_an_object_that_the_configuration_leaves_out_is_said_and_not_judged(mini: Mini) -> None:
    path = b"lib/unused.c"
    tree = mini.plus(mini.base, path, b"nonsense;\n")
    built = mini.build(("one", tree, path))
    assert found(built) == []
    assert [(s.what, s.why) for s in built.skipped] == [
        ("lib/unused.o", "defconfig on x86_64 does not build it: no Makefile names it")
    ]


def test_other_architectures_and_programs_are_said(mini: Mini) -> None:
    tree = mini.plus(mini.plus(mini.base, b"arch/s390/mm/x.c", GOOD), b"Documentation/vm/p.c", GOOD)
    built = mini.build(("one", tree, b"arch/s390/mm/x.c"), ("two", tree, b"Documentation/vm/p.c"))
    assert [s.what for s in built.skipped] == ["arch/s390/mm/x.c", "Documentation/vm/p.c"]


def test_a_wish_that_kconfig_drops_is_said(mini: Mini) -> None:
    built = mini.build(("one", mini.plus(mini.base, SYSFS, GOOD), SYSFS), config="CONFIG_NO_SUCH=y\n")
    assert [s.what for s in built.skipped] == ["CONFIG_NO_SUCH=y (test) is not declared by this kernel"]


def test_nothing_is_written_into_the_source_tree(mini: Mini) -> None:
    mini.build(("one", mini.plus(mini.base, SYSFS, GOOD), SYSFS))
    here = {os.fsencode(path.relative_to(mini.bench.source)) for path in mini.bench.source.rglob("*") if path.is_file()}
    assert here == {path for path, _ in mini.trees.walk(mini.base)}


def test_a_second_run_builds_nothing(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = mini.plus(mini.base, SYSFS, b"int bad(void) { return nowhere; }\n")
    first = mini.build(("one", tree, SYSFS))
    monkeypatch.setattr(Bench, "checkout", lambda *_: pytest.fail("it built again"))
    assert found(mini.build(("one", tree, SYSFS))) == found(first)


def test_a_definition_in_another_folder_finds_what_was_built(mini: Mini) -> None:
    """A copy of a series, with its probe's manifest, was a minute and a half of building the same kernel again."""
    one, other = (
        Recipe("boot", "allnoconfig", parse("CONFIG_A=y\n", place)) for place in ("here/probe.toml", "there/probe.toml")
    )
    setup = mini.setup()
    assert replace(setup, recipe=one).folder == replace(setup, recipe=other).folder
    assert results.key("tree", one) == results.key("tree", other)


def test_only_what_changed_is_written_and_compiled(mini: Mini) -> None:
    mini.build(("one", mini.plus(mini.base, SYSFS, GOOD), SYSFS))
    other = mini.bench.source / "mm" / "mmap.c"
    before = other.stat().st_mtime_ns
    mini.build(("one", mini.plus(mini.base, SYSFS, GOOD + GOOD.replace(b"more", b"most")), SYSFS))
    assert other.stat().st_mtime_ns == before


def test_a_killed_checkout_is_begun_afresh(mini: Mini) -> None:
    mini.bench.checkout(mini.base)
    (mini.bench.folder / ".src.dirty").touch()
    (mini.bench.folder / ".src.index.lock").touch()
    (mini.bench.source / "kernel" / "sysfs.c").write_bytes(b"half")
    (mini.bench.source / "stray.c").touch()
    mini.bench.checkout(mini.base)
    assert (mini.bench.source / "kernel" / "sysfs.c").read_bytes() == mini.trees.read(mini.base, SYSFS)
    assert not (mini.bench.source / "stray.c").exists()


def test_half_an_object_of_a_killed_build_is_made_anew(mini: Mini) -> None:
    """SIGKILL in the middle: the object is newer than its source and has no end; make alone would link it."""
    tree = mini.plus(mini.base, SYSFS, GOOD)
    mini.build(("one", tree, SYSFS))
    (out,) = (mini.bench.folder / "out").iterdir()
    whole = (out / "kernel" / "sysfs.o").read_bytes()
    (out / ".backport.busy").touch()
    (out / "kernel" / "sysfs.o").write_bytes(whole[:100])
    shutil.rmtree(mini.bench.cache / "results")
    assert mini.build(("one", tree, SYSFS)).proofs[0].outcome is Outcome.PASSED
    assert len((out / "kernel" / "sysfs.o").read_bytes()) == len(whole)
    assert not (out / ".backport.busy").exists()


@pytest.mark.parametrize("said", ["sysfs.s: No space left on device", "gcc: fatal error: Killed signal terminated program cc1"])
def test_a_disk_or_memory_that_ran_out_is_told_and_not_remembered(mini: Mini, said: str, tmp_path: Path) -> None:
    tree = mini.plus(mini.base, SYSFS, GOOD)
    setup = mini.setup()
    real = (setup.toolchain.folder / "bin" / "cc").read_text()
    (setup.toolchain.folder / "bin" / "cc").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    with pytest.raises(EnvironmentFailedError, match="the build ran out of something") as caught:
        mini.build(("one", tree, SYSFS))
    assert "free some space" in caught.value.then
    (setup.toolchain.folder / "bin" / "cc").write_text(real)
    assert mini.build(("one", tree, SYSFS)).proofs[0].outcome is Outcome.PASSED


def test_a_file_changed_behind_our_back_is_put_right(mini: Mini) -> None:
    mini.bench.checkout(mini.base)
    (mini.bench.source / "kernel" / "sysfs.c").write_bytes(b"changed by hand")
    mini.bench.checkout(mini.base)
    assert (mini.bench.source / "kernel" / "sysfs.c").read_bytes() == mini.trees.read(mini.base, SYSFS)


def test_two_proofs_at_once_are_refused(mini: Mini, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another proof"), open_bench(tmp_path / "cache", "2.6.31", mini.store):
        pass
    with open_bench(tmp_path / "cache", "2.6.32", mini.store):
        pass


def test_compilers_of_a_killed_run_hold_the_bench(tmp_path: Path) -> None:
    with Store(tmp_path / "run.git", []) as store:
        with open_bench(tmp_path / "cache", "2.6.31", store) as bench:
            left = subprocess.Popen(["sleep", "1000"], pass_fds=[bench.lock])
        try:
            with pytest.raises(InputError, match="last compilers"), open_bench(tmp_path / "cache", "2.6.31", store):
                pass
        finally:
            left.kill()
            left.wait()
        with open_bench(tmp_path / "cache", "2.6.31", store):
            pass


def backport(*arguments: str, cwd: Path, status: int, **environment: str) -> subprocess.CompletedProcess[bytes]:
    variables = {key: value for key, value in os.environ.items() if key not in ("BACKPORT_KERNEL", "BACKPORT_PATCHES")}
    variables |= {"XDG_CACHE_HOME": str(cwd / "cache"), "XDG_CONFIG_HOME": str(cwd / "config")} | environment
    done = subprocess.run(["backport", *arguments], cwd=cwd, capture_output=True, env=variables)
    assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done


def test_the_sample_is_proved_from_the_command_line(tmp_path: Path) -> None:
    done = backport("prove", "build", "sample", "--json", cwd=tmp_path, status=0)
    document: dict[str, Any] = json.loads(done.stdout)
    (proof,) = document["proofs"]
    assert (proof["kind"], proof["outcome"], proof["subject"]) == ("build", "passed", "5 objects in 8 states")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--cc", "nogcc-at-all"), 3, b"nogcc-at-all is not installed"),
        (("--profile", "nonsense"), 2, b"there is no toolchain profile 'nonsense'"),
        (("--config", "nonsense"), 2, b"there is no configuration 'nonsense'"),
        (("--arch", "s390"), 3, b"s390x-linux-gnu-gcc is not installed"),
    ],
)
def test_bad_words_are_told(tmp_path: Path, words: tuple[str, ...], status: int, said: bytes) -> None:
    if shutil.which("s390x-linux-gnu-gcc"):
        pytest.skip("there is a cross compiler here")
    assert said in backport("prove", "build", "sample", *words, cwd=tmp_path, status=status).stderr


def test_the_sample_has_no_probe(tmp_path: Path) -> None:
    assert b"the series has no probe" in backport("prove", "boot", "sample", cwd=tmp_path, status=2).stderr


def test_profiles_are_listed_with_their_reasons(tmp_path: Path) -> None:
    said = backport("prove", "profiles", cwd=tmp_path, status=0).stdout.decode()
    assert "linux-2.6.31-gcc-10-to-13: kernels 2.6.31 to below 2.6.34, gcc 10 to below 14" in said
    assert "silent triple fault" in said


def test_doctor_names_what_is_missing_and_the_command(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    for name in ("backport", "python3", "git", "env"):
        (empty / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(["backport", "doctor"], capture_output=True, env={"PATH": str(empty), "HOME": str(tmp_path)})
    assert done.returncode == 0
    assert "✗ qemu-system-x86_64" in done.stdout.decode()
    assert "apt-get install -y --no-install-recommends" in done.stdout.decode()
    assert "qemu-system-x86" in done.stdout.decode().splitlines()[-1]

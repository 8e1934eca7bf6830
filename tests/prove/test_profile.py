"""Profiles: which fits, what a broken one says, and that the wrappers made of one do what it says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from backport.model.errors import InputError, MissingToolError
from backport.prove import toolchain
from backport.prove.profile import Profile, available, load, pick, version

MINE = """
name = "mine"
[kernel]
from = "2.6.31"
below = "2.6.32"
[compiler]
from = "12"
[[flags]]
cc = ["-DFIRST", "-fno-pic"]
reason = "to see it"
[[argument]]
given = ["-m", "elf_x86_64"]
instead = ["-m64"]
reason = "to see it"
[[header]]
path = "linux/compiler-gcc{major}.h"
text = "#define FOUND 1\\n"
reason = "to see it"
[[perl]]
find = "defined\\\\(@(\\\\w+)\\\\)"
put = "@\\\\1"
reason = "to see it"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Profile:
    path = tmp_path / "profiles" / "mine.toml"
    path.parent.mkdir()
    path.write_text(MINE)
    return load(path)


@pytest.mark.parametrize("kernel", ["2.6.31", "2.6.31.14", "2.6.32", "2.6.32.59", "2.6.33-rc1", "2.6.33"])
def test_kernels_that_were_built_have_a_profile_for_gcc_12(kernel: str) -> None:
    assert pick(available(), kernel, "12.2.0").name == "linux-2.6.31-gcc-10-to-13"


def test_a_current_kernel_has_one_that_cures_next_to_nothing() -> None:
    found = pick(available(), "6.1.192", "12.2.0")
    assert (found.name, found.cc, found.headers, found.perl) == ("linux-6.1-gcc-12", (), (), ())


def test_a_neighbour_that_nobody_tried_is_taken_by_name_alone() -> None:
    with pytest.raises(InputError, match=r"no toolchain profile builds kernel 6\.6\.1"):
        pick(available(), "6.6.1", "12.2.0")
    assert pick(available(), "6.6.1", "12.2.0", "linux-6.1-gcc-12").name == "linux-6.1-gcc-12"


def test_each_cure_of_ours_has_its_reason() -> None:
    for profile in available():
        assert profile.reasons
        assert all(len(reason) > 20 for _, reason in profile.reasons)


def test_a_compiler_without_a_profile_is_told() -> None:
    with pytest.raises(InputError, match=r"no toolchain profile builds kernel 2\.6\.31 with compiler 4\.1\.2"):
        pick(available(), "2.6.31", "4.1.2")


def test_a_name_that_is_none_lists_those_that_are() -> None:
    with pytest.raises(InputError) as caught:
        pick(available(), "2.6.31", "12.2.0", "nonsense")
    assert "linux-2.6.31-gcc-10-to-13" in caught.value.then


def test_the_users_own_comes_first(mine: Profile) -> None:
    assert pick(available(mine.source.parent), "2.6.31", "12.2.0").name == "mine"
    assert pick(available(mine.source.parent), "2.6.32", "12.2.0").name != "mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[compiler]", "[compilers]"), "no key 'compilers'"),
        (('reason = "to see it"', 'why = "to see it"'), "no key 'why'"),
        (("linux/compiler-gcc{major}.h", "../../etc/passwd"), "no path of a header"),
        (("defined\\\\(@", "defined(((@"), "no regular expression"),
        (('name = "mine"', 'name = "'), "no TOML"),
    ],
)
def test_a_broken_profile_names_file_and_fault(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(MINE.replace(*change))
    with pytest.raises(InputError, match=said) as caught:
        load(path)
    assert caught.value.where == str(path)


def test_versions_compare_by_number() -> None:
    assert version("2.6.31.3-rc1") == (2, 6, 31, 3)
    assert version("10.2") > version("9.4.0")


def made(profile: Profile, tmp_path: Path) -> toolchain.Toolchain:
    """The toolchain, with a compiler that prints its arguments and complains."""
    compiler = tmp_path / "bin" / "oldcc"
    compiler.parent.mkdir()
    compiler.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "mm/a.c:3: warning: hm" >&2\nexit ${STATUS-0}\n')
    compiler.chmod(0o755)
    return toolchain.prepare(profile, str(compiler), "12.2.0", "", tmp_path / "cache", ccache=False)


def call(chain: toolchain.Toolchain, tmp_path: Path, *words: str, status: int = 0) -> list[str]:
    (tmp_path / "mm").mkdir(exist_ok=True)
    environment = {**os.environ, "STATUS": str(status)}
    command = [str(chain.folder / "bin" / "cc"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment)
    assert done.returncode == status
    return done.stdout.decode().splitlines()


def test_the_wrapper_changes_what_the_compiler_must_not_see(mine: Profile, tmp_path: Path) -> None:
    said = call(made(mine, tmp_path), tmp_path, "-m", "elf_x86_64", "-Wl,a b", "-o", "vdso.so", "x y.o")
    assert said[:2] == ["-DFIRST", "-fno-pic"]
    assert said[-5:] == ["-m64", "-Wl,a b", "-o", "vdso.so", "x y.o"]


def test_a_makefiles_own_flag_has_the_last_word(mine: Profile, tmp_path: Path) -> None:
    said = call(made(mine, tmp_path), tmp_path, "-fPIC", "-c", "-o", "mm/a.o", "a.c")
    assert said.index("-fno-pic") < said.index("-fPIC")


@pytest.mark.parametrize("status", [0, 1])
def test_what_was_said_lies_beside_the_object(mine: Profile, tmp_path: Path, status: int) -> None:
    call(made(mine, tmp_path), tmp_path, "-c", "-o", "mm/.tmp_a.o", "mm/a.c", status=status)
    assert (tmp_path / "mm" / ".a.o.said").read_text() == f"mm/a.c:3: warning: hm\nstatus {status}\n"


def test_a_question_to_the_compiler_leaves_nothing(mine: Profile, tmp_path: Path) -> None:
    chain = made(mine, tmp_path)
    before = sorted(tmp_path.rglob("*.said"))
    call(chain, tmp_path, "-c", "-o", "/dev/null", "-xc", "/dev/null")
    call(chain, tmp_path, "-v")
    assert sorted(tmp_path.rglob("*.said")) == before == []


def test_headers_are_named_after_the_compiler(mine: Profile, tmp_path: Path) -> None:
    assert (made(mine, tmp_path).folder / "include/linux/compiler-gcc12.h").read_text() == "#define FOUND 1\n"


def test_perl_runs_a_script_with_the_words_changed(mine: Profile, tmp_path: Path) -> None:
    script = tmp_path / "t.pl"
    script.write_text('my @a = (1); die "no" if !defined(@a); print "$0 @ARGV\\n"; exit 3;\n')
    done = subprocess.run([str(made(mine, tmp_path).folder / "bin/perl"), str(script), "x"], capture_output=True)
    assert (done.stdout.decode(), done.returncode) == (f"{script} x\n", 3)


def test_another_profile_is_another_folder(mine: Profile, tmp_path: Path) -> None:
    one = made(mine, tmp_path)
    path = mine.source
    path.write_text(MINE.replace("-DFIRST", "-DSECOND"))
    other = toolchain.prepare(load(path), str(tmp_path / "bin" / "oldcc"), "12.2.0", "", tmp_path / "cache", ccache=False)
    assert one.digest != other.digest
    assert one.folder != other.folder


def test_no_compiler_is_a_missing_tool(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="nocc"):
        toolchain.compiler_version(str(tmp_path / "nocc"))


def test_a_header_of_one_architecture_stands_before_the_kernels(mine: Profile, tmp_path: Path) -> None:
    row = '\n[[header]]\npath = "asm/ptrace.h"\narch = "i386"\ntext = "#include_next <asm/ptrace.h>\\n"\nreason = "to see it"\n'
    mine.source.write_text(MINE + row)
    profile = load(mine.source)
    made(profile, tmp_path)
    words = (profile, str(tmp_path / "bin" / "oldcc"), "12.2.0", "", tmp_path / "cache")
    i386 = toolchain.prepare(*words, arch="i386", ccache=False)
    assert (i386.folder / "before/asm/ptrace.h").read_text() == "#include_next <asm/ptrace.h>\n"
    said = call(i386, tmp_path, "-I", "kernel", "-c", "-o", "mm/a.o")
    assert said.index(f"{i386.folder}/before") < said.index("kernel")
    x86_64 = toolchain.prepare(*words, arch="x86_64", ccache=False)
    assert not (x86_64.folder / "before").exists()

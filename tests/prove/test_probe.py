"""The probe's manifest and library: what may stand in it, and that a probe becomes a program of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.prove import probe
from backport.prove.probe import compile_init, load

NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
MANIFEST = 'source = ["own.c"]\ntimeout = 5\n[config]\nKSM = "y"\n[[survivor]]\nmutant = "mm/a.c:3"\nreason = "dead code"\n'


def manifest(tmp_path: Path, text: str = MANIFEST, source: str = "") -> Path:
    (tmp_path / "probe.toml").write_text(text)
    (tmp_path / "own.c").write_text(source or '#include "probe.h"\nvoid probe(void) { check(1, "one", "%d", 1); }\n')
    return tmp_path


def test_a_manifest_is_read(tmp_path: Path) -> None:
    probe = load(manifest(tmp_path))
    assert probe.sources == (tmp_path / "own.c",)
    assert (probe.timeout, probe.memory) == (5, 128)
    assert [(w.symbol, w.value) for w in probe.wishes] == [("KSM", "y")]
    assert probe.survivors[0].reason == "dead code"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('source = ["../../etc/passwd"]', "C files in the manifest's folder"),
        ("source = []", "C files in the manifest's folder"),
        ('source = ["a.c"]\ntimeout = 0', "timeout must be a number from 1 to 3600"),
        ('source = ["a.c"]\ntimeout = true', "timeout must be a number"),
        ('source = ["a.c"]\nneed = 3', "no key 'need'"),
        ('source = ["a.c"]\n[config]\nKSM = true', "table of symbols"),
        ("source = [", "cannot read the manifest"),
    ],
)
def test_a_broken_manifest_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        load(manifest(tmp_path, text))
    assert caught.value.where == str(tmp_path / "probe.toml")


def test_no_probe_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the series has no probe") as caught:
        load(tmp_path)
    assert "patches/setown-ex/probe" in caught.value.then
    assert (Path(probe.__file__).parent / "README.md").is_file()


@NEEDS_GCC
@pytest.mark.parametrize(("arch", "machine"), [("x86_64", 62), ("i386", 3)])
def test_it_is_a_static_program_for_either_machine(tmp_path: Path, arch: str, machine: int) -> None:
    init = compile_init(load(manifest(tmp_path)), "gcc", arch)
    assert init[:4] == b"\x7fELF"
    assert int.from_bytes(init[18:20], "little") == machine
    assert b"/lib64/ld-linux" not in init


@NEEDS_GCC
def test_one_that_does_not_compile_is_told_with_the_compilers_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not compile for x86_64: .*own\.c:2.*error"):
        compile_init(load(manifest(tmp_path, source='#include "probe.h"\nvoid probe(void) { nonsense; }\n')), "gcc", "x86_64")


LIBRARY = r"""
#include "probe.h"
static int seven(void *with) { return *(int *)with; }
static int killed(void *with) { long me = CALL(__NR_getpid); (void)with; CALL(__NR_kill, me, 9); return 0; }
static int sleeps(void *with) { (void)with; nap_ms(5000); return 0; }
static volatile int seen;
static void sees(void *with) { seen = *(int *)with; }
void probe(void)
{
	char text[64], *at = pages(2);
	int number = 7, left;

	check(format_text(text, 64, "%s %d %u %x %ld %llu", "a", -5, 6u, 255u, -1L, 18446744073709551615ULL) > 0, text, "%d%%", 100);
	check(format_text(text, 4, "%s", "abcdef") == 3 && !strcmp(text, "abc"), "cut", "%s", text);
	check(divide(1000000000007ULL, 10) == 100000000000ULL, "divide", "%llu", divide(1000000000007ULL, 10));
	fill(at, 2, 3);
	check(filled(at, 2, 3) && !filled(at, 2, 4), "filled", "%d", 0);
	at[PAGE + 5]++;
	check(filled(at, 1, 3) && !filled(at, 2, 3), "not filled", "%d", 0);
	check(in_child(seven, &number, 2000) == 7, "status", "%d", 7);
	check(in_child(killed, 0, 2000) == 256 + 9, "signal", "%d", 9);
	check(in_child(sleeps, 0, 50) == -1, "too late", "%d", -1);
	check(write_text("/nowhere/at/all", "x") == -ENOENT, "no such file", "%ld", write_text("/nowhere/at/all", "x"));
	check(read_number("/proc/sys/kernel/pid_max") > 0, "a number", "%d", 1);
	check(thread(sees, &number) > 0, "a thread", "%d", 1);
	for (left = 500; !seen && left; left--)
		nap_ms(10);
	check(seen == 7, "sees our memory", "%d", seen);
	measure("speed", 12, "pages/s");
	skip("later", "not today");
	check(0, "bad", "%s", "as meant");
}
"""


def run_init(tmp_path: Path, arch: str, words: tuple[str, ...] = (), under: tuple[str, ...] = ()) -> list[str]:
    """The lines of LIBRARY's program, run as nobody and not as root: mounting and restarting fail, the rest is the same."""
    (tmp_path / "init").write_bytes(compile_init(load(manifest(tmp_path, source=LIBRARY)), "gcc", arch))
    (tmp_path / "init").chmod(0o755)
    command = [*under, str(tmp_path / "init"), *words]
    if os.getuid() == 0:  # never as root: it would restart the machine
        tmp_path.chmod(0o755)
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to be somebody else")
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == os.getuid() and folder not in (Path("/"), Path("/tmp")):
                folder.chmod(folder.stat().st_mode | 0o055)
        nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
        command = ["setpriv", *nobody, *command]
    try:
        said = subprocess.run(command, capture_output=True, timeout=3, cwd="/").stdout.decode()
    except subprocess.TimeoutExpired as late:  # PID 1 never ends
        said = (late.stdout or b"").decode()
    return said.splitlines()


@NEEDS_GCC
@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_the_library_does_what_it_says(tmp_path: Path, arch: str) -> None:
    lines = run_init(tmp_path, arch)
    assert lines[:13] == [
        "probe: ok a -5 6 ff -1 18446744073709551615: 100%",
        "probe: ok cut: abc",
        "probe: ok divide: 100000000000",
        "probe: ok filled: 0",
        "probe: ok not filled: 0",
        "probe: ok status: 7",
        "probe: ok signal: 9",
        "probe: ok too late: -1",
        "probe: ok no such file: -2",
        "probe: ok a number: 1",
        "probe: ok a thread: 1",
        "probe: ok sees our memory: 7",
        "probe: measure speed: 12 pages/s",
    ]
    assert lines[13:15] == ["probe: skipped later: not today", "probe: failed bad: as meant"]
    assert set(lines[15:]) == {"", "RESULT  failed 12 1 1"}


OWN_PIDS = ("unshare", "--user", "--pid", "--fork", "--kill-child")


@NEEDS_GCC
@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_words_of_the_kernels_command_line_are_not_the_probes(tmp_path: Path) -> None:
    """i386 without SMP does not know no_timer_check, hands it to PID 1, and panicked: the program ran it as its own word."""
    lines = run_init(tmp_path, "x86_64", ("no_timer_check",), OWN_PIDS)
    if not lines:
        pytest.skip("nobody may not make a namespace here")
    assert "RESULT  failed 12 1 1" in lines
    assert run_init(tmp_path, "x86_64", ("word",)) == []

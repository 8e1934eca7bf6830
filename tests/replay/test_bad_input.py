"""Input that nobody means well: no crash, an end in sight, and nothing lands that a merge would not give.

Each case is a file before and after a patch and in the target, once merging and once in conflict. Where the patch lands as
merged, the result is git's; where a rule or the guard says otherwise, that is its right, but it must say so in time.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gitrepo import Repo, numbered, replayed

LIMIT = 20.0  # seconds of our own processor time for one patch: the clock on the wall says more about the neighbours

RANDOM = random.Random(7)
GENERATED = [b"\t{ 0x%04x, 0x%08x }," % (i, RANDOM.getrandbits(32)) for i in range(50_000)]
MINIFIED = [b"a" * 1_000_000, b"var x=1;" * 130_000, b"b" * 1_000_000]
BRACES = [*[b"{" * 40] * 400, b"int f(void)", b"{", b"\tx();", b"}", b"#if A", b"#else", b"#else", *[b"}" * 41] * 300]
NESTED = [b"int f(void)", b"{", *[b"if (a) {"] * 3000, b"\tx();", *[b"}"] * 3000, b"}"]
FUNCTION = [b"int f%d(void)\n{\n\tint a;\n\treturn g(a);\n}\n" % i for i in range(40)]

CASES: dict[str, list[bytes]] = {
    "generated": GENERATED,
    "minified": MINIFIED,
    "unbalanced braces and #if": BRACES,
    "deeply nested": NESTED,
    "CRLF": [row.replace(b"\n", b"\r\n") + b"\r" for row in FUNCTION],
    "form feeds, tabs, lone CR": [b"\f", b"\t \t", b"a\rb", *FUNCTION, b"\v"],
    "NUL": [b"a\0b", *FUNCTION],
    "not UTF-8": [b"/* \xff\xfe\x80 */", *FUNCTION, b'char s[] = "\xc3\x28";'],
    "one line repeated": [b"x"] * 3000,
    "nothing but braces": [b"{", b"}"] * 1500,
    "unterminated comment and string": [b"/*", *FUNCTION, b'"', *FUNCTION],
    "conflict markers of its own": [b"<<<<<<< HEAD", *FUNCTION[:3], b"=======", *FUNCTION[3:6], b">>>>>>> x"],
}


def text(rows: list[bytes]) -> bytes:
    return b"\n".join(rows) + b"\n"


def changed(rows: list[bytes], where: int, word: bytes) -> list[bytes]:
    return [*rows[:where], word, *rows[where + 1 :]]


@pytest.mark.parametrize("path", [b"f.c", b"Kconfig"])
@pytest.mark.parametrize("name", CASES)
def test_merging_and_conflicting(repo: Repo, tmp_path: Path, name: str, path: bytes) -> None:
    rows = CASES[name]
    middle, end = len(rows) // 2, len(rows) - 1
    base = repo.commit({path: text(rows)}, b"base\n")
    drift = repo.on(base, {path: text(changed(changed(rows, middle, b"drift"), 0, b"drift"))}, b"drift\n")
    patch = repo.on(drift, {path: text(changed(changed(rows, middle, b"patch"), 0, b"drift"))}, b"patch\n")
    clean = repo.on(base, {path: text(changed(rows, end, b"patch"))}, b"clean\n")
    target = repo.on(base, {path: text(changed(rows, middle, b"target"))}, b"target\n")
    started = time.process_time()
    with replayed(repo, [clean, patch], target, tmp_path / "store", base) as session:
        assert time.process_time() - started < 2 * LIMIT
        merged, disputed = session.outcomes
        if merged.verdict == "merged":
            assert session.git("cat-file", "blob", f"{merged.tree}:".encode() + path) == text(
                changed(changed(rows, middle, b"target"), end, b"patch")
            )
        else:
            assert merged.verdict in ("suspect", "conflict", "resolved")
        assert disputed.verdict in ("conflict", "resolved")


def test_a_whole_generated_file_rewritten_on_both_sides(repo: Repo, tmp_path: Path) -> None:
    other, third = list(GENERATED), list(GENERATED)
    RANDOM.shuffle(other)
    third.reverse()
    base = repo.commit({b"t.h": text(GENERATED)}, b"base\n")
    target = repo.on(base, {b"t.h": text(other)}, b"target\n")
    patch = repo.on(base, {b"t.h": text(third)}, b"patch\n")
    started = time.process_time()
    with replayed(repo, [patch], target, tmp_path / "store", base) as session:
        assert session.verdicts == ["conflict"]
    assert time.process_time() - started < 3 * LIMIT


def test_a_rename_storm(repo: Repo, tmp_path: Path) -> None:
    """Three hundred files move upstream between base and patch; the target has them all in their old places."""
    files = {b"old/f%d.c" % i: b"/* %d */\n" % i + numbered(30) for i in range(300)}
    base = repo.commit(files, b"base\n")
    moved: dict[bytes, bytes | None] = dict.fromkeys(files, None)
    moved |= {path.replace(b"old/", b"new/"): content for path, content in files.items()}
    storm = repo.on(base, moved, b"storm\n")
    names = [path for path in moved if path.startswith(b"new/")]
    patch = repo.on(storm, {path: repo.files[storm][path] + b"patch\n" for path in names}, b"patch\n")
    target = repo.on(base, {b"old/f7.c": numbered(30, l3=b"target")}, b"target\n")
    started = time.process_time()
    with replayed(repo, [patch], target, tmp_path / "store", base) as session:
        assert session.outcomes[0].verdict in ("merged", "conflict")
    assert time.process_time() - started < 3 * LIMIT


def test_grafts_and_replacements_of_the_clone_are_not_followed(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9)}, b"base\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"patch")}, b"patch\n")
    target = repo.on(base, {b"f": numbered(9, l1=b"target")}, b"target\n")
    (repo.path / "info").mkdir()
    (repo.path / "info" / "grafts").write_text(f"{patch} {target}\n")
    other = repo.on(base, {b"f": b"replaced\n"}, b"replaced\n")
    place = repo.path / "refs" / "replace"
    place.mkdir(parents=True)
    (place / patch).write_text(other + "\n")
    with replayed(repo, [patch], target, tmp_path / "store", base, subjects=["patch"]) as session:
        assert session.verdicts == ["merged"]
        assert session.git("cat-file", "blob", f"{session.outcomes[0].tree}:f") == numbered(9, l1=b"target", l5=b"patch")


def test_an_octopus_between_target_and_patch(repo: Repo, tmp_path: Path) -> None:
    """The lines in dispute came through a merge of four parents: the cause is the commit that wrote them, never the merge."""
    base = repo.commit({b"f": numbered(30)}, b"base\n")
    arms = [repo.on(base, {b"f": numbered(30, **{f"l{n}": b"arm"})}, b"arm %d\n" % n) for n in (3, 10, 17, 24)]
    whole = {b"f": numbered(30, l3=b"arm", l10=b"arm", l17=b"arm", l24=b"arm")}
    octopus = repo.commit(whole, b"octopus\n", parents=arms)
    patch = repo.on(octopus, {b"f": numbered(30, l3=b"arm", l10=b"patched", l17=b"arm", l24=b"arm")}, b"patch\n")
    with replayed(repo, [patch], base, tmp_path / "store", base) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "conflict"
        assert [cause.commit for conflict in outcome.conflicts for cause in conflict.causes] == [arms[1]]


MEMORY = 500  # MB, of one process with all that Python itself takes
HOG = """
import resource, sys
sys.argv = ["backport", "drift", *sys.argv[1:]]
from backport.cli import main
try:
    main()
finally:
    sys.stderr.write(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
"""


@pytest.mark.parametrize("name", ["generated", "minified", "deeply nested", "one line repeated"])
def test_the_whole_stair_in_bounded_memory_and_time(repo: Repo, tmp_path: Path, name: str) -> None:
    """Guard, rules and causes of a patch in conflict, in a process of its own: its peak and its processor time are measured."""
    rows = CASES[name]
    middle = len(rows) // 2
    base = repo.commit({b"f.c": text(rows)}, b"base\n")
    drift = repo.on(base, {b"f.c": text(changed(rows, middle, b"int drift;"))}, b"drift\n")
    patch = repo.on(drift, {b"f.c": text(changed(rows, middle, b"int patch;"))}, b"patch\n")
    target = repo.on(base, {b"f.c": text(changed(rows, middle, b"int target;"))}, b"target\n")
    command = [sys.executable, "-c", HOG, patch, "--onto", target, "--kernel", str(repo.path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1), done.stderr
    assert int(done.stderr.rpartition("peak ")[2]) < MEMORY
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2 * LIMIT

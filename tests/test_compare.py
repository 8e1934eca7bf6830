"""What moved between postings, what was merged and a backport: in substance, and for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.test_bad_input import backport
from tests.gitrepo import START, Repo, numbered

KBUILD = b"header-y += shown.h\n"
HEADER = b"#ifndef M\n#define M\n#define MADV_NORMAL 0\n#endif\n"
FILES = {
    b"mm/a.c": numbered(60),
    b"mm/b.c": numbered(60),
    b"include/linux/shown.h": HEADER,
    b"include/linux/Kbuild": KBUILD,
    b"include/Kbuild": b"header-y += linux/\n",
    b"Makefile": b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n",
}


def mails(repo: Repo, base: str, label: str, number: int, steps: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """A posting: patches (path, content, title) with a label, as an mbox with ids."""
    at, box = base, b""
    for place, (path, content, title) in enumerate(steps, 1):
        at = repo.on(at, {path: content}, title + b"\n", date=b"%d +0000" % (START + number * 86400 + place))
        mail = repo.git("format-patch", "--stdout", "-1", f"--subject-prefix=PATCH {label}".rstrip(), at)
        head, _, rest = mail.partition(b"\n")
        rest = rest.replace(b"]", b" %d/%d]" % (place, len(steps)), 1)
        box += head + b"\nMessage-ID: <2009090922135%d.7-%d-a@x>\n" % (number, place) + rest + b"\n"
    repo.branch(f"posted{number}", at)
    return box


@pytest.fixture
def place(repo: Repo, tmp_path: Path) -> Path:
    """Two postings: one patch as it was but shifted, one changed, one renamed, one dropped, one added; the second was merged."""
    base = repo.commit(FILES, b"base\n")
    moved = repo.on(base, {b"mm/a.c": b"// shifted\n" + numbered(60)}, b"shifted\n")
    header = HEADER.replace(b"#endif", b"#define MADV_MERGEABLE 12\n#endif")
    old = [
        (b"mm/a.c", numbered(60, l9=b"nine"), b"mm: stays as it was"),
        (b"mm/b.c", numbered(60, l9=b"nine", l10=b"ten", l11=b"eleven"), b"mm: is edited a little"),
        (b"include/linux/shown.h", header, b"mm: tell programs about it"),
        (b"mm/b.c", numbered(60, l9=b"nine", l10=b"ten", l11=b"eleven", l40=b"gone"), b"mm: is thrown away again"),
    ]
    new = [
        (b"mm/a.c", b"// shifted\n" + numbered(60, l9=b"nine"), b"mm: stays as it was"),
        (b"mm/b.c", numbered(60, l9=b"nine", l10=b"TEN", l11=b"eleven"), b"mm: is edited a little"),
        (b"include/linux/shown.h", header.replace(b"12", b"13"), b"mm: tell programs about it at last"),
        (b"mm/new.c", b"new\n", b"mm: something that nobody expected"),
    ]
    box = mails(repo, base, "", 1, old) + mails(repo, moved, "v2", 2, new)
    (tmp_path / "list.mbox").write_bytes(box)
    merged = repo.on(moved, {path: content for path, content, _ in new[:1]}, b"mm: stays as it was\n")
    repo.branch("master", merged)
    return tmp_path


def compared(place: Path, one: str, other: str, *words: str) -> tuple[int, dict[str, object]]:
    """Status and JSON of `backport compare`."""
    done = backport("compare", "stays as it was", one, other, "--from", "list.mbox", "--json", *words, cwd=place)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def test_patch_by_patch_only_what_differs_in_substance(place: Path) -> None:
    status, told = compared(place, "v1", "v2")
    moved = [(one["numbers"], one["rule"], len(one["parts"])) for one in told["moved"]]  # type: ignore[attr-defined]
    assert status == 1
    assert moved == [
        ([1, 1], "patch-id", 0),
        ([2, 2], "title", 1),
        ([3, 3], "words of the title", 1),
        ([0, 4], "", 0),
        ([4, 0], "", 0),
    ]
    (spot,) = told["moved"][1]["parts"]  # type: ignore[index]
    assert [(line["side"], line["sign"], line["text"]) for line in spot["lines"] if line["side"] != "both"] == [
        ("before", "+", "ten"),
        ("after", "+", "TEN"),
    ]
    assert "not looked at" in str(told["verdict"])


def test_the_same_is_stable(place: Path) -> None:
    status, told = compared(place, "v2", "v2")
    assert (status, told["stable"]) == (0, True)


def test_what_programs_see(place: Path) -> None:
    kernel = str(place / "repo.git")
    _, told = compared(place, "v1", "v2", "--kernel", kernel)
    api = told["api"]
    assert not api["stable"]  # type: ignore[index]
    assert [(change["name"], change["before"], change["after"]) for change in api["changes"]] == [("MADV_MERGEABLE", "12", "13")]  # type: ignore[index]


def test_posted_against_merged_and_against_patches_that_lie_somewhere(place: Path) -> None:
    kernel = ("--kernel", str(place / "repo.git"), "--in", "master")
    _, told = compared(place, "v2", "merged", *kernel)
    words = [bool(one["before"]) and bool(one["after"]) for one in told["moved"]]  # type: ignore[attr-defined]
    assert words == [True, False, False, False]
    (place / "out").mkdir()
    text = (place / "list.mbox").read_bytes().split(b"From ")[5:]
    (place / "out" / "series.mbox").write_bytes(b"From " + b"From ".join(text))
    status, _ = compared(place, "v2", "out")
    assert status == 0


@pytest.mark.parametrize(("one", "other"), [("v7", "v1"), ("v1", "nowhere"), ("v1", "merged")])
def test_a_side_that_is_not_there(place: Path, one: str, other: str) -> None:
    assert compared(place, one, other)[0] == 2


def test_the_tree_that_people_read(place: Path) -> None:
    done = backport("compare", "stays as it was", "v1", "v2", "--from", "list.mbox", cwd=place)
    assert "1 → 1  same mm: stays as it was" in done.stdout
    assert "2 → 2  changed mm: is edited a little" in done.stdout
    assert "was: mm: tell programs about it" in done.stdout
    assert "- → 4  added" in done.stdout
    assert "4 → -  dropped" in done.stdout


def test_a_definition_against_what_a_run_made_of_it(tmp_path: Path) -> None:
    assert backport("run", "sample", "--no-srpm", "-q", cwd=tmp_path).returncode == 1
    report = json.loads((tmp_path / "build/sample/report.json").read_bytes())
    landed = [patch["subject"] for patch in report["patches"] if patch["commit"]]
    for side in ("build/sample", "build/sample/patches"):
        done = backport("compare", "sample", "merged", side, "--json", cwd=tmp_path)
        moved = json.loads(done.stdout)["moved"]
        assert [one["after"] for one in moved if one["after"]] == landed
        assert all(one["before"] for one in moved)


def test_a_posting_that_applies_to_nothing_is_compared_all_the_same(place: Path) -> None:
    """Only what programs see stays open, and the verdict says why: the history at hand may be another project's."""
    other = Repo.make(place / "other.git")
    other.branch("master", other.commit({b"Makefile": b"VERSION = 2\n"}, b"base\n"))
    status, told = compared(place, "v1", "v2", "--kernel", str(other.path), "--in", "master")
    assert (status, told["api"], len(told["moved"])) == (1, None, 5)  # type: ignore[arg-type]
    assert "not looked at (git refuses the mail" in str(told["verdict"])


ROW = re.compile(r"^ *(\d+|-): +\S+ ([=!<>]) +(\d+|-): ", re.M)
STEPS = {
    "as it was": [(b"mm/a.c", {"l9": b"nine"}), (b"mm/b.c", {"l9": b"nine"})],
    "in another order": [(b"mm/b.c", {"l9": b"nine"}), (b"mm/a.c", {"l9": b"nine"})],
    "one between": [(b"mm/a.c", {"l9": b"nine"}), (b"mm/c.c", {}), (b"mm/b.c", {"l9": b"nine"})],
    "one left out": [(b"mm/b.c", {"l9": b"nine"})],
    "one changed in a line of many": [
        (b"mm/a.c", {"l9": b"nine"}),
        (b"mm/b.c", {"l9": b"nine", "l20": b"twenty", "l21": b"more", "l22": b"and more"}),
    ],
}


@pytest.mark.parametrize("name", STEPS)
def test_patches_are_paired_as_git_range_diff_pairs_them(name: str, repo: Repo, tmp_path: Path) -> None:
    """Titles say nothing here (git sees the message as well): the patches themselves do."""
    base = repo.commit(FILES, b"base\n")
    posted = {}
    for number, steps in enumerate([STEPS["as it was"], STEPS[name]], 1):
        content = [(path, numbered(60, **lines) if lines else b"new\n", b"mm: do it to " + path) for path, lines in steps]
        posted[number] = mails(repo, base, f"v{number}", number, content)
        (tmp_path / f"{number}.mbox").write_bytes(posted[number])
    said = repo.git("range-diff", "--no-color", f"{base}..posted1", f"{base}..posted2").decode()
    pairs = {(0 if one == "-" else int(one), 0 if two == "-" else int(two), mark == "=") for one, mark, two in ROW.findall(said)}
    (tmp_path / "list.mbox").write_bytes(posted[1] + posted[2])
    done = backport("compare", "do it to", "1.mbox", "2.mbox", "--from", "list.mbox", "--json", cwd=tmp_path)
    moved = json.loads(done.stdout)["moved"]
    assert {(*one["numbers"], not one["parts"] and 0 not in one["numbers"]) for one in moved} == pairs

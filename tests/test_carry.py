"""What was decided of one revision holds for equal patches of the next, says so wherever it shows, and for no other patch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from backport.carry import Earlier, Left, carry
from backport.ingest import accepted, carried, resolutions
from backport.ingest.definition import dump, load
from backport.model.carried import Carried
from backport.model.definition import Acceptance, Definition
from backport.model.errors import InputError
from backport.model.progress import Silent
from backport.model.result import RunResult
from backport.pipeline import Options, run
from backport.replay.policy import Policy
from backport.replay.situation import Answers
from backport.report import document, junit, markdown, view
from backport.verify.check import Subject, read, verify
from tests.cli.test_bad_input import backport
from tests.gitrepo import EXECUTABLE, Content, Repo, definition, numbered, replayed
from tests.resolve.person import decided

A, B = b"mm/a.c", b"mm/b.c"
FILES: dict[bytes, Content] = {
    A: numbered(40),
    B: numbered(40),
    b"Makefile": b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n",
}


class Place:
    """Two revisions of a series of two patches, and a target with which the first of them is in conflict."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.repo, self.folder = repo, folder
        self.base = repo.commit(FILES, b"base\n")
        self.onto = repo.on(self.base, {A: numbered(40, l10=b"the target's own")}, b"target\n")
        first = repo.on(self.base, {A: numbered(40, l10=b"feature")}, b"mm: feature\n")
        second = repo.on(first, {B: numbered(40, l20=b"call_it();")}, b"mm: use the feature\n")
        self.old = self.defined("old", [first, second])
        with replayed(repo, [first], self.onto, folder / "a", self.base, policy=Policy(ladder=lambda _: Answers())) as session:
            recordings = decided(session, self.onto, {A: numbered(40, l10=b"both")})
        resolutions.write(self.old.source.parent / resolutions.FOLDER, recordings)
        self.old = load(self.old.source)

    def defined(self, name: str, commits: list[str]) -> Definition:
        path = self.folder / "patches" / name / "series.toml"
        path.parent.mkdir(parents=True)
        path.write_bytes(dump(replace(definition(self.repo, commits, self.base), name=name)))
        return load(path)

    def next(self, *steps: dict[bytes, Content]) -> Definition:
        """The new revision: other titles, on a base that has moved on."""
        at = self.repo.on(self.base, {B: numbered(40, l22=b"near"), b"mm/new.c": b"x\n"}, b"base of the new revision\n")
        commits = []
        for number, step in enumerate(steps):
            at = self.repo.on(at, step, b"mm: another title %d\n" % number)
            commits.append(at)
        return self.defined("new", commits)

    def carry(self, new: Definition, *results: RunResult) -> tuple[Definition, Left]:
        return carry(Earlier(self.old, "v3", results), new, [str(self.repo.path)])

    def run(self, told: Definition) -> RunResult:
        return run(Options(told, (str(self.repo.path),), self.onto, self.folder / told.name, srpm=False), Silent())


@pytest.fixture
def place(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Place(repo, tmp_path)


SAME: dict[bytes, Content] = {A: numbered(40, l10=b"feature")}
USES: dict[bytes, Content] = {B: numbered(40, l20=b"call_it();", l22=b"near")}


def test_equal_patches_take_along_what_was_decided(place: Place) -> None:
    before = place.run(place.old)
    assert [str(patch.verdict) for patch in before.patches] == ["recorded", "exact"]
    new, left = place.carry(place.next(SAME, USES), before)
    told = [(one.rule, one.revision, one.verdict, one.resolutions) for one in new.carried]
    assert told == [("patch-id", "v3", "recorded", 1), ("same change", "v3", "exact", 0)]
    assert left == Left(0, 0)
    after = place.run(new)
    assert [str(patch.verdict) for patch in after.patches] == ["recorded", "merged"]
    (evidence,) = after.patches[0].files[0].evidence
    assert f"carried over from {place.old.commits[0].commit[:12]} of v3, patch-id" in evidence.why
    assert after.carried == new.carried
    report = place.folder / "new" / "report.json"
    assert document.load(report.read_bytes(), "") == after
    assert verify(Subject(report, *read(report), (str(place.repo.path),), new), Silent()).differences == ()


def test_a_patch_that_changed_takes_nothing_along(place: Place) -> None:
    new, left = place.carry(place.next({A: numbered(40, l10=b"another feature")}, USES))
    assert [one.subject for one in new.carried] == ["mm: another title 1"]
    assert (left.resolutions, new.recordings) == (1, ())
    assert [str(patch.verdict) for patch in place.run(new).patches] == ["conflict", "merged"]


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        ({A: numbered(40, l10=b"  feature")}, "patch-id"),  # which knows no white space
        ({A: numbered(40, l8=b"around", l10=b"feature")}, ""),
        ({A: b"// more\n" + numbered(40, l10=b"feature")}, ""),
        ({A: (EXECUTABLE, numbered(40, l10=b"feature"))}, ""),
        ({A: numbered(40, l10=b"feature"), b"mm/c.c": b"x\n"}, ""),
        ({b"mm/c.c": numbered(40, l10=b"feature")}, ""),
        ({A: numbered(40, l10=b"Feature")}, ""),
    ],
)
def test_what_is_the_same_patch(step: dict[bytes, Content], rule: str, place: Place) -> None:
    new, _ = place.carry(place.next(step))
    assert [one.rule for one in new.carried] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("step", "file", "holds"),
    [
        (USES, "", True),
        (USES, "mm/b.c", True),
        (USES, "mm/a.c", False),
        ({B: numbered(40, l20=b"call_it(0);", l22=b"near")}, "", False),  # the patch is another now
        (USES | {b"mm/new.c": b"call_it\n"}, "", False),
    ],
)
def test_an_accepted_finding_holds_where_only_equal_patches_have_its_symbol(
    step: dict[bytes, Content], file: str, holds: bool, place: Place
) -> None:
    known = Acceptance("absent-symbol", "call_it", file, "the module brings it")
    accepted.add(place.old.source.parent / accepted.FILE, [known])
    place.old = load(place.old.source)
    new, left = place.carry(place.next(SAME, step))
    why = f"{place.old.commits[1].commit[:12]} of v3, same change"
    assert new.accepted == ((replace(known, carried=why),) if holds else ())
    assert left.accepted == (not holds)


def test_it_is_shown_wherever_a_run_is(place: Place) -> None:
    new, _ = place.carry(place.next(SAME, USES), place.run(place.old))
    result = place.run(new)
    words = "of v3, patch-id: recorded onto"
    cases = Xml.fromstring(junit.render("new", [result])).iter("testcase")
    assert words in (next(cases).findtext("system-out") or "")
    assert "### Carried over" in markdown.render(result)
    assert words in str(next(view.carried_tree(result).children[0].children[0].label for _ in "x"))


def test_the_file_is_read_back_and_its_mistakes_are_named(tmp_path: Path) -> None:
    one = Carried("1" * 40, 'a "quoted" subject', "2" * 40, "v3", "patch-id", "merged", "v1", 2, 1)
    path = tmp_path / carried.FILE
    path.write_bytes(carried.dump([one, replace(one, verdict="", onto="", resolutions=0, accepted=0)]))
    assert carried.load(path)[0] == one
    for wrong in ("accepted = -1", "accepted = 'x'", "accepted = true", "nonsense = 1"):
        path.write_text(f"[[carried]]\ncommit='1'\nsubject='s'\nearlier='2'\nrevision='v'\nrule='r'\n{wrong}\n")
        with pytest.raises(InputError) as told:
            carried.load(path)
        assert told.value.where.startswith(f"{path}:")


def test_series_new_carries_and_says_what_stays_behind(place: Place) -> None:
    new = place.next(SAME, {B: numbered(40, l20=b"call_it(0);", l22=b"near")})
    span = f"{place.repo.text('rev-parse', new.commits[0].commit + '^')}..{new.commits[-1].commit}"
    words = ("series", "new", "third", "--commits", span, "--carry", str(place.old.source.parent), "--onto", place.onto)
    done = backport(*words, "--kernel", str(place.repo.path), cwd=place.folder)
    assert done.returncode == 0, done.stderr
    assert "patch-id; with 1 resolution carried over" in " ".join(done.stdout.split())
    assert "1 of 2 patches are as they were in old; left behind: 0 resolutions, 0 accepted findings" in " ".join(
        done.stdout.split()
    )
    assert load(place.folder / "patches/third/series.toml").recordings[0].commit == new.commits[0].commit

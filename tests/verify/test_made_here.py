"""Reports whose patches are no commit of upstream's: fixes folded in, and series that were posted and made into commits here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backport.ingest.mail.adopt import Wish, adopt
from backport.model.codec import decode
from backport.model.definition import Definition, Fold
from backport.model.difference import Difference
from backport.model.progress import Silent
from backport.model.result import RunResult
from backport.pipeline import Options, run
from backport.report import seal
from backport.verify.check import Subject, read, verify
from tests.gitrepo import Repo, definition, numbered

FILE = b"mm/a.c"
MAKEFILE = b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def ran(told: Definition, repo: Repo, onto: str, out: Path) -> list[Difference]:
    """What verify holds against a report that was just written."""
    run(Options(told, (str(repo.path),), onto, out, srpm=False), Silent())
    return verified(told, repo, out)


def verified(told: Definition | None, repo: Repo, out: Path) -> list[Difference]:
    result, changed = read(out / "report.json")
    return list(verify(Subject(out / "report.json", result, changed, (str(repo.path),), told), Silent()).differences)


@pytest.fixture
def folded(repo: Repo) -> tuple[Definition, str]:
    """A feature with its fix folded in, another commit between; and a target that has changed elsewhere."""
    base = repo.commit({FILE: numbered(30), b"Makefile": MAKEFILE}, b"base\n")
    feature = repo.on(base, {FILE: numbered(30, l10=b"feature")}, b"mm: feature\n\nWhy.\n")
    other = repo.on(feature, {FILE: numbered(30, l10=b"feature", l25=b"other")}, b"mm: other\n")
    fix = repo.on(other, {FILE: numbered(30, l10=b"fixed", l25=b"other")}, b"mm: fix; what is folded in\n")
    onto = repo.on(base, {FILE: b"// more\n" + numbered(30)}, b"target\n")
    fold = Fold(fix, repo.subject(fix), feature, 0)
    return replace(definition(repo, [feature, other, fix], base), folds=(fold,)), onto


def test_a_fix_that_was_folded_in(folded: tuple[Definition, str], repo: Repo, tmp_path: Path) -> None:
    told, onto = folded
    assert ran(told, repo, onto, tmp_path / "out") == []
    assert verified(None, repo, tmp_path / "out") == []


def test_a_conflict_with_a_fix_folded_in(folded: tuple[Definition, str], repo: Repo, tmp_path: Path) -> None:
    told, _ = folded
    onto = repo.on(told.base, {FILE: numbered(30, l10=b"the target's own")}, b"target\n")
    assert ran(told, repo, onto, tmp_path / "out") == []


def test_a_fold_that_there_was_not(folded: tuple[Definition, str], repo: Repo, tmp_path: Path) -> None:
    told, onto = folded
    assert ran(told, repo, onto, tmp_path / "out") == []
    path = tmp_path / "out/report.json"
    document = json.loads(path.read_bytes())
    document["patches"][0]["reason"] = ""
    body = {key: value for key, value in document.items() if key not in ("schema", "summary", seal.KEY)}
    result = decode(RunResult, body, "")
    found = verify(Subject(path, result, (), (str(repo.path),), told), Silent())
    assert {"patches", "patches[0].tree"} <= {one.place for one in found.differences}


def test_a_series_that_was_posted(repo: Repo, tmp_path: Path) -> None:
    """Its commits are in no history: they are made of the mails again."""
    base = repo.commit({FILE: numbered(30), b"Makefile": MAKEFILE}, b"base\n")
    repo.branch("master", base)
    feature = repo.on(base, {FILE: numbered(30, l10=b"feature")}, b"mm: feature\n\nWhy.\n")
    onto = repo.on(base, {FILE: b"// more\n" + numbered(30)}, b"target\n")
    repo.branch("target", onto)
    (tmp_path / "0001.patch").write_bytes(repo.git("format-patch", "--stdout", "-1", feature))
    made = adopt(Wish("posted", str(tmp_path / "0001.patch"), onto=onto), [str(repo.path)], tmp_path / "patches", Silent())
    repo.git("gc", "-q", "--prune=now")
    assert ran(made.definition, repo, onto, tmp_path / "out") == []


def test_code_in_a_text_that_is_no_c_file(repo: Repo, tmp_path: Path) -> None:
    """The rules know no functions in a document, and their evidence names none; verify had parsed one there."""
    path = b"Documentation/howto.txt"

    def howto(**lines: bytes) -> bytes:
        return b"An example:\n\nint probe(int card)\n{\n" + numbered(30, **lines) + b"}\n"

    base = repo.commit({path: howto(), b"Makefile": MAKEFILE}, b"base\n")
    drift = repo.on(base, {path: howto(l9=b"the old step")}, b"drift\n")
    patch = repo.on(drift, {path: howto(l9=b"the old step", l10=b"a new step")}, b"doc: a new step\n")
    onto = repo.on(base, {path: howto(l20=b"the target's own")}, b"target\n")
    assert ran(definition(repo, [patch], drift), repo, onto, tmp_path / "out") == []
    (outcome,) = read(tmp_path / "out/report.json")[0].patches
    assert [(item.rule, item.function) for item in outcome.files[0].evidence] == [("anchor", "")]

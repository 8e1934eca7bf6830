"""Follow-ups of KSM: what the first day would have said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backport.examine import Request
from backport.fixes import Answer, ask
from backport.git.clone import open_clone, resolve_one
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.catalog import data_folder
from backport.ingest.commits import ingest
from backport.ingest.definition import load
from backport.ingest.sources import Sources
from backport.model.definition import Definition, Fold
from backport.model.followups import Rank
from backport.model.progress import Silent
from backport.model.verdict import Verdict
from backport.replay.engine import replay

pytestmark = pytest.mark.kernel

MUNLOCK = "1c2fb7a4c2ca"


def follow_ups(definition: Definition, kernel: Path, until: str, onto: str = "v2.6.31") -> Answer:
    return ask(Request(("ksm",), definition, (str(kernel),), onto), until, Silent())


@pytest.fixture(scope="module")
def whole() -> Definition:
    return load(data_folder("patches") / "ksm" / "series.toml")


@pytest.fixture(scope="module")
def cut(whole: Definition) -> Definition:
    """As Fedora 12 had it before the deadlock was found."""
    at = [c.commit[:12] for c in whole.commits].index(MUNLOCK)
    return replace(whole, commits=whole.commits[:at])


def test_the_munlock_deadlock_is_mandatory_and_missing(cut: Definition, kernel: Path) -> None:
    answer = follow_ups(cut, kernel, "v2.6.33")
    mandatory = [f for f in answer.found if f.rank is Rank.MANDATORY]
    assert [f.commit[:12] for f in mandatory] == [MUNLOCK]
    assert mandatory[0].target is Verdict.MERGED
    assert mandatory[0].traces[0].rule == "blames"
    assert mandatory[0].traces[0].patch.startswith("9ba692948008")
    assert answer.needs_person
    assert len([f for f in answer.found if f.rank is Rank.LIKELY]) <= 4


def test_a_target_that_has_it_by_content(cut: Definition, kernel: Path) -> None:
    answer = follow_ups(cut, kernel, "v2.6.32", onto="v2.6.32")
    assert [f.target for f in answer.found if f.commit.startswith(MUNLOCK)] == [Verdict.ALREADY_PRESENT]
    assert not answer.needs_person


def test_of_the_whole_series_only_the_cast_for_32_bits_is_left(whole: Definition, kernel: Path) -> None:
    """Fedora met that one as #532215, on i686."""
    answer = follow_ups(whole, kernel, "v2.6.33")
    assert [f.commit[:12] for f in answer.found if f.rank is Rank.MANDATORY] == ["8a8365c560b8"]
    assert len(answer.found) <= 15
    assert not {"01e00f880ca7", "92f7ba70eecf"} & {f.commit[:12] for f in answer.found}  # the definition drops them


def test_the_munlock_fix_folded_into_what_it_fixes_gives_the_same_tree(whole: Definition, kernel: Path, tmp_path: Path) -> None:
    clones = (open_clone(kernel),)
    fix, into = (next(c for c in whole.commits if c.commit.startswith(oid)) for oid in (MUNLOCK, "9ba692948008"))
    told = replace(whole, folds=(Fold(fix.commit, fix.subject, into.commit, 0),))
    with Sources(clones).store(tmp_path / "store") as store:
        trees, history = Trees(store), History(store)
        onto = resolve_one(clones, "v2.6.31")
        made = [ingest(each, clones, store, Silent()) for each in (whole, told)]
        plain, folded = (replay(series, onto, store, trees, history, Silent()) for series in made)
    assert len(folded.outcomes) == len(plain.outcomes) - 1
    assert folded.tree == plain.tree

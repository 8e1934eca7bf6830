"""Follow-ups of KSM: what the first day would have said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backport.examine import Request
from backport.fixes import Answer, ask
from backport.ingest.catalog import data_folder
from backport.ingest.definition import load
from backport.model.definition import Definition
from backport.model.followups import Rank
from backport.model.progress import Silent
from backport.model.verdict import Verdict

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

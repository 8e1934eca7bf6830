"""Prerequisites on real backports, and on the one commit of KSM that 2.6.31 does not take.

`prerequisites.tsv` was made by reading: conflicts of the 2.6.32.y corpus in a random order (seed 4), each with the upstream
commit whose own diff takes away or adds the very lines on which target and upstream differ. Passed over were conflicts with
several such commits of equal weight, and those that the target's own lines make.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.examine import Request
from backport.git.clone import Clone, open_clone, resolve
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.adhoc import gather
from backport.ingest.sources import Sources
from backport.model.prerequisites import Needed, Role
from backport.model.progress import Silent
from backport.prerequisites import ask
from backport.replay.engine import replay
from backport.replay.policy import Policy
from backport.replay.prerequisites.suspects import suspects
from backport.replay.prerequisites.trial import Bench
from backport.replay.situation import Answers, Library

pytestmark = pytest.mark.kernel

ROWS = [line.split("\t") for line in (Path(__file__).parent / "prerequisites.tsv").read_text().splitlines()[1:]]
KVM = "3da0dd433dc399a8c0124d0614d82a09b6a49bce"


@pytest.fixture(scope="module")
def clones(kernel: Path) -> tuple[Clone, ...]:
    return tuple(open_clone(Path(path)) for path in os.environ["BACKPORT_KERNEL"].split(":") if path)


@pytest.fixture(scope="module")
def library(clones: tuple[Clone, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Sources(clones).store(tmp_path_factory.mktemp("prerequisites") / "store") as store:
        yield Library(store, Trees(store), History(store))


def first_three(upstream: str, stable: str, clones: tuple[Clone, ...], library: Library) -> list[str]:
    """Without the ladder: what it resolves is no conflict any more, and asks for no prerequisite."""
    onto = library.history.commit(stable).parents[0]
    series = gather([upstream], onto, clones, library.store, Silent())
    policy = Policy(ladder=lambda situation: Answers())
    replayed = replay(series, onto, library.store, library.trees, library.history, Silent(), policy=policy)
    bench = Bench(library, onto, {})
    found = suspects(replayed.outcomes[0], (), series.patches[0], bench)
    return [suspect.commit for suspect in found.found[:3]]


def test_the_true_prerequisite_is_among_the_first_three(clones: tuple[Clone, ...], library: Library) -> None:
    ids = resolve(clones, [oid for row in ROWS for oid in row[:3]])
    if None in ids:
        pytest.skip("BACKPORT_KERNEL lacks the 2.6.32.y commits, or mainline up to 2.6.38: name both, with `:` between")
    cases = [(ids[at] or "", ids[at + 1] or "", ids[at + 2] or "") for at in range(0, len(ids), 3)]
    missed = [u[:12] for u, s, wanted in cases if wanted not in first_three(u, s, clones, library)]
    assert len(cases) == 40
    assert len(missed) <= 6, missed  # 85 %


@pytest.fixture(scope="module")
def kvm(kernel: Path) -> Needed:
    (found,) = ask(Request((KVM,), None, (str(kernel),), "v2.6.31"), "", Silent()).needed
    return found


def test_the_kvm_commit_is_told_what_it_needs_and_why(kvm: Needed) -> None:
    roles = {candidate.commit[:12]: candidate.role for candidate in kvm.candidates}
    assert roles["852e3c19ac64"] is Role.LINES
    assert roles["d555c333aa54"] is roles["1403283acca3"] is Role.SYMBOL
    assert len(roles) == 5
    small = {candidate.commit[:12]: candidate.incidental for candidate in kvm.candidates}
    assert small["d555c333aa54"].startswith("only renames")


def test_its_plan_lands_whole(kvm: Needed) -> None:
    assert kvm.best is not None
    picks = [pick.commit[:12] for pick in kvm.best.picks]
    assert {"852e3c19ac64", "44ad9944f151", "d555c333aa54", "1403283acca3"} <= set(picks)
    assert len(picks) <= 12
    assert (kvm.best.conflicts, kvm.best.symbols) == (1, 3)


def test_and_can_be_adapted_by_hand_instead(kvm: Needed) -> None:
    (by_hand,) = [plan for plan in kvm.plans if not plan.picks]
    assert sum(adapted.lines for adapted in by_hand.adapt) <= 8
    assert [a.hint for a in by_hand.adapt if b"__set_spte" in a.adds] == ["the target spells it set_shadow_pte"]

"""An uncaught mutant is a finding on the probe, which its manifest may explain; the exit status follows the finding."""

from __future__ import annotations

from pathlib import Path

from backport.model.proof import Outcome, Proof
from backport.model.result import Proved
from backport.prove.boot import _explained, _uncaught
from backport.prove.build import Chain, Step
from backport.prove.probe import Probe, Survivor

MISSED = Proof("mutant", "mm/a.c:3 condition turned: if (a)", "x86_64", Outcome.PASSED)
STEPS = (("one", b"mm/a.c"), ("two", b"mm/a.c"), ("three", b"mm/b.c"))
CHAIN = Chain("v0", "", tuple(Step(name, "", "", (path,)) for name, path in STEPS))


def proved(*survivors: Survivor) -> Proved:
    proof = _explained(MISSED, Probe(Path(), (), 64, 5, (), survivors))
    return Proved([proof], [_uncaught(proof, CHAIN)])


def test_without_a_reason_it_needs_a_person() -> None:
    found = proved(Survivor("mm/b.c:3", "another"))
    assert found.needs_person
    assert (found.findings[0].path, found.findings[0].line, found.findings[0].patch) == (b"mm/a.c", 3, "two")


def test_with_a_reason_it_does_not() -> None:
    found = proved(Survivor("mm/a.c:3 condition", "dead code"))
    assert not found.needs_person
    assert found.findings[0].accepted == "dead code"
    assert not found.proofs[0].as_expected

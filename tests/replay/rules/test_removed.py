"""Files that upstream deletes and that read differently in the target."""

from __future__ import annotations

from backport.replay.rules.ladder import attempt
from backport.replay.situation import Resolution
from tests.replay.rules.ask import situation

BASE = b"".join(b"int step_%d(struct card *card)\n{\n\treturn card->step + %d;\n}\n\n" % (n, n) for n in range(12))


def best(ours: bytes, theirs: bytes | None = None) -> Resolution | None:
    return next(iter(attempt(situation(BASE, ours, theirs)).found), None)


def test_a_file_that_differs_in_a_line_goes_as_well() -> None:
    found = best(BASE.replace(b"card->step + 7", b"card->number + 7"))
    assert found is not None
    assert found.sure
    assert found.texts == {b"drivers/x.c": None}


def test_a_function_of_the_targets_own_goes_only_if_a_person_says_so() -> None:
    found = best(BASE + b"int mine(void)\n{\n\treturn 0;\n}\n")
    assert found is not None
    assert not found.sure


def test_an_older_state_of_the_file_is_a_suggestion() -> None:
    found = best(BASE.replace(b"card->step", b"old_step(card)"))
    assert found is not None
    assert not found.sure


def test_another_file_of_the_same_name_is_nothing() -> None:
    assert best(b"".join(b"void other_%d(void);\n" % n for n in range(40))) is None

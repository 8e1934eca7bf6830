"""Flags that a patch clears and that the target does not have."""

from __future__ import annotations

from backport.replay.rules.cleared import cleared
from tests.replay.rules.ask import ask, best, text

BASE = b"""#define LAMP_ON 1
#define LAMP_DIM 2

void lamp_reset(struct lamp *lamp)
{
	lamp_lock(lamp, LAMP_WAIT);
	lamp->state &= ~LAMP_ON;
	lamp_unlock(lamp);
}
"""
OURS = BASE.replace(b"#define LAMP_DIM 2\n", b"").replace(b"lamp, LAMP_WAIT", b"lamp")
CLEARS = b"\tlamp->state &= ~LAMP_DIM;\n"
THEIRS = BASE.replace(b"\tlamp->state &= ~LAMP_ON;\n", b"\tlamp_stop(lamp);\n" + CLEARS + b"\tlamp->state &= ~LAMP_ON;\n")


def test_what_clears_a_flag_that_nothing_sets_is_left_out() -> None:
    found = ask(cleared, BASE, OURS, THEIRS)
    assert found is not None
    assert text(found) == OURS.replace(b"\tlamp->state", b"\tlamp_stop(lamp);\n\tlamp->state")
    assert "the target has no LAMP_DIM" in found.evidence[0].why


def test_it_is_a_suggestion_and_the_plain_answer_is_shown_beside_it() -> None:
    found = best(BASE, OURS, THEIRS)
    assert found is not None
    assert not (found.sure and b"LAMP_DIM" not in (text(found) or b""))


def test_a_flag_that_the_target_has_is_cleared() -> None:
    assert ask(cleared, BASE, OURS.replace(b"#define", b"#define LAMP_DIM 4\n#define", 1), THEIRS) is None


def test_a_flag_of_a_header_may_be_set_by_others() -> None:
    theirs = THEIRS.replace(b"LAMP_DIM", b"GLOBAL_DIM")
    assert ask(cleared, BASE, OURS, theirs) is None


def test_setting_a_flag_is_never_left_out() -> None:
    assert ask(cleared, BASE, OURS, THEIRS.replace(CLEARS, b"\tlamp->state |= LAMP_DIM;\n")) is None


def test_a_statement_that_does_more_than_clear_stays() -> None:
    theirs = THEIRS.replace(CLEARS, b"\tlamp->state = (lamp->state & ~LAMP_DIM) | LAMP_ON;\n")
    assert ask(cleared, BASE, OURS, theirs) is None

"""What the target has already, and what it never had."""

from __future__ import annotations

from backport.replay.rules.present import present
from tests.replay.rules.ask import ask, text

BASE = b"int f(struct s *s)\n{\n\topen_it(s);\n\tcount_them(s);\n\tclose_it(s);\n\treturn 0;\n}\n"
ADDED = b"\tlock_it(s);\n\tcheck_it(s);\n"


def test_lines_to_delete_that_the_target_never_had() -> None:
    ours = BASE.replace(b"\tcount_them(s);\n", b"")
    found = ask(present, BASE, ours, ours)
    assert found is not None
    assert found.sure
    assert text(found) == ours


def test_lines_to_delete_that_stand_elsewhere_are_not_sure() -> None:
    ours = BASE.replace(b"\tcount_them(s);\n", b"").replace(b"\treturn 0;\n", b"\tcount_them(s);\n\treturn 0;\n")
    theirs = BASE.replace(b"\tcount_them(s);\n", b"")
    found = ask(present, BASE, ours, theirs)
    assert found is None or not found.sure


def test_half_of_what_is_added_is_there() -> None:
    ours = BASE.replace(b"\tclose_it(s);\n", b"\tlock_it(s);\n\tclose_it(s);\n")
    theirs = BASE.replace(b"\tclose_it(s);\n", ADDED + b"\tclose_it(s);\n")
    found = ask(present, BASE, ours, theirs)
    assert text(found) == theirs


def test_both_have_something_of_their_own_at_the_same_point() -> None:
    ours = BASE.replace(b"\tclose_it(s);\n", b"\tlock_it(s);\n\tmine(s);\n\tclose_it(s);\n")
    theirs = BASE.replace(b"\tclose_it(s);\n", ADDED + b"\tclose_it(s);\n")
    assert ask(present, BASE, ours, theirs) is None

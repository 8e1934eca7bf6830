"""The evidence of what landed speaks of the file that was made, not of the one before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backport.git.store import Store
from backport.model.evidence import Evidence
from backport.model.series import Entry
from backport.model.verdict import FileOutcome, PatchOutcome, Verdict
from backport.replay.evidence import functions, with_evidence

OURS = b"int first(void)\n{\n\treturn 1;\n}\n\nint second(int a)\n{\n\treturn a;\n}\n"
NEW = b"int between(void)\n{\n\treturn 3;\n}\n\nint second(long a)\n"
MADE = OURS.replace(b"int second(int a)\n", NEW)


def told(tmp_path: Path, line: int, function: str) -> Evidence:
    """What is said in the end of a rule's evidence about a line of MADE."""
    with Store(tmp_path, []) as store:
        ours, made = (Entry(0o100644, store.write("blob", text)) for text in (OURS, MADE))
        item = Evidence("anchor", b"kernel/x.c", function, line, 0, "the lines that the patch takes away are here")
        file = FileOutcome(b"kernel/x.c", b"kernel/x.c", "anchor", ours, ours, made, made, (item,))
        outcome = PatchOutcome("1" * 40, "subject", Verdict.RESOLVED, (file,))
        (found,) = with_evidence(outcome, store, ("parses-worse",)).files[0].evidence
        assert replace(found, function=function, checks=()) == item
        return found


def test_a_hunk_that_begins_with_a_new_function_is_in_that_one(tmp_path: Path) -> None:
    assert told(tmp_path, 6, "second").function == "between"


def test_the_function_of_a_line_that_is_in_it_stays(tmp_path: Path) -> None:
    assert told(tmp_path, 11, "second").function == "second"


def test_a_line_is_in_the_function_that_holds_it() -> None:
    assert set(functions(MADE, b"kernel/x.c", 8)) == {"between"}
    assert next(functions(MADE, b"Documentation/x.txt", 8)) == ""

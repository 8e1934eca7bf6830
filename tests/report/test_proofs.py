"""Proofs in every rendering: what is as it should be, what is not, and figures beside each other."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.model.proof import Check, Measure, Measured, Outcome, Proof
from backport.model.result import RunResult
from backport.report import document, figures, proofs
from backport.report.console import Console
from backport.report.markdown import render
from tests.report.examples import ksm

BOOT = Proof(
    "boot",
    "v2.6.31 with ksm",
    "x86_64, 2 processors, tcg",
    Outcome.PASSED,
    checks=(Check("one", "ok", "1"), Check("two", "skipped", "no debugfs")),
    console="proof/boot.console",
)
CONTROL = Proof("control", "v2.6.31", "x86_64, 2 processors, tcg", Outcome.ABSENT, "EINVAL")
TAKEN = (
    Measured("boot", BOOT.subject, BOOT.setup, (Measure("write", 100, "ns"), Measure("pages scanned", 123456, "pages/s"))),
    Measured("control", CONTROL.subject, CONTROL.setup, (Measure("write", 50, "ns"),)),
)
MUTANT = Proof("mutant", "mm/ksm.c:7 condition turned: if (a)", "x86_64", Outcome.FAILED, "one (0)")


def with_proofs(*found: Proof) -> RunResult:
    return replace(ksm(3), findings=(), proofs=found)


def shown(result: RunResult, measured: tuple[Measured, ...] = ()) -> str:
    stream = io.StringIO()
    with Console(stream) as console:
        console.show_result(result, "build/ksm", [], measured)
    return stream.getvalue()


def test_as_expected_depends_on_the_kind() -> None:
    assert BOOT.as_expected
    assert CONTROL.as_expected
    assert MUTANT.as_expected
    assert not replace(CONTROL, outcome=Outcome.PASSED).as_expected
    assert not replace(CONTROL, outcome=Outcome.FAILED).as_expected
    assert not replace(MUTANT, outcome=Outcome.PASSED).as_expected
    assert not replace(BOOT, outcome=Outcome.ABSENT).as_expected


def test_a_control_in_which_the_feature_works_needs_a_person() -> None:
    assert not with_proofs(BOOT, CONTROL, MUTANT).needs_person
    assert with_proofs(BOOT, replace(CONTROL, outcome=Outcome.PASSED)).needs_person


def test_the_report_gives_the_proofs_back() -> None:
    result = with_proofs(BOOT, CONTROL, MUTANT)
    assert document.load(document.dump(result), "report.json") == result


def test_the_console_shows_outcome_skipped_checks_and_figures_beside_each_other() -> None:
    text = shown(with_proofs(BOOT, CONTROL, MUTANT), TAKEN)
    assert "✓ passed" in text
    assert "✓ absent" in text
    assert "✓ caught" in text
    assert "skipped two  no debugfs" in text
    write = [line for line in text.splitlines() if " ns " in line]
    assert [line.count("█") for line in write] == [24, 12]
    (alone,) = [line for line in text.splitlines() if "123 456 pages/s" in line]
    assert "█" not in alone


def test_an_uncaught_mutant_stands_out() -> None:
    assert "✗ NOT caught" in shown(with_proofs(replace(MUTANT, outcome=Outcome.PASSED)))


def test_markdown_has_a_row_a_proof() -> None:
    text = render(with_proofs(BOOT, CONTROL), TAKEN)
    assert "| boot | `v2.6.31 with ksm` | x86_64, 2 processors, tcg | passed | 1 checks ok |" in text
    assert "| control | `v2.6.31` | x86_64, 2 processors, tcg | absent | EINVAL |" in text
    assert "boot, x86_64, 2 processors, tcg: write 100 ns, pages scanned 123456 pages/s" in text


def test_what_was_measured_is_beside_the_report_and_comes_back(tmp_path: Path) -> None:
    assert figures.load(tmp_path) == ()
    (tmp_path / figures.FILE).write_bytes(figures.dump(TAKEN))
    assert figures.load(tmp_path) == TAKEN
    assert b"123456" not in document.dump(with_proofs(BOOT, CONTROL))


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": "other"}', b'{"schema": "backport-figures/1", "boots": [7]}', b"\xff"])
def test_damaged_figures_are_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / figures.FILE).write_bytes(data)
    with pytest.raises(InputError, match="the figures are damaged"):
        figures.load(tmp_path)


def test_figures_of_a_hostile_console_do_nothing() -> None:
    evil = (Measured("boot", "s", "x86\x1b", (Measure("m\x1b[/]|", 7, "u\x1b"),)),)
    assert "\x1b" not in shown(with_proofs(BOOT), evil) + render(with_proofs(BOOT), evil)


def test_json_says_whether_all_is_as_expected() -> None:
    assert json.loads(proofs.dump([BOOT, CONTROL], [], []))["as_expected"] is True
    assert json.loads(proofs.dump([replace(BOOT, outcome=Outcome.FAILED)], [], []))["as_expected"] is False

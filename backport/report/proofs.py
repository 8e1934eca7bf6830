"""Proofs, as a table for people and as JSON for a CI job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from backport.model import codec
from backport.model.finding import Finding
from backport.model.proof import Measured, Outcome, Proof, Tool
from backport.model.result import Skipped
from backport.report.drift import finding
from backport.report.view import GUIDE, text

SCHEMA = "backport-proofs/1"

_BAR = 24


def dump(
    proofs: Sequence[Proof], findings: Sequence[Finding], skipped: Sequence[Skipped], measured: Sequence[Measured] = ()
) -> bytes:
    """All that was proved. What was measured stands by itself at the end: the rest is the same whenever the inputs are."""
    document = {
        "schema": SCHEMA,
        "as_expected": all(proof.as_expected for proof in proofs) and not any(found.blocks for found in findings),
        "proofs": [{**codec.encode(proof), "as_expected": proof.as_expected} for proof in proofs],
        "findings": [finding(found) for found in findings],
        "skipped": [codec.encode(item) for item in skipped],
        "measured": [codec.encode(boot) for boot in measured],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def blocks(proofs: Sequence[Proof], measured: Sequence[Measured] = ()) -> Iterator[RenderableType]:
    """One table of all proofs, then of each boot what its probe did not like, then the figures that probes took."""
    if proofs:
        yield Text("")
        yield proof_table(proofs)
    for proof in proofs:
        bad = [check for check in proof.checks if check.outcome != "ok"] if proof.kind == "boot" else []
        for check in bad:
            style = "yellow" if check.outcome == "skipped" else "bold red"
            yield text((f"  {check.outcome:<8}", style), (check.name, "bold"), (f"  {check.said}", GUIDE))
    if measured:
        yield Text("")
        yield measure_table(measured)


def proof_table(proofs: Sequence[Proof]) -> Table:
    """One row a proof: whether it says what it should, what it was, how it ended and why."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for name, fold in (("proof", False), ("what", True), ("with", True), ("outcome", False), ("", True)):
        table.add_column(name, no_wrap=not fold, overflow="fold")
    for proof in proofs:
        good = proof.as_expected
        word = {"mutant": {Outcome.FAILED: "caught", Outcome.ABSENT: "caught", Outcome.PASSED: "NOT caught"}}.get(proof.kind, {})
        said = word.get(proof.outcome, proof.outcome.value)
        why = proof.why or (f"{sum(c.outcome == 'ok' for c in proof.checks)} checks ok" if proof.checks else "")
        table.add_row(
            text((proof.kind, "")),
            text((proof.subject, "")),
            text((proof.setup, GUIDE)),
            text((f"{'✓' if good else '✗'} {said}", "green" if good else "bold red")),
            text((why, GUIDE)),
        )
    return table


def tool_table(tools: Sequence[Tool]) -> Table:
    """One row a program: whether it is there, what it is for, where it is or in which package."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("program", "for", "where"):
        table.add_column(name, overflow="fold")
    for tool in tools:
        mark = text((f"{'✓' if tool.found else '✗'} {tool.name}", "green" if tool.found else "yellow"))
        packages = f"missing: {tool.debian} (Debian), {tool.fedora} (Fedora)"
        table.add_row(mark, text((tool.purpose, GUIDE)), text((tool.found or packages, "" if tool.found else "yellow")))
    return table


def measure_table(measured: Sequence[Measured]) -> Table:
    """Figures by name, with a bar that compares those of one name: with and without the series, one processor and several.

    A figure that was taken once has none: there is nothing to compare it with.
    """
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("figure", no_wrap=True)
    table.add_column("kernel", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    taken = [(boot, measure) for boot in measured for measure in boot.measures]
    for name in dict.fromkeys(measure.name for _, measure in taken):
        rows = [(boot, measure) for boot, measure in taken if measure.name == name]
        most = max(measure.value for _, measure in rows) or 1
        for number, (boot, measure) in enumerate(rows):
            length = max(1 if measure.value else 0, round(_BAR * measure.value / most)) if len(rows) > 1 else 0
            kernel = f"{'without' if boot.kind == 'control' else 'with'}, {boot.setup}"
            shown = text((f"{measure.value:,} {measure.unit}".replace(",", " "), ""))
            table.add_row(text(("" if number else name, "")), text((kernel, GUIDE)), shown, Text("█" * length, "cyan"))
    return table

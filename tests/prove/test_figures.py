"""What a probe measures and the run's bytes: two runs that measured differently have the same report."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from backport import pipeline
from backport.ingest import catalog
from backport.model.progress import Silent
from backport.model.proof import Check, Measure, Measured, Outcome, Proof
from backport.model.result import Proved
from backport.report import document, figures
from backport.report.console import Console


def run(folder: Path, speed: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The sample, proved by something that measures `speed`; the report's bytes."""

    def prove(stages: object, landed: object, consoles: Path, progress: object) -> Proved:
        consoles.mkdir()
        (consoles / "boot.console").write_bytes(b"%d pages/s\n" % speed)
        proof = Proof("boot", "s", "x86_64, 1 processor, tcg", Outcome.PASSED, checks=(Check("one", "ok"),), console="proof/c")
        return Proved([proof], measured=[Measured("boot", "s", proof.setup, (Measure("speed", speed, "pages/s"),))])

    monkeypatch.setattr("backport.proving.prove", prove)
    definition = catalog.find("sample", [catalog.data_folder("patches")])
    options = pipeline.Options(definition, (), definition.onto, folder, srpm=False, prove=("boot",))
    pipeline.run(options, Silent())
    return (folder / pipeline.REPORT).read_bytes()


def test_the_report_is_the_same_and_the_figures_stand_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (run(tmp_path / name, speed, monkeypatch) for name, speed in (("one", 7654321), ("two", 1234567)))
    assert one == two
    assert b"7654321" not in one
    taken = figures.load(tmp_path / "one")
    assert [measure.value for boot in taken for measure in boot.measures] == [7654321]
    stream = io.StringIO()
    with Console(stream) as console:
        console.show_result(document.load(one, "report.json"), "build", [], taken)
    assert "7 654 321 pages/s" in stream.getvalue()

"""`backport verify REPORT`: hold a report against the histories and the files beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("report", type=click.Path(path_type=Path))
@shared.kernels
@shared.patches
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON instead.")
def command(report: Path, kernels: tuple[str, ...], patches: Path | None, as_json: bool) -> int:
    """Check REPORT (a report.json, or the folder of a run) without resolving anything again.

    Whatever follows from the histories is derived anew: merges, trees, commits, conflicts and their causes, patch files.
    Evidence and findings are looked up where they point. Every difference is named with its place; status 1 where there is one.
    """
    from backport.ingest import catalog
    from backport.report import verified
    from backport.report.console import Console
    from backport.verify.check import Subject, read, verify

    path = report / "report.json" if report.is_dir() else report
    result, changed = read(path)
    places = catalog.places(patches)
    definition = catalog.find(result.series, places) if result.series in catalog.names(places) else None
    subject = Subject(path, result, changed, shared.histories(kernels, definition), definition)
    with Console(quiet=as_json) as console:
        found = verify(subject, console)
        if as_json:
            sys.stdout.buffer.write(verified.dump(found))
        else:
            console.show(verified.render(found))
    return int(bool(found.differences))

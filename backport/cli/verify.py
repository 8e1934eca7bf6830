"""`backport verify REPORT`: hold a report against the histories and the files beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP


@click.command(epilog=STATUS_HELP)
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the commits (may be repeated).")
@click.option("--patches", type=click.Path(path_type=Path), metavar="DIR", help="A folder of series definitions, searched first.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON instead.")
def command(report: Path, kernels: tuple[str, ...], patches: Path | None, as_json: bool) -> int:
    """Check REPORT (a report.json, or the folder of a run) without resolving anything again.

    Whatever follows from the histories is derived anew: merges, trees, commits, conflicts and their causes, patch files.
    Evidence and findings are looked up where they point. Every difference is named with its place; status 1 where there is one.
    """
    from backport.ingest import catalog
    from backport.report import verified
    from backport.report.console import Console
    from backport.settings import default_kernels
    from backport.verify.check import Subject, read, verify

    path = report / "report.json" if report.is_dir() else report
    result, changed = read(path)
    places = catalog.places(patches)
    definition = catalog.find(result.series, places) if result.series in catalog.names(places) else None
    embedded = definition is not None and definition.embedded
    subject = Subject(path, result, changed, kernels or (() if embedded else default_kernels()), definition)
    with Console(quiet=as_json) as console:
        found = verify(subject, console)
        if as_json:
            sys.stdout.buffer.write(verified.dump(found))
        else:
            console.show(verified.render(found))
    return int(bool(found.differences))

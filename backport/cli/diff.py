"""`backport diff SERIES | REPORT`: upstream against backport, patch by patch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared

if TYPE_CHECKING:
    from backport.model.comparison import Comparison
    from backport.model.progress import Progress


@click.command(epilog=STATUS_HELP)
@click.argument("what", metavar="SERIES|REPORT")
@shared.kernels
@shared.onto
@shared.patches
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON instead.")
def command(what: str, kernels: tuple[str, ...], onto: str | None, patches: Path | None, as_json: bool) -> int:
    """Show in what the backport of SERIES differs from upstream; of a finished run, name its folder or report.json.

    Only what each patch adds and removes counts, not where it stands nor what is around it. Exit status 1 where one differs.
    """
    from backport.report import diff
    from backport.report.console import Console

    with Console(quiet=as_json) as console:
        found = _compared(what, kernels, onto, patches, console)
        if as_json:
            sys.stdout.buffer.write(diff.dump(found))
        else:
            console.show(diff.render(found))
    return int(any(one.parts for one in found))


def _compared(
    what: str, kernels: tuple[str, ...], onto: str | None, patches: Path | None, progress: Progress
) -> list[Comparison]:
    from backport import diff
    from backport.examine import Request
    from backport.ingest import catalog
    from backport.verify.check import read

    places = catalog.places(patches)
    path = Path(what) / "report.json" if Path(what).is_dir() else Path(what)
    if path.suffix == ".json" and path.is_file():
        result, _ = read(path)
        definition = catalog.find(result.series, places) if result.series in catalog.names(places) else None
        return diff.of_report(result, path.parent, shared.histories(kernels, definition), definition, progress)
    definition = catalog.find(what, places)
    request = Request((what,), definition, shared.histories(kernels, definition), onto or definition.onto)
    return diff.of_series(request, progress)

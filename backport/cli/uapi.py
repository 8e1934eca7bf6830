"""`backport uapi SERIES`: what programs see of a series, and whether it is stable."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("series")
@shared.kernels
@click.option("--at", "revisions", multiple=True, metavar="REV", help="Compare with this version [default: the range's end].")
@click.option("--onto", metavar="REV", help="Compare with the backport onto this [default: the definition's].")
@shared.patches
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(
    series: str, kernels: tuple[str, ...], revisions: tuple[str, ...], onto: str | None, patches: Path | None, as_json: bool
) -> int:
    """Show what SERIES adds to, changes in and removes from what programs see: numbers, ioctls, sysfs files, prompts ...

    Compares that with releases and with the backport; exit status 1 where something moved.
    """
    from backport.ingest import catalog
    from backport.report.console import Console
    from backport.report.uapi import dump, uapi_view
    from backport.uapi import userspace_api

    definition = catalog.find(series, catalog.places(patches))
    histories = shared.histories(kernels, definition)
    with Console(quiet=as_json) as console:
        answer = userspace_api(definition, histories, onto or definition.onto, revisions, console)
        if as_json:
            sys.stdout.buffer.write(dump(answer))
        else:
            console.show(uapi_view(answer))
    return int(not answer.stable)

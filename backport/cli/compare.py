"""`backport compare SERIES ONE OTHER`: what moved between two states of a posted series."""

from __future__ import annotations

import sys

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("series")
@click.argument("one")
@click.argument("other")
@click.option("--from", "source", default="", metavar="SOURCE", help="Where it was posted (see `backport ingest --help`).")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history: what programs see is compared as well.")
@click.option("--in", "tip", default="HEAD", show_default=True, metavar="REV", help="Where to look for what was merged.")
@click.option("--base", default="", metavar="REV", help="What it was posted on [default: found from its blob ids].")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(series: str, one: str, other: str, source: str, kernels: tuple[str, ...], tip: str, base: str, as_json: bool) -> int:
    """Compare two states of SERIES, patch by patch, only what differs in substance. Exit status 1 where something does.

    SERIES is a Message-ID or words of the title of what was posted; without --from, a definition. ONE and OTHER are revisions
    (v3, v4), `merged`, the folder of a finished run (build/NAME), or any file or folder with patches.
    """
    from backport.compare import Question, movement
    from backport.ingest import catalog
    from backport.report import moved
    from backport.report.console import Console

    definition = None if source else catalog.find(series, catalog.places())
    histories = shared.histories(kernels, definition)
    with Console(quiet=as_json) as console:
        found = movement(Question(series, source, (one, other), histories, tip, base, definition), console)
        if as_json:
            sys.stdout.buffer.write(moved.dump(found))
        else:
            console.show(moved.view(found))
    return int(not found.stable)

"""`backport sweep PAIRS`: many commits, each onto a target of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("pairs", type=click.Path(path_type=Path, dir_okay=False))
@shared.kernels
@click.option("--onto", metavar="REV", default="", help="One target for all: PAIRS then needs no more than commits.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Append to FILE, and go on where it ends.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="A bare repository for the resulting trees.")
@click.option("--drift/--no-drift", default=True, help="Ask what the added lines mean in the target, and say what was found.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes [default: as many as processors].")
@click.option("--dask", metavar="ADDRESS", help="Work on a Dask cluster instead (pip install 'backport[dask]').")
@click.option("--timing/--no-timing", default=True, help="Say how long each pair took; without, two runs are equal.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    pairs: Path,
    kernels: tuple[str, ...],
    onto: str,
    out: Path | None,
    keep: Path | None,
    drift: bool,
    workers: int | None,
    dask: str | None,
    timing: bool,
    quiet: bool,
) -> int:
    """Replay every commit of PAIRS onto its target; one line of JSON each, in the order of the list.

    PAIRS has COMMIT<TAB>REVISION on each line; further columns and lines that begin with # are passed over. A first line of
    names says which column is what: commit or upstream; onto, or stable (a commit that is the backport: the target is its
    parent). All --kernel together are one object store. What needs a person has no tree; that is no failure of a sweep.
    """
    from backport import sweep
    from backport.report.console import Console

    request = sweep.Request(
        pairs=pairs,
        kernels=shared.histories(kernels),
        onto=onto,
        out=out,
        keep=keep,
        drift=drift,
        timing=timing,
        workers=workers,
        dask=dask,
    )
    with Console(sys.stderr, quiet=quiet) as console:
        failed = sweep.run(request, console, sys.stdout.buffer)
    return int(failed > 0)

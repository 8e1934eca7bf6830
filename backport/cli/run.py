"""`backport run SERIES`: the whole stair."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("series")
@shared.kernels
@shared.onto
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write [default: build/SERIES].")
@click.option("--branch", metavar="NAME", help="Also publish the result as a branch in the (first) clone.")
@click.option("--tarball", type=click.Path(path_type=Path), metavar="FILE", help="The spec's Source0 [default: made].")
@click.option("--packager", metavar="'NAME <MAIL>'", help="Who signs the changelog [default: git's user, by its configuration].")
@click.option("--srpm/--no-srpm", default=True, help="Build the source RPM with rpmbuild.")
@click.option("--with-prerequisites", "prerequisites", is_flag=True, help="Put the cheapest complete plan before what conflicts.")
@click.option("--accept-suggestions", "suggestions", is_flag=True, help="Apply what rules suggest and the guard does not doubt.")
@click.option("--prove", metavar="build,boot", default="", help="Also build every step, and boot the result with its probe.")
@shared.patches
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead.")
@shared.quiet
def command(
    series: str,
    kernels: tuple[str, ...],
    onto: str | None,
    out: Path | None,
    branch: str | None,
    tarball: Path | None,
    packager: str | None,
    srpm: bool,
    prerequisites: bool,
    suggestions: bool,
    prove: str,
    patches: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Rebase SERIES onto its target and write patches, spec, SRPM and report.

    SERIES is a name (see `backport series list`) or a path to a series.toml. The clones are only read.
    """
    from backport import pipeline
    from backport.ingest import catalog
    from backport.report import figures
    from backport.report.console import Console
    from backport.report.summary import next_steps

    definition = catalog.find(series, catalog.places(patches))
    destination = out or Path("build") / definition.name
    options = pipeline.Options(
        definition=definition,
        kernels=shared.histories(kernels, definition),
        onto=onto or definition.onto,
        destination=destination,
        branch=branch,
        tarball=tarball,
        packager=packager,
        srpm=srpm,
        prerequisites=prerequisites,
        prove=tuple(filter(None, prove.split(","))),
        suggestions=suggestions,
    )
    with Console(quiet=quiet or as_json) as console:
        result = pipeline.run(options, console)
        if as_json:
            sys.stdout.buffer.write((destination / pipeline.REPORT).read_bytes())
        else:
            then = next_steps(result, str(destination), embedded=definition.embedded)
            console.show_result(result, str(destination), then, figures.load(destination))
    return int(result.needs_person)

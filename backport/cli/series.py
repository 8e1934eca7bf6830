"""`backport series list | show NAME | new NAME`."""

from __future__ import annotations

from pathlib import Path

import click

from backport.cli import STATUS_HELP

_patches = click.option("--patches", type=click.Path(path_type=Path), metavar="DIR", help="Definitions to search first.")


@click.group(name="series", epilog=STATUS_HELP)
def command() -> None:
    """List, show and write series definitions (patches/NAME/series.toml)."""


@command.command("list")
@_patches
def list_(patches: Path | None) -> None:
    """List the series that are defined here."""
    from backport.ingest import catalog
    from backport.ingest.definition import load
    from backport.report.console import Console

    known = catalog.names(catalog.places(patches))
    with Console() as console:
        console.show_series_table([load(path) for _, path in sorted(known.items())])


@command.command()
@click.argument("name")
@_patches
def show(name: str, patches: Path | None) -> None:
    """Show one definition: its commits by topic, what it drops and why."""
    from backport.ingest import catalog
    from backport.report.console import Console

    with Console() as console:
        console.show_definition(catalog.find(name, catalog.places(patches)))


@command.command()
@click.argument("name")
@click.argument("paths", nargs=-1)
@click.option("--commits", "span", required=True, metavar="A..B", help="The upstream range to take commits from.")
@click.option("--grep", default="", metavar="RE", help="Only commits whose message matches (extended, any case).")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the commits.")
@click.option("--onto", metavar="REV", help="The target [default: A].")
@click.option("--title", help="What the series is [default: NAME].")
@click.option("--config", "symbols", multiple=True, metavar="SYMBOL=VALUE", help="A Kconfig symbol to set (may be repeated).")
@click.option("--patches", type=click.Path(path_type=Path), default=Path("patches"), show_default=True, help="Where to write it.")
def new(
    name: str,
    paths: tuple[str, ...],
    span: str,
    grep: str,
    kernels: tuple[str, ...],
    onto: str | None,
    title: str | None,
    symbols: tuple[str, ...],
    patches: Path,
) -> None:
    """Write patches/NAME/series.toml from the commits A..B (that touch PATHS), oldest first, without merges."""
    from backport.ingest.select import Selection, select, write
    from backport.report.console import Console
    from backport.settings import default_kernels

    selection = Selection(name, title or name, span, paths, grep, onto or span.split("..")[0], symbols)
    definition = write(select(selection, kernels or default_kernels()), patches)
    with Console() as console:
        console.show_definition(definition)
        console.show_text(f"written to {definition.source}")

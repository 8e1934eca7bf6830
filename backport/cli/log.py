"""`backport log [SERIES]`: the last run again, from its report."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP


@click.command(epilog=STATUS_HELP)
@click.argument("series", required=False)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder [default: the newest in build/].")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--markdown", is_flag=True, help="Print it as Markdown, for a bug or a CI summary.")
def command(series: str | None, out: Path | None, as_json: bool, markdown: bool) -> int:
    """Show what the last run found, without running anything: its exit status is that run's."""
    from backport.report import document, figures
    from backport.report.console import Console
    from backport.report.summary import next_steps

    folder = out or (Path("build") / series if series else _newest(Path("build")))
    path = folder / "report.json"
    result = document.load(_read(path), str(path))
    if as_json:
        sys.stdout.buffer.write(path.read_bytes())
    elif markdown:
        from backport.report.markdown import render

        sys.stdout.buffer.write(render(result, figures.load(folder)).encode())
    else:
        with Console() as console:
            console.show_result(result, str(folder), next_steps(result, str(folder)), figures.load(folder))
    return int(result.needs_person)


def _read(path: Path) -> bytes:
    from backport.model.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"there is no report: {error.strerror}", where=str(path), then="backport run SERIES") from error


def _newest(build: Path) -> Path:
    """The folder of the run that ended last; `build` itself where there is none, for the message."""
    reports = sorted(build.glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    return reports[-1].parent if reports else build

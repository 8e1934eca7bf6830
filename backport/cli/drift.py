"""`backport drift`: what a series, commits or patch files would mean in a target, without packaging anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared, subject

if TYPE_CHECKING:
    from backport.model.finding import Finding
    from backport.model.result import Skipped

FORMATS = ("tree", "json", "sarif", "github")


@click.command(epilog=STATUS_HELP)
@click.argument("what", nargs=-1, required=True)
@shared.kernels
@shared.onto
@shared.patches
@click.option("--kabi-whitelist", type=click.Path(path_type=Path), metavar="FILE", help="Symbols whose kABI must not change.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="tree", show_default=True, help="How to print it.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def command(
    what: tuple[str, ...],
    kernels: tuple[str, ...],
    onto: str | None,
    patches: Path | None,
    kabi_whitelist: Path | None,
    form: str,
    as_json: bool,
) -> int:
    """Check WHAT (a series; or commits, ranges A..B, patch files) for API drift on --onto.

    Says every way known to it in which the added lines mean something else in the target. Nothing is written.
    """
    from backport import __version__, examine
    from backport.report.console import Console

    form = "json" if as_json else form
    request = subject.request(what, kernels, onto, patches, kabi_whitelist)
    with Console(quiet=form != "tree") as console:
        found = examine.drift(request, console)
        if form == "tree":
            console.show_findings(found.findings, found.skipped)
        else:
            sys.stdout.buffer.write(_rendered(form, request.onto, found.findings, found.skipped, __version__))
    return int(any(f.blocks for f in found.findings))


def _rendered(form: str, onto: str, findings: Sequence[Finding], skipped: Sequence[Skipped], version: str) -> bytes:
    from backport.report import annotations, drift, sarif

    if form == "json":
        return drift.dump(onto, findings, skipped)
    return sarif.render(findings, version) if form == "sarif" else annotations.render(findings)

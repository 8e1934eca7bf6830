"""`backport fixes SERIES|COMMIT... --until REV`: which later commits belong to it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared, subject


@click.command(epilog=STATUS_HELP)
@click.argument("what", nargs=-1, required=True)
@click.option("--until", required=True, metavar="REV", help="Where to stop looking: a release, a branch.")
@shared.kernels
@click.option("--onto", metavar="REV", help="The target that may have them [default: the one that the definition names].")
@shared.patches
@click.option("--all", "everything", is_flag=True, help="Show every commit that may matter, not only the first ten.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(
    what: tuple[str, ...],
    until: str,
    kernels: tuple[str, ...],
    onto: str | None,
    patches: Path | None,
    everything: bool,
    as_json: bool,
) -> int:
    """Find the commits up to --until that fix, revert or change what WHAT (a series; or commits, ranges) brought.

    Ranked mandatory, likely, maybe, each with the reason, and whether the target has it, by content. Exit status 1 where
    something mandatory is missing.
    """
    from backport import fixes
    from backport.report import fixes as report
    from backport.report.console import Console

    with Console(quiet=as_json) as console:
        asked = subject.request(what, kernels, onto, patches)
        answer = fixes.ask(asked, until, console)
        if as_json:
            sys.stdout.buffer.write(report.dump(asked.onto, until, answer.found, answer.skipped))
        else:
            console.show(report.fix_tree(asked.onto, until, answer.found, answer.skipped, everything=everything))
    return int(answer.needs_person)

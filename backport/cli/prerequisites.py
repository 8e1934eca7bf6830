"""`backport prerequisites COMMIT|SERIES`: what would have to be picked first, or adapted, and what each way costs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared, subject


@click.command(epilog=STATUS_HELP)
@click.argument("what", nargs=-1, required=True)
@shared.kernels
@shared.onto
@click.option("--base", default="", metavar="REV", help="Where upstream and target parted [default: found].")
@shared.patches
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def command(
    what: tuple[str, ...], kernels: tuple[str, ...], onto: str | None, base: str, patches: Path | None, as_json: bool
) -> int:
    """Find what WHAT (a series; or commits, ranges A..B) needs before it lands on --onto.

    For each patch that does not land: the upstream commits that made the difference, and plans, each really tried, the cheapest
    complete one first. Nothing is written. Exit status 1 where a patch has no complete plan.
    """
    from backport import prerequisites
    from backport.report import prerequisites as report
    from backport.report.console import Console

    with Console(quiet=as_json) as console:
        asked = subject.request(what, kernels, onto, patches)
        answer = prerequisites.ask(asked, base, console)
        if as_json:
            sys.stdout.buffer.write(report.dump(asked.onto, answer.needed, answer.skipped))
        else:
            console.show(report.plan_tree(asked.onto, answer.needed, answer.skipped))
    return int(answer.needs_person)

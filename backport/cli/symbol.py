"""`backport symbol NAME --at REV --at REV`: what a name is in each version, and who changed it between."""

from __future__ import annotations

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("name")
@click.option("--at", "revisions", multiple=True, required=True, metavar="REV", help="A version to look in (may be repeated).")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history that has them (may be repeated).")
def command(name: str, revisions: tuple[str, ...], kernels: tuple[str, ...]) -> int:
    """Show where NAME is declared at each REV, with what signature, and which commits changed it between the first and the last.

    Exit status 1 where the versions differ.
    """
    from backport import lookup
    from backport.report.console import Console
    from backport.report.symbols import symbol_tree

    with Console() as console, lookup.open_trees(revisions, shared.histories(kernels), console) as found:
        answers = lookup.symbol(name, found)
        console.show(symbol_tree(name, answers))
    return int(answers.differ)

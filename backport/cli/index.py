"""`backport index TREE`: read a whole tree into the index, so that later questions are answered at once."""

from __future__ import annotations

import click

from backport.cli import STATUS_HELP, shared


@click.command(epilog=STATUS_HELP)
@click.argument("revisions", metavar="TREE...", nargs=-1, required=True)
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history that has it (may be repeated).")
def command(revisions: tuple[str, ...], kernels: tuple[str, ...]) -> None:
    """Read every C file of each TREE (a revision) into the index in the cache; what another tree brought is not read again."""
    from backport import lookup
    from backport.report.console import Console

    with Console() as console, lookup.open_trees(revisions, shared.histories(kernels), console) as found:
        for tree in found:
            console.show_text(f"{tree.revision}: {tree.survey.blobs} files in the index")

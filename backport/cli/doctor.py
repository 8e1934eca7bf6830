"""`backport doctor`: what is installed, what is missing, and the one command that installs it."""

from __future__ import annotations

import click

from backport.cli import STATUS_HELP


@click.command(epilog=STATUS_HELP)
def command() -> int:
    """List the programs that backport calls, what each is for, and the one command that installs what is missing.

    Exit status 3 where something is missing that a command cannot do without.
    """
    from backport.prove import doctor
    from backport.report import proofs
    from backport.report.console import Console

    found = doctor.examine()
    with Console() as console:
        console.show(proofs.tool_table(found))
        if wanted := doctor.install(found):
            console.show_text("")
            console.show_text(f"  $ {wanted}")
    return 3 if any(not tool.found and tool.needed for tool in found) else 0

"""`backport resolve SERIES`, then `continue`, `skip`, `status`, `abort`: a person's turn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared

if TYPE_CHECKING:
    from backport.report.console import Console
    from backport.resolve.flow import Wish

WORDS = ("continue", "skip", "status", "abort")


@click.command(epilog=STATUS_HELP)
@click.argument("what", metavar="SERIES|continue|skip|status|abort", required=False)
@shared.kernels
@shared.onto
@click.option(
    "--in", "folder", type=click.Path(path_type=Path), metavar="DIR", help="The worktree [default: build/SERIES.resolve]."
)
@shared.patches
@click.option(
    "--accept", "reason", default="", metavar="REASON", help="With continue: take it despite the findings, and say why."
)
@click.option("--continue", "word", flag_value="continue", help="The same as the word, as git spells it; so are the next three.")
@click.option("--skip", "word", flag_value="skip")
@click.option("--status", "word", flag_value="status")
@click.option("--abort", "word", flag_value="abort")
def command(
    what: str | None,
    kernels: tuple[str, ...],
    onto: str | None,
    folder: Path | None,
    patches: Path | None,
    reason: str,
    word: str | None,
) -> int:
    """Decide by hand what no rule may decide: opens a small worktree for each patch of SERIES that needs a person.

    Edit the files there, then `backport resolve continue`. What you decide is recorded beside the definition
    (patches/NAME/resolutions/) and used again, on this target and on others. The clones are only read.

    \b
    continue   take the files as they are now, if no conflict is left and the guard agrees; go on
    skip       leave this patch out, for this session; go on
    status     show the patch that waits, and what is left to do
    abort      end the session; what was recorded is kept
    """  # noqa: D301
    from backport.report.console import Console

    word = word or (what if what in WORDS else None)
    if word is None and what is None:
        raise click.UsageError("say which SERIES, or one of: " + ", ".join(WORDS))
    if reason and word != "continue":
        raise click.UsageError("--accept goes with continue")
    with Console() as console:
        if word is None:
            return _begin(_wish(str(what), kernels, onto, folder, patches), console)
        return _go_on(word, folder, reason, console)


def _wish(series: str, kernels: tuple[str, ...], onto: str | None, folder: Path | None, patches: Path | None) -> Wish:
    from backport.ingest import catalog
    from backport.resolve.flow import Wish

    places = catalog.places(patches)
    definition = catalog.find(series, places)
    return Wish(
        definition=definition,
        kernels=shared.histories(kernels, definition),
        onto=onto or definition.onto,
        folder=folder or Path("build") / f"{definition.name}.resolve",
        records=catalog.writable(definition, places),
        places=tuple(places),
    )


def _begin(wish: Wish, console: Console) -> int:
    from backport.report import turn
    from backport.resolve import flow

    found = flow.begin(wish, console)
    console.show(turn.render(found))
    return int(found.outcome is not None)


def _go_on(word: str, given: Path | None, reason: str, console: Console) -> int:
    from backport.report import turn
    from backport.resolve import flow, session

    folder = session.find(given, Path.cwd())
    if word == "abort":
        console.show(turn.ended(str(folder), flow.abort(folder)))
        return 0
    if word == "continue":
        found = flow.proceed(folder, reason, console)
    else:
        found = flow.skip(folder, console) if word == "skip" else flow.status(folder)
    console.show(turn.render(found))
    return int(found.outcome is not None)

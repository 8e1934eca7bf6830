"""`backport series list | show NAME | new NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backport.ingest.mail.adopt import Wish
    from backport.ingest.mail.source import Mails
    from backport.model.attestation import Attested
    from backport.model.definition import Definition
    from backport.model.mail import Lineage


@click.group(name="series", epilog=STATUS_HELP)
def command() -> None:
    """List, show and write series definitions (patches/NAME/series.toml)."""


@command.command("list")
@shared.patches
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
@click.option("--from", "source", metavar="SOURCE", help="Show a posted series' life: NAME is its id there.")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="With --from: the history that it may be merged in.")
@click.option("--in", "tip", default="HEAD", show_default=True, metavar="REV", help="With --from: which branch or release.")
@signed.options
@shared.patches
def show(
    name: str,
    source: str | None,
    kernels: tuple[str, ...],
    tip: str,
    attestation: str,
    keyrings: tuple[str, ...],
    dns: bool,
    patches: Path | None,
) -> None:
    """Show one definition: its commits by topic, what it drops and why. Or the life of a posted series.

    That is: its revisions and how they were linked, what people gave to them, and what became of each patch in a history.
    """
    from backport.ingest import catalog
    from backport.report.console import Console

    with Console() as console:
        if source is None:
            console.show_definition(catalog.find(name, catalog.places(patches)))
            return
        from backport.posted import life
        from backport.report.mail import life_tree

        told: dict[str, Attested] = {}

        def look(mails: Mails, found: Lineage) -> None:
            told.update(signed.check(attestation, mails.read, found, keyrings, dns=dns))

        found, fate = life(name, source, shared.histories(kernels), tip, console, look)
        console.show(life_tree(found, fate, told))


@command.command()
@click.argument("name")
@click.argument("paths", nargs=-1)
@click.option("--commits", "span", metavar="A..B", help="The upstream range to take commits from.")
@click.option("--from", "source", metavar="SOURCE", help="Take a posted series from mail instead (see `backport ingest --help`).")
@click.option("--series", "wanted", default="", metavar="ID", help="With --from: which series, by Message-ID or title words.")
@click.option("--revision", default="", metavar="vN", help="With --from: which revision [default: the last that is whole].")
@click.option("--base", default="", metavar="REV", help="With --from: what it was made on [default: found from its blob ids].")
@click.option("--guard", "guards", multiple=True, metavar="NAME", help="With --from: a guard that holds in a quilt series.")
@click.option("--allow-hidden", is_flag=True, help="With --from: take code with bidirectional or zero-width characters.")
@click.option("--trailers/--no-trailers", default=True, help="With --from: add what replies gave (Reviewed-by ...), as b4 does.")
@click.option("--sloppy-trailers", "sloppy", is_flag=True, help="With --from: also those that are not their sender's.")
@click.option(
    "--with-prerequisites", "prerequisites", is_flag=True, help="With --from: put in front what it needs and was only posted."
)
@signed.options
@click.option("--grep", default="", metavar="RE", help="Only commits whose message matches (extended, any case).")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the commits.")
@click.option("--onto", metavar="REV", help="The target [default: A].")
@click.option("--title", help="What the series is [default: NAME].")
@click.option("--config", "symbols", multiple=True, metavar="SYMBOL=VALUE", help="A Kconfig symbol to set (may be repeated).")
@click.option("--carry", metavar="SERIES|REPORT", help="An earlier revision: decisions about equal patches hold here too.")
@click.option("--patches", type=click.Path(path_type=Path), default=Path("patches"), show_default=True, help="Where to write it.")
def new(
    name: str,
    paths: tuple[str, ...],
    span: str | None,
    source: str | None,
    wanted: str,
    revision: str,
    base: str,
    guards: tuple[str, ...],
    allow_hidden: bool,
    trailers: bool,
    sloppy: bool,
    prerequisites: bool,
    attestation: str,
    keyrings: tuple[str, ...],
    dns: bool,
    grep: str,
    kernels: tuple[str, ...],
    onto: str | None,
    title: str | None,
    symbols: tuple[str, ...],
    carry: str | None,
    patches: Path,
) -> None:
    """Write patches/NAME/series.toml from the commits A..B (that touch PATHS), or from a series that was posted.

    Of commits, merges are left out, the oldest comes first. Of a posted series the mails are kept beside the definition. With
    --carry, resolutions, accepted findings and verdicts of patches with the same patch-id or the same change come along.
    """
    from backport.ingest.select import Selection, select, write
    from backport.report.console import Console

    if (span is None) == (source is None):
        raise click.UsageError("give one of --commits A..B and --from SOURCE")
    if span is None:
        from backport.ingest.mail.adopt import Wish
        from backport.model.attestation import Policy

        wish = Wish(
            name, source or "", wanted, revision, title or "", base, onto or "", guards, allow_hidden,
            Policy(attestation), signed.places(keyrings) if attestation != "off" else (), dns, trailers, sloppy, prerequisites,
        )  # fmt: skip
        definition = _adopt(wish, kernels, patches)
        _carry(definition, carry, kernels, patches)
        return
    selection = Selection(name, title or name, span, paths, grep, onto or span.split("..")[0], symbols)
    definition = write(select(selection, shared.histories(kernels)), patches)
    with Console() as console:
        console.show_definition(definition)
        console.show_text(f"written to {definition.source}")
    _carry(definition, carry, kernels, patches)


def _carry(definition: Definition, what: str | None, kernels: Sequence[str], patches: Path) -> None:
    """Carry over what is known of an earlier revision, and show what came along and what stays behind."""
    if what is None:
        return
    from backport.carry import Earlier, carry
    from backport.ingest import catalog
    from backport.report.console import Console
    from backport.verify.check import read

    places = catalog.places(patches)
    path = Path(what) / "report.json" if Path(what).is_dir() else Path(what)
    results = [read(path)[0]] if path.suffix == ".json" and path.is_file() else []
    earlier = catalog.find(results[0].series if results else what, places)
    made, left = carry(Earlier(earlier, earlier.name, tuple(results)), definition, shared.histories(kernels))
    with Console() as console:
        for one in made.carried:
            console.show_text(f"{one.commit[:12]} {one.subject}: {one.told}")
        many = f"{len(made.carried)} of {len(made.commits)} patches are as they were in {earlier.name}"
        console.show_text(f"{many}; left behind: {left.resolutions} resolutions, {left.accepted} accepted findings")


def _adopt(wish: Wish, kernels: Sequence[str], patches: Path) -> Definition:
    from backport.ingest.mail.adopt import adopt
    from backport.report.console import Console
    from backport.report.mail import attestation_line

    with Console() as console:
        made = adopt(wish, shared.histories(kernels), patches, console)
        console.show_definition(made.definition)
        base = made.base
        known = f"{base.have} of {base.want} files as posted"
        console.show_text(f"posted as {made.revision.version}, made on {base.name} ({base.commit[:12]}): {base.rule}, {known}")
        for told in made.attested:
            console.show(attestation_line(told))
        given = sum(len(row.trailers) for row in made.definition.commits)
        if given:
            console.show_text(f"{given} trailers from replies were put below the patches")
        for note in made.notes:
            console.show_text(f"{note.kind}: {note.what}")
        if made.filled:
            console.show_text(f"{made.filled} patches were taken from the revision that it mends")
        console.show_text(f"written to {made.definition.source}")
        return made.definition


@command.command()
@click.argument("name")
@click.argument("fix")
@click.argument("into", required=False, default="")
@click.option("--undo", is_flag=True, help="Take the fold out of the definition again.")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the commits.")
@shared.patches
def fold(name: str, fix: str, into: str, undo: bool, kernels: tuple[str, ...], patches: Path | None) -> None:
    """Squash FIX into INTO, the commit of the series that it fixes: they make one patch from now on.

    Writes a [[fold]] into the definition, nothing else of which is changed. Refused where FIX does not apply directly on INTO.
    """
    from backport import fold as folding
    from backport.ingest import catalog
    from backport.report.console import Console

    definition = catalog.find(name, catalog.places(patches))
    with Console() as console:
        if undo:
            folding.unfold(definition, fix)
            console.show_text(f"{fix[:12]} has its own place again in {definition.source}")
            return
        known = shared.histories(kernels, definition)
        made = folding.fold(definition, fix, into, known, console)
        console.show_text(f"{made.commit[:12]} {made.subject}: folded into {made.into[:12]} in {definition.source}")

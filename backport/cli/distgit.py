"""`backport distgit import | export`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared

_path = click.Path(path_type=Path)
_into = click.option(
    "--into", "repository", type=_path, default=Path("build/distgit.git"), show_default=True, help="The branch's repository."
)


@click.group(name="distgit", epilog=STATUS_HELP)
def command() -> None:
    """A dist-git folder as a target: its patches as a branch, and a branch back as patch files."""


@command.command("import")
@click.argument("folder", type=_path)
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the base (may be repeated).")
@click.option("--base", default="", metavar="REV", help="What the spec's Source0 holds, as a revision of a history.")
@click.option("--tarball", type=_path, metavar="FILE", help="The Source0 itself, instead of --base.")
@_into
@click.option("--branch", default="distgit", show_default=True, metavar="NAME", help="The branch to make.")
@click.option("--arch", "cpu", default="x86_64", show_default=True, help="For %ifarch.")
@click.option("--define", "defines", multiple=True, metavar="'NAME VALUE'", help="A macro, as for rpmbuild (may be repeated).")
@click.option("--skip", multiple=True, metavar="PATCH", help="Leave this one out: the base has it (may be repeated).")
def import_(
    folder: Path,
    kernels: tuple[str, ...],
    base: str,
    tarball: Path | None,
    repository: Path,
    branch: str,
    cpu: str,
    defines: tuple[str, ...],
    skip: tuple[str, ...],
) -> int:
    """Make a branch of FOLDER: its base, then one commit for each patch that kernel.spec applies, in its order.

    Nothing of the spec is run. A patch that is missing or does not apply is named with its line, and left out. Then:

    \b
      backport run SERIES --kernel build/distgit.git --kernel LINUX --onto distgit
    """  # noqa: D301
    from backport import distgit
    from backport.package.distgit.branch import Wanted
    from backport.report.console import Console

    pairs = tuple((name, value) for name, _, value in (define.partition(" ") for define in defines))
    wanted = Wanted(cpu, pairs, skip)
    request = distgit.Import(folder, shared.histories(kernels), base, tarball, repository, branch, wanted)
    with Console() as console:
        made = distgit.import_(request, console)
        for failed in made.failed:
            console.show_text(f"✗ kernel.spec:{failed.how.line} {failed.how.name}: {failed.why}")
        for skipped in made.skipped:
            console.show_text(f"· kernel.spec:{skipped.how.line} {skipped.how.name}: {skipped.why}")
        console.show_text(f"{branch} {made.tip[:12]} in {repository}: {len(made.landed)} commits on {made.base[:12]}")
    return int(bool(made.failed))


@command.command()
@click.argument("folder", type=_path)
@_into
@click.option("--branch", required=True, metavar="NAME", help="The branch to write back.")
@click.option("--series", default="", metavar="NAME", help="What the new commits on it are called in the spec.")
@click.option("--patches", type=_path, metavar="DIR", help="Definitions to search first.")
@click.option("--packager", metavar="'NAME <MAIL>'", help="Who signs the changelog [default: git's user].")
@click.option("--date", "day", metavar="YYYY-MM-DD", help="Of the changelog entry [default: the newest patch's].")
@click.option("--in-place", is_flag=True, help="Write it. Without, the difference is printed and nothing is written.")
def export(
    folder: Path,
    repository: Path,
    branch: str,
    series: str,
    patches: Path | None,
    packager: str | None,
    day: str | None,
    in_place: bool,
) -> int:
    """Write the BRANCH back to FOLDER: changed patches as files, new commits as a series in kernel.spec.

    All patch files are applied to the base first, in the spec's order and by its own command: that must give the branch's
    tree. Says which patches of the spec the series makes obsolete, and which have left the branch.
    """
    from backport import distgit
    from backport.ingest import catalog
    from backport.package import edit
    from backport.report.console import Console

    folders = catalog.places(patches)
    definition = catalog.find(series, folders) if series in catalog.names(folders) else None
    request = distgit.Export(folder, repository, branch, series, definition, packager, day)
    with tempfile.TemporaryDirectory(prefix="backport-distgit-") as scratch:
        made = distgit.export_(request, Path(scratch) / "export.git")
    if in_place:
        distgit.write(made, folder)
    elif made.edited is not None:
        sys.stdout.buffer.write(edit.diff(made.edited, folder / "kernel.spec"))
        sys.stdout.flush()
    with Console(None if in_place else sys.stderr) as console:
        for file in made.changed:
            console.show_text(f"{'written ' if in_place else 'changed '} {folder / file.name}")
        for name in list(made.edited.files) if made.edited and in_place else []:
            console.show_text(f"written  {folder / name}")
        for name in made.gone:
            console.show_text(f"gone     {name}: no commit of the branch has it any more; the spec still applies it")
        for one in made.covered:
            word = "obsolete" if one.obsolete else "partly  "
            console.show_text(f"{word} {one.name}: the series brings {one.same} of its {one.lines} changed lines")
        if not made.changed and made.edited is None and not made.gone:
            console.show_text("nothing to do: the folder is as the branch is")
    return 0

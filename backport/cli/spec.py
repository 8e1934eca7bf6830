"""`backport spec edit | remove | check | new`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared

if TYPE_CHECKING:
    from backport.model.definition import Definition
    from backport.package.change import Change
    from backport.package.document import Document
    from backport.package.edit import Edited
    from backport.package.plan import PatchFile

_path = click.Path(path_type=Path)
_trust = click.option("--trust-spec", is_flag=True, help="Have rpm read the spec. Reading a spec runs what is in it.")
_write = click.option("--in-place", is_flag=True, help="Write it. Without, the difference is printed and nothing is written.")
_diff = click.option("--diff", "as_diff", is_flag=True, help="Print the difference [default without --in-place].")
_series = click.option("--series", required=True, metavar="NAME", help="The series, see `backport series list`.")
_patches = click.option(
    "--patches", type=_path, metavar="DIR", help="Its patch files [default: build/NAME/patches]; or definitions to search first."
)
_packager = click.option("--packager", metavar="'NAME <MAIL>'", help="Who signs the changelog [default: git's user].")
_config = click.option("--config", "symbols", multiple=True, metavar="SYMBOL=VALUE", help="A Kconfig symbol to set.")
_date = click.option("--date", "day", metavar="YYYY-MM-DD", help="Of the changelog entry [default: the newest patch's].")
_buildid = click.option("--buildid", metavar="WORD", help="[default: the series' name; '' for none]")


@click.group(name="spec", epilog=STATUS_HELP)
def command() -> None:
    """Take a series into somebody's kernel.spec, take it out again, check a spec, write a new one."""


@command.command()
@click.argument("spec", type=_path)
@_series
@_patches
@_write
@_diff
@_trust
@_packager
@_config
@_date
@_buildid
@click.option("--evr", default="", metavar="VERSION-RELEASE", help="For the changelog header [default: as the spec says].")
@click.option("--bump", is_flag=True, help="Raise the release by one, as the spec counts it [default: the buildid alone].")
@click.option("--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the tree (may be repeated).")
@click.option("--onto", metavar="REV", help="The tree to ask whether the config survives [default: the last run's].")
@click.option("--own-lines", is_flag=True, help="kernel-ark: Patch lines of its own instead of linux-kernel-test.patch.")
def edit(
    spec: Path,
    series: str,
    patches: Path | None,
    in_place: bool,
    as_diff: bool,
    trust_spec: bool,
    packager: str | None,
    symbols: tuple[str, ...],
    day: str | None,
    buildid: str | None,
    evr: str,
    bump: bool,
    kernels: tuple[str, ...],
    onto: str | None,
    own_lines: bool,
) -> int:
    """Take the series into SPEC: patch files, their declaration and application, config, changelog, buildid.

    Every place must be found exactly once, or nothing is written. A second edit changes nothing; a new revision of the series
    replaces its own lines, which it marked, and nothing else. Where the kernel's tree is known, Kconfig is asked whether the
    symbols survive, for every kernel that the folder of SPEC configures.
    """
    from backport.package import adopt, document, edit

    definition, files = _taken(series, patches)
    read = document.read(spec)
    change = adopt.change(
        definition.name if definition else series,
        definition,
        files,
        config=[adopt.config_value(text) for text in symbols],
        signer=packager,
        day=day,
        buildid=buildid,
        evr=evr,
        own_lines=own_lines,
        bump=bump,
    )
    change, facts = _survived(read, change, kernels, onto or "", definition, _folder(change.series, patches).parent)
    edited = edit.edit(read, change, spec.parent)
    if trust_spec:
        from backport.package import verify

        facts = [*verify.confirm(edited.after, spec.parent), *facts]
    _show(edited, spec, facts, in_place=in_place, as_diff=as_diff)
    return 0


@command.command()
@click.argument("spec", type=_path)
@_series
@_write
@_diff
def remove(spec: Path, series: str, in_place: bool, as_diff: bool) -> int:
    """Take the series out of SPEC again, byte for byte: the lines that `spec edit` marked as its own, and nothing else."""
    from backport.package import document, edit

    _show(edit.remove(document.read(spec), series, spec.parent), spec, [], in_place=in_place, as_diff=as_diff)
    return 0


@command.command()
@click.argument("spec", type=_path)
@_trust
def check(spec: Path, trust_spec: bool) -> int:
    """Say what SPEC is, whether backport's lines in it are as they were written, and (--trust-spec) what rpm makes of them."""
    from backport.package import checked, document
    from backport.report.console import Console

    found = checked.check(document.read(spec), spec.parent, trusted=trust_spec)
    with Console() as console:
        for line in found.facts:
            console.show_text(f"✓ {line}")
        for line in found.faults:
            console.show_text(f"✗ {line}")
    return int(bool(found.faults))


@command.command()
@click.argument("spec", type=_path, default=Path("kernel.spec"))
@_series
@_patches
@click.option(
    "--version", default="", metavar="VERSION", help="Of the kernel: 2.6.31.3, 6.1-rc2 [default: the last run's target]."
)
@click.option("--tarball", default="", metavar="NAME", help="Source0 [default: linux-VERSION.tar.gz].")
@_packager
@_config
@_date
@_buildid
def new(
    spec: Path,
    series: str,
    patches: Path | None,
    version: str,
    tarball: str,
    packager: str | None,
    symbols: tuple[str, ...],
    day: str | None,
    buildid: str | None,
) -> int:
    """Write a kernel.spec of its own, with the patch files and the config fragment beside it. SPEC must not exist yet."""
    from backport.package import adopt, fresh
    from backport.report.console import Console

    definition, files = _taken(series, patches)
    values = [adopt.config_value(text) for text in symbols]
    name, title = (definition.name, definition.title) if definition else (series, series)
    change = adopt.change(name, definition, files, config=values, signer=packager, day=day, buildid=buildid)
    version = version or fresh.version_of_run(_folder(name, patches).parent)
    with Console() as console:
        for written in fresh.write(spec, change, title, version, tarball):
            console.show_text(f"written  {written}")
    return 0


def _taken(series: str, patches: Path | None) -> tuple[Definition | None, tuple[PatchFile, ...]]:
    """The definition, and the patch files: from the folder given, unless that one holds definitions."""
    from backport.ingest import catalog
    from backport.package import adopt

    folders = catalog.places(patches if patches and any(patches.glob("*/series.toml")) else None)
    given = patches is not None and not any(patches.glob("*/series.toml"))
    known = series.endswith(".toml") or "/" in series or series in catalog.names(folders)
    definition = catalog.find(series, folders) if known or not given else None
    return definition, adopt.patch_files(_folder(definition.name if definition else series, patches))


def _survived(
    read: Document, change: Change, kernels: tuple[str, ...], onto: str, definition: Definition | None, run: Path
) -> tuple[Change, list[str]]:
    """The change with the symbols that the tree says it brings, and what there is to say of it.

    A tree that nobody named and that does not fit (another kernel than the definition's) is a fact, not an error.
    """
    from dataclasses import replace

    from backport import survival
    from backport.model.errors import InputError
    from backport.package import fresh
    from backport.package.distgit.applied import usual
    from backport.package.flavours import flavours
    from backport.report.console import Console

    folder = Path(read.where).parent
    symbols = ", ".join(f"CONFIG_{value.symbol}" for value in change.config) or "the configuration"
    unchecked = f"not checked: whether {symbols} survives"
    named = bool(kernels or onto)
    kernels, onto = shared.histories(kernels), onto or fresh.onto_of_run(run) or (definition.onto if definition else "")
    if not (kernels and onto) and not named:
        return change, [f"{unchecked}; give the kernel's tree with --kernel PATH --onto REV"] if change.config else []
    question = survival.Question(change, usual(read), flavours(folder, {}), kernels, onto)
    try:
        with Console(sys.stderr) as console:
            found = survival.survive(question, console)
    except InputError as error:
        if named or not isinstance(error, survival.WrongTreeError):
            raise
        return change, [f"{unchecked}; {error.what}"]
    return replace(change, asked=found.asked), list(found.facts)


def _folder(series: str, patches: Path | None) -> Path:
    """Where the patch files are: the folder given, unless that one holds definitions."""
    return Path("build") / series / "patches" if patches is None or any(patches.glob("*/series.toml")) else patches


def _show(edited: Edited, spec: Path, facts: list[str], *, in_place: bool, as_diff: bool) -> None:
    """The difference on standard output, or one line a file that was written; remarks to standard error."""
    from backport.package import edit

    if as_diff or not in_place:
        sys.stdout.buffer.write(edit.diff(edited, spec))
        sys.stdout.flush()
    if in_place:
        edit.write(edited, spec)
    from backport.report.console import Console

    with Console(sys.stderr if as_diff or not in_place else None) as console:
        if in_place and not as_diff:
            names = [spec.name] if edited.changed else []
            for name in [*names, *(name for name, data in edited.files.items() if data is not None)]:
                console.show_text(f"written  {spec.parent / name}")
            for name in [name for name, data in edited.files.items() if data is None]:
                console.show_text(f"removed  {spec.parent / name}")
        for line in [*facts, *edited.remarks]:
            console.show_text(line)
        if not edited.changed and not edited.files:
            console.show_text(f"nothing to do: {spec} is as it should be ({edited.dialect})")

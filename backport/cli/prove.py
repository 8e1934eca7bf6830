"""`backport prove`: build every step of a series, boot the result, watch the feature work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared

if TYPE_CHECKING:
    from backport.model.definition import Definition
    from backport.model.result import Proved
    from backport.proving import Landed, Tools
    from backport.report.console import Console


@dataclass(frozen=True, slots=True)
class Asked:
    """What every proof is asked: the series, where it and its target are, and the toolchain."""

    series: str
    kernels: tuple[str, ...]
    onto: str | None
    patches: Path | None
    archs: tuple[str, ...]
    cc: str
    profile: str
    as_json: bool

    @property
    def tools(self) -> Tools:
        """The toolchain that was asked for."""
        from backport.proving import Tools

        return Tools(self.cc, self.profile)

    def definition(self) -> Definition:
        """The series' definition."""
        from backport.ingest import catalog

        return catalog.find(self.series, catalog.places(self.patches))

    def landed(self, definition: Definition, console: Console) -> AbstractContextManager[Landed]:
        """The series on its target, by a replay."""
        from backport import proving

        histories = shared.histories(self.kernels, definition)
        return proving.landed(definition, histories, self.onto or definition.onto, console)


_asked = shared.gathered(
    Asked,
    click.argument("series"),
    shared.kernels,
    shared.onto,
    shared.patches,
    click.option("--arch", "archs", multiple=True, metavar="ARCH", help="x86_64 (default), i386, or one with a cross compiler."),
    click.option("--cc", default="", metavar="COMMAND", help="The compiler [default: gcc, or the cross compiler's name]."),
    click.option("--profile", default="", metavar="NAME", help="The toolchain profile [default: the first that fits]."),
    click.option("--json", "as_json", is_flag=True, help="Print the proofs as JSON instead."),
)


@click.group(epilog=STATUS_HELP)
def command() -> None:
    """Evidence that a backport compiles, boots and works. Runs unprivileged; everything is kept in the cache."""


@command.command(epilog=STATUS_HELP)
@_asked
@click.option("--config", "configs", multiple=True, metavar="BASE[+FRAGMENT]...", help="defconfig, allnoconfig or a file.")
@click.option("--objects", "what", flag_value="objects", default=True, help="Build what the patches touch (default).")
@click.option("--modules", "what", flag_value="modules", help="Build all modules.")
@click.option("--image", "what", flag_value="image", help="Build the boot image.")
@click.option("--each/--ends", "each", default=None, help="Every step (default for objects), or only the target and the tip.")
@click.option("--warnings", default="", metavar="1|2|3", help="kbuild's W=, for kernels that have it.")
def build(
    asked: Asked,
    configs: tuple[str, ...],
    what: str,
    each: bool | None,
    warnings: str,
) -> int:
    """Compile what each patch of SERIES touches, before and after it; new diagnostics are findings."""
    from backport import proving

    wish = proving.BuildWish(
        asked.archs or ("x86_64",),
        configs or ("defconfig",),
        what,
        each if each is not None else what == "objects",
        warnings,
        asked.tools,
    )
    return _prove(asked, lambda landed, watcher: proving.prove_build(landed, wish, watcher))


@command.command(epilog=STATUS_HELP)
@_asked
@click.option("--processors", "-p", multiple=True, type=click.IntRange(1, 64), help="1: without SMP [default: 2 and 1].")
@click.option("--control", is_flag=True, help="Also boot the target without the series: the probe must say so.")
@click.option("--mutants", default=0, type=click.IntRange(0, 1000), metavar="N", help="Also boot N kernels with one thing wrong.")
@click.option("--rpm", type=click.Path(path_type=Path), metavar="FILE", help="Boot the kernel in this binary RPM instead.")
@click.option("--accel", type=click.Choice(["tcg", "kvm"]), help="How qemu runs it [default: kvm where it works, else tcg].")
@click.option("--backend", type=click.Choice(["qemu", "vng"]), default="qemu", help="vng: virtme-ng, for current kernels.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where consoles go [default: build/SERIES-proof].")
def boot(
    asked: Asked,
    processors: tuple[int, ...],
    control: bool,
    mutants: int,
    rpm: Path | None,
    accel: str | None,
    backend: str,
    out: Path | None,
) -> int:
    """Boot SERIES on its target under qemu, and let the feature's probe say whether it works."""
    from backport import proving

    wish = proving.BootWish(
        consoles=out or Path("build") / f"{asked.series}-proof",
        archs=asked.archs or ("x86_64",),
        processors=processors or (2, 1),
        control=control,
        mutants=mutants,
        accel=accel or "",
        backend=backend,
        tools=asked.tools,
    )
    if rpm is not None:

        def package(definition: Definition, watcher: Console) -> Proved:
            return proving.prove_package(definition, wish, rpm, watcher, watcher.guest)

        return _show(asked, package)
    return _prove(asked, lambda landed, watcher: proving.prove_boot(landed, wish, watcher, watcher.guest))


@command.command(epilog=STATUS_HELP)
@_asked
@click.option("--srpm", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The source RPM of a run.")
def rpmbuild(
    asked: Asked,
    srpm: Path,
) -> int:
    """Print the rpmbuild command that builds the SRPM of SERIES here, with the toolchain profile and a small configuration.

    The configuration is written beside the SRPM. `backport prove boot SERIES --rpm` boots what comes of it.
    """
    from backport import proving
    from backport.report.console import Console

    definition = asked.definition()
    arch = asked.archs[0] if asked.archs else "x86_64"
    with Console(quiet=True) as console, asked.landed(definition, console) as landed:
        said = proving.rpmbuild(landed, srpm, arch, asked.tools, srpm.with_suffix(f".{arch}.config"))
    click.echo(said)
    return 0


@command.command(epilog=STATUS_HELP)
def profiles() -> int:
    """List the toolchain profiles: which kernels with which compilers, each cure and its reason.

    A file of your own goes into ~/.config/backport/profiles/NAME.toml; begin with a copy of the one that is shown.
    """
    from backport.prove.profile import available
    from backport.report.console import Console
    from backport.settings import config_file

    with Console() as console:
        for profile in available(config_file().parent / "profiles"):
            spans = [".".join(map(str, end)) or "any" for span in (profile.kernels, profile.compilers) for end in span]
            console.show_text(f"{profile.name}: kernels {spans[0]} to below {spans[1]}, gcc {spans[2]} to below {spans[3]}")
            console.show_text(f"  {profile.source}")
            for cure, reason in profile.reasons:
                console.show_text(f"  {cure}")
                console.show_text(f"      {reason}")
    return 0


def _prove(asked: Asked, work: Callable[[Landed, Console], Proved]) -> int:
    """Prove a series that is replayed first."""

    def replayed(definition: Definition, console: Console) -> Proved:
        with asked.landed(definition, console) as landed:
            return work(landed, console)

    return _show(asked, replayed)


def _show(asked: Asked, work: Callable[[Definition, Console], Proved]) -> int:
    """Prove, show what was proved, and say by the status whether it is as it should be."""
    from backport.report import proofs
    from backport.report.console import Console

    definition = asked.definition()
    with Console(quiet=asked.as_json) as console:
        proved = work(definition, console)
        if asked.as_json:
            click.echo(proofs.dump(proved.proofs, proved.findings, proved.skipped, proved.measured), nl=False)
        else:
            for made in proofs.blocks(proved.proofs, proved.measured):
                console.show(made)
            console.show_findings(proved.findings, proved.skipped)
    return int(proved.needs_person)

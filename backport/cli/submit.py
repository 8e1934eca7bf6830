"""`backport submit SRPM`."""

from __future__ import annotations

from pathlib import Path

import click

from backport.cli import STATUS_HELP, shared

_path = click.Path(path_type=Path)


@click.command(epilog=STATUS_HELP)
@click.argument("srpm", type=_path)
@click.option("--koji", "profile", default="koji", show_default=True, metavar="PROFILE", help="A profile of koji.conf.")
@click.option("--target", required=True, metavar="TARGET", help="The build target; the hub is asked whether it has it.")
@click.option("--scratch", is_flag=True, help="A scratch build: nothing is tagged.")
@click.option("--wait", is_flag=True, help="Follow the task to its end; exit status 1 where it fails.")
@click.option("--resume", is_flag=True, help="Go on with a submission of this SRPM that was interrupted.")
@click.option("--dry-run", is_flag=True, help="Print the commands of koji, fedpkg, copr-cli and packit, and do nothing.")
@click.option("--config", type=_path, metavar="FILE", help="A koji.conf of its own [default: Koji's usual ones].")
@click.option("--copr", default="OWNER/PROJECT", metavar="PROJECT", help="For the command of copr-cli.")
@shared.quiet
def command(
    srpm: Path,
    profile: str,
    target: str,
    scratch: bool,
    wait: bool,
    resume: bool,
    dry_run: bool,
    config: Path | None,
    copr: str,
    quiet: bool,
) -> int:
    """Build SRPM in Koji. The task's number is kept beside the SRPM: a lost connection loses nothing."""
    from backport.package.submit import commands, stage
    from backport.report.console import Console

    wish = commands.Wish(srpm, profile, target, scratch)
    with Console(quiet=quiet) as console:
        if dry_run:
            commands.check(srpm)
            for name, line in commands.commands(wish, copr):
                console.show_text(f"{name:7} {line}")
            return 0
        made = stage.submit(wish, console, wait=wait, resume=resume, config=config)
        if made.failed:
            console.show_text(f"✗ task {made.task} {made.state}: {made.reason}")
            console.show_text(f"  {made.url}")
            for path in made.logs:
                console.show_text(f"  {path}")
    return int(made.failed)

"""`backport watch [--once | --every 15m]`: the job that runs by itself."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backport.cli import STATUS_HELP, shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backport.watch.state import State

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 600
_EXAMPLES = {
    "watch.toml": "watch.toml",
    "github": "github-workflow.yml",
    "gitlab": "gitlab-ci.yml",
    "systemd-service": "backport-watch.service",
    "systemd-timer": "backport-watch.timer",
}


@click.command(epilog=STATUS_HELP)
@click.argument("file", type=click.Path(path_type=Path), default=Path("watch.toml"))
@click.option("--once", "only", is_flag=True, help="One round, then end (the default without --every).")
@click.option("--every", metavar="15m", help="A round now, and again after this long: s, m, h or d.")
@click.option("--on-change", metavar="COMMAND", help="Run this for each event, with JSON on its standard input; no shell.")
@click.option(
    "--example",
    type=click.Choice(list(_EXAMPLES)),
    help="Print a file to begin with, and end; its first line says where it belongs.",
)
@shared.quiet
def command(file: Path, only: bool, every: str | None, on_change: str | None, example: str | None, quiet: bool) -> int:
    """Look for new postings, merged commits and fixes of what FILE follows, and run each posting onto its targets.

    Each is handled once, whatever happens in between. Exit status 1 where something new needs a person; 3 where another watch is
    at work. The command of --on-change is told again in the next round until it ends with status 0; its input has a key.
    """
    if example is not None:
        sys.stdout.write(resources.files("backport.watch").joinpath("examples", _EXAMPLES[example]).read_text("utf-8"))
        return 0
    from backport.report.console import Console
    from backport.watch.config import load
    from backport.watch.job import once
    from backport.watch.state import State

    pause = _seconds(every) if every and not only else 0
    status = 0
    while True:
        watch = load(file)
        with Console(quiet=quiet) as console, State(watch.results) as state:
            events = once(watch, state, console)
            for event in events:
                console.show_text(f"{event.number}  {event.follow}: {event.kind} {event.title} — {event.status}, {event.said}")
            console.show_text(f"{len(events)} new")
            if on_change:
                _tell(shlex.split(on_change), state)
        status = int(any(event.status != "ok" for event in events))
        if not pause:
            return status
        time.sleep(pause)


def _tell(command: Sequence[str], state: State) -> None:
    """Tell the command of each event that it was not told of; one that fails is told again in the next round."""
    from backport.model.errors import InputError
    from backport.watch.results import as_json

    for event in state.untold():
        try:
            done = subprocess.run(command, input=(json.dumps(as_json(event)) + "\n").encode(), timeout=_LONGEST, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"the command cannot be run: {error}", where="--on-change") from error
        if done.returncode == 0:
            state.set_told(event)
        else:
            sys.stderr.write(f"--on-change ended with status {done.returncode}: event {event.number} will be told again\n")


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", text)
    if match is None or not int(match[1]):
        raise click.BadParameter(f"{text!r} is no length of time: write 30s, 15m, 6h or 1d", param_hint="--every")
    return int(match[1]) * _UNITS[match[2] or "m"]

"""The command line: arguments in, exit status out, nothing else.

Only click is imported here. Each command is a module of its own, loaded when it is called, so that `backport --help`
costs little more than starting Python.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

import click

from backport import __version__
from backport.model.errors import BackportError
from backport.model.garbage import search_seldom

STATUS_HELP = "Exit status: 0 all is well, 1 something needs a person, 2 wrong usage or bad input, 3 something is missing here."
_INTERRUPTED = 130  # 128 + SIGINT, as shells say it


class LazyGroup(click.Group):
    """A group that knows its commands by name, module and one line of help, and imports one only when it is used."""

    def __init__(self, *, lazy: Mapping[str, tuple[str, str]], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._lazy = lazy

    def list_commands(self, context: click.Context) -> list[str]:
        """The commands in the order in which a packager meets them."""
        return list(self._lazy)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command's module; the command is its `command`."""
        if name not in self._lazy:
            return None
        command: click.Command = importlib.import_module(self._lazy[name][0]).command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._lazy.items()])


_COMMANDS = {
    "run": ("backport.cli.run", "Rebase a series onto a target: branch, patches, spec, SRPM, report."),
    "resolve": ("backport.cli.resolve", "Decide by hand, in a small worktree, what no rule may decide."),
    "drift": ("backport.cli.drift", "Say what a series, commits or patch files would mean in a target."),
    "sweep": ("backport.cli.sweep", "Replay many commits, each onto a target of its own; one line of JSON each."),
    "prerequisites": ("backport.cli.prerequisites", "Say what a patch that does not land would need first, and what that costs."),
    "fixes": ("backport.cli.fixes", "Say which later commits fix, revert or change what a series brought."),
    "prove": ("backport.cli.prove", "Build every step of a series, boot the result, watch the feature work."),
    "doctor": ("backport.cli.doctor", "List what is installed, what is missing, and the command that installs it."),
    "uapi": ("backport.cli.uapi", "Show what programs see of a series, and whether it is stable."),
    "symbol": ("backport.cli.symbol", "Say what a name is in each version, and who changed it between."),
    "index": ("backport.cli.index", "Read whole trees into the index, so that later questions are quick."),
    "spec": ("backport.cli.spec", "Take a series into a kernel.spec, out of it again, or check one."),
    "distgit": ("backport.cli.distgit", "A dist-git folder as a target: its patches as a branch, and back."),
    "submit": ("backport.cli.submit", "Build a source RPM in Koji, or print the command for Koji, fedpkg, copr, packit."),
    "ingest": ("backport.cli.ingest", "Say which series there are in mail, and tell the life of one."),
    "compare": ("backport.cli.compare", "Say what moved between two postings of a series, or a posting and what was merged."),
    "watch": ("backport.cli.watch", "Follow series by itself: new postings, what was merged of them, what fixes that."),
    "diff": ("backport.cli.diff", "Show in what the backport differs from upstream, patch by patch."),
    "verify": ("backport.cli.verify", "Hold a report against the histories and the files beside it."),
    "series": ("backport.cli.series", "List, show and write series definitions."),
    "log": ("backport.cli.log", "Show the last run again, from its report."),
}


@click.command(
    cls=LazyGroup,
    lazy=_COMMANDS,
    epilog=STATUS_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="backport")
def backport() -> None:
    """Rebase an upstream kernel series onto an older distribution kernel, and say why each line may be trusted.

    \b
    Begin with:  backport run sample
    """  # noqa: D301


def main() -> None:
    """The installed command. Every error of ours becomes a message and a status; only a defect gives a traceback."""
    search_seldom()
    try:
        status = backport.main(standalone_mode=False)
    except BackportError as error:
        from backport.report.console import render_error

        render_error(error)
        status = error.status
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted: nothing was changed\n")
        status = _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    sys.exit(status if isinstance(status, int) else 0)

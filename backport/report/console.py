"""The console: what happens while it happens, and the outcome as tables and trees.

On a terminal one bar shows the current stage below the lines that are settled; anywhere else only the lines are printed,
without colour and PLAIN_WIDTH cells wide, so that a log of two equal runs is equal. Only this module and the commands print.
What only some outcomes need is imported where it is shown: a question to an archive of mails is answered in the time that takes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import rich.console
from rich.console import RenderableType
from rich.text import Text

from backport.model.plural import plural
from backport.report import lines, safe

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from backport.model.definition import Definition
    from backport.model.errors import BackportError
    from backport.model.finding import Finding
    from backport.model.proof import Measured
    from backport.model.result import RunResult, Skipped
    from backport.model.verdict import PatchOutcome

PLAIN_WIDTH = 110
STAGE = 8


class Console:
    """A watcher of a run (model.progress.Progress) and the renderer of its outcome. A context: leaving it ends the live view.

    `quiet` prints nothing at all; errors go through `render_error`, which never is quiet.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._out = _open(sys.stdout if stream is None else stream, quiet=quiet)
        self._live = self._out.is_terminal and not self._out.is_dumb_terminal and not quiet
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._total = 0
        self._steps = 0
        self._patches = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take the bar off the screen and give the cursor back; say which stage was left unfinished, and how far it got."""
        self._clear()
        if self._stage:
            word = "interrupted" if kind is not None and issubclass(kind, KeyboardInterrupt) else "stopped"
            far = f" after {self._steps} of {self._total}" if self._total else ""
            self._line(lines.text(("✗ ", "red"), (f"{self._stage:<{STAGE}} ", "bold"), (word + far, "")))
            self._stage = ""

    # What a stage tells (model.progress.Progress).

    def stage(self, name: str, total: int) -> None:
        """Begin the bar of a stage; a stage that was not ended before is taken off."""
        self._clear()
        self._stage, self._total, self._steps = name, total, 0
        if self._live:
            self._bars = _bars(self._out)
            self._task = self._bars.add_task(safe.line(name), total=total or None, what="")
            self._bars.start()

    def step(self, what: str) -> None:
        """Move the bar on by one and name the step beside it; off a terminal a step is not worth a line."""
        self._steps += 1
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, what=safe.line(what))

    def patch(self, outcome: PatchOutcome) -> None:
        """Print the line of a patch, above the bar."""
        self._patches += 1
        self._patch_line(self._patches, max(self._total, self._patches), outcome)

    def guest(self, line: str) -> None:
        """Print a line of a serial console above the bar, on a terminal; anywhere else it is only in its file."""
        if self._live:
            self._line(lines.text((line, lines.GUIDE)))

    def done(self, summary: str) -> None:
        """End the stage: its bar gives way to one settled line."""
        self._clear()
        made = lines.text(("✓ ", "green"), (f"{self._stage:<{STAGE}} ", "bold"), (summary, ""))
        self._stage = ""
        self._line(made)

    # The outcome.

    def show_result(self, result: RunResult, folder: str, next_steps: Sequence[str], measured: Sequence[Measured] = ()) -> None:
        """Show a whole outcome: counts, what needs a person, findings, what was left out or written, what to type next.

        The list of patches is shown first unless this console printed it while it came about (`log` shows a loaded one).
        """
        from backport.report import proofs, resolutions, view
        from backport.report.summary import headline, left_out, ranked, remarked, ruled, unsettled

        self._clear()
        if not self._patches:
            for number, patch in enumerate(result.patches, 1):
                self._patch_line(number, len(result.patches), patch)
        self._block(view.heading(result))
        if result.patches:
            self._print(view.verdict_table(result))
        if unsettled(result):
            self._block(view.person_tree(result, resolutions.add_suggestions))
        if result.findings:
            self._block(view.finding_tree(ranked(result)))
        if ruled(result):
            self._block(resolutions.resolved_tree(result))
        if remarked(result):
            self._block(view.remark_tree(result))
        if result.carried:
            self._block(view.carried_tree(result))
        if left_out(result):
            self._block(view.left_out_tree(result))
        for made in proofs.blocks(result.proofs, measured):
            self._print(made)
        if result.skipped:
            self._block(view.skipped_tree(result.skipped))
        if result.artifacts:
            self._block(Text("Written", "bold"))
            self._print(view.written_table(result.artifacts, folder))
        self._block(
            Text(headline(result)[:1].upper() + headline(result)[1:] + ".", "bold red" if result.needs_person else "bold green")
        )
        for command in next_steps:
            self._out.print(lines.text(("  $ ", lines.GUIDE), (command, "bold")), soft_wrap=True)

    def show_findings(self, findings: Sequence[Finding], skipped: Sequence[Skipped]) -> None:
        """Show findings alone, the worst first, and what was not checked."""
        from backport.model.finding import Level
        from backport.report import view

        self._clear()
        ordered = [found for level in Level for found in findings if found.level is level]
        if ordered:
            self._block(view.finding_tree(ordered))
        if skipped:
            self._block(view.skipped_tree(skipped))
        counts = [plural(sum(f.level is level and not f.accepted for f in findings), level.value) for level in Level]
        counts += [f"{number} accepted" for number in [sum(bool(f.accepted) for f in findings)] if number]
        bad = any(f.blocks for f in findings)
        self._block(Text(", ".join(counts) + ".", "bold red" if bad else "bold green"))

    def show_series_table(self, definitions: Sequence[Definition]) -> None:
        """Show the series there are, one row each."""
        from backport.report import view

        self._print(view.series_table(definitions) if definitions else Text("There is no series."))

    def show_definition(self, definition: Definition) -> None:
        """Show one definition: where from, where to, its commits under their topics, what it leaves out and why."""
        from backport.report import view

        self._print(view.definition_tree(definition))
        self._block(view.definition_table(definition))
        told = plural(len(definition.commits), "commit")
        if definition.topics:
            told += f" in {plural(len(definition.topics), 'topic patch', 'topic patches')}"
        self._block(Text(f"{told}, {len(definition.drops)} left out on purpose."))

    def show(self, made: RenderableType) -> None:
        """Show a tree or table that a module of report/ made."""
        self._clear()
        self._print(made)

    def show_text(self, line: str) -> None:
        """Print one plain line, made safe, never wrapped: a path or a commit that somebody will copy."""
        self._out.print(lines.text((line, "")), soft_wrap=True)

    def _patch_line(self, number: int, total: int, patch: PatchOutcome) -> None:
        from backport.report import view

        for made in view.patch_lines(number, len(str(total)), patch, self._out.width):
            self._line(made)

    def _line(self, made: Text) -> None:
        made.truncate(self._out.width, overflow="ellipsis")
        self._out.print(made, no_wrap=True, overflow="ignore", crop=False)

    def _block(self, made: RenderableType) -> None:
        self._out.print()
        self._print(made)

    def _print(self, made: RenderableType) -> None:
        """Print a table or a tree; off a terminal without the blanks that rich pads its lines with."""
        if self._out.is_terminal:
            self._out.print(made)
            return
        with self._out.capture() as captured:
            self._out.print(made)
        self._out.out("".join(line.rstrip() + "\n" for line in captured.get().splitlines()), end="", highlight=False)

    def _clear(self) -> None:
        bars, self._bars, self._task = self._bars, None, None
        if bars is not None:
            bars.stop()


def render_error(error: BackportError, stream: TextIO | None = None) -> None:
    """Tell an error on stderr: what went wrong, where, what to do next. Never wrapped, so that places can be copied."""
    out = _open(sys.stderr if stream is None else stream)
    out.print(lines.text(("error: ", "bold red"), (error.what, "bold")), soft_wrap=True)
    for name, value in (("where", error.where), ("next", error.then)):
        if value:
            out.print(lines.text((f"{name:>5}: ", lines.GUIDE), (value, "")), soft_wrap=True)


class _Out(rich.console.Console):
    """A rich console whose reader may leave: `backport run ksm | head` still does the whole run and keeps its exit status."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def _open(stream: TextIO, *, quiet: bool = False) -> rich.console.Console:
    """A rich console that trusts only the stream itself about being a terminal, and whose stream cannot fail on a character."""
    terminal = bool(stream.isatty())
    if not (stream.encoding or "utf-8").lower().startswith("utf") and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return _Out(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else PLAIN_WIDTH,
        quiet=quiet,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _bars(out: rich.console.Console) -> Bars:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    name = TextColumn("  {task.description:<8}", markup=False, style="bold")
    place = Column(no_wrap=True, overflow="ellipsis")
    what = TextColumn("{task.fields[what]}", markup=False, style=lines.GUIDE, table_column=place)
    bar = BarColumn(bar_width=24, complete_style="cyan", finished_style="green", pulse_style="cyan")
    columns = (name, bar, MofNCompleteColumn(), what)
    return Bars(*columns, console=out, transient=True, redirect_stdout=False, redirect_stderr=False)

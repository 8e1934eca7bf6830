"""A person's turn on the console: the patch that waits, why, where its files are, what to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from backport.model.plural import plural
from backport.model.turn import Turn
from backport.report.resolutions import add_suggestions
from backport.report.view import GUIDE, finding_tree, text, waiting_tree

_MOST = 20


def render(turn: Turn) -> RenderableType:
    """The whole of it. What refused the last `continue` comes last before the commands: it is what was asked for."""
    parts: list[RenderableType] = [text(("recorded ", "green"), (_near(path), "")) for path in turn.written]
    if turn.outcome is None:
        return Group(*parts, *_finished(turn))
    parts.append(text((f"{turn.series} onto {turn.onto}: patch {turn.number} of {turn.total} needs you", "bold")))
    tree = waiting_tree(turn.outcome)
    add_suggestions(tree, turn.outcome, lambda suggestion: f"with {_git(turn)} diff HEAD {suggestion.tree[:12]}")
    parts.append(tree)
    if turn.findings:
        parts.append(finding_tree(turn.findings))
    parts += [Text(), text(("In ", GUIDE), (_near(turn.folder), "bold"), (_beside(turn), GUIDE))]
    for place in turn.places[:_MOST]:
        where = f"{turn.folder}/{place.path.decode('utf-8', 'backslashreplace')}"
        line = text((f"  {_near(where)}", ""), (f":{place.line}" if place.line else "", ""))
        line.append_text(text((f"  {place.left}: to be decided" if place.left else "  merged", "red" if place.left else GUIDE)))
        parts.append(line)
    if len(turn.places) > _MOST:
        parts.append(Text(f"  … {len(turn.places) - _MOST} more", GUIDE))
    parts += [text(("  not known to git, so not part of the patch: ", "yellow"), (path, "")) for path in turn.unknown[:_MOST]]
    if turn.refused:
        parts += [Text(), Text("Not taken:", "bold red"), *(text((f"  {why}", "")) for why in turn.refused[:_MOST])]
    return Group(*parts, Text(), *_commands(turn))


def ended(folder: str, left: Sequence[bytes]) -> RenderableType:
    """The session is over before its end."""
    kept = [text(("  kept: ", GUIDE), (path, "")) for path in left[:_MOST]]
    return Group(text((f"{_near(folder)} is gone; what was recorded is kept.", "")), *kept)


def _finished(turn: Turn) -> Iterator[RenderableType]:
    left = len(turn.skipped)
    told = f"{turn.series} onto {turn.onto}: nothing is left to decide"
    yield Text(
        told + (f", {plural(left, 'patch', 'patches')} skipped." if left else "."), "bold green" if not left else "bold yellow"
    )
    for path in turn.unknown[:_MOST]:
        yield text(("  kept in the folder: ", GUIDE), (path, ""))
    if left:
        yield Text("  To leave a patch out for good, write a [[drop]] with its reason into series.toml.", GUIDE)
    yield text(("  $ ", GUIDE), (f"backport run {shlex.quote(turn.series)} --onto {shlex.quote(turn.onto)}", "bold"))


def _beside(turn: Turn) -> str:
    number = turn.around
    beside = f"{plural(number, 'file')} that it includes {'is' if number == 1 else 'are'} beside"
    return f" (git status and git diff work there; {beside})" if number else ""


def _commands(turn: Turn) -> Iterator[Text]:
    doubted = turn.refused and turn.findings and not any(place.left for place in turn.places)
    there = _in(turn)
    rows = [
        *_taking(turn),
        (f"backport resolve continue{there}", "take the files as they are now, and go on"),
        *([(f"backport resolve continue{there} --accept 'WHY'", "take it although the guard does not agree")] if doubted else []),
        (f"backport resolve skip{there}", "leave this patch out"),
        (f"backport resolve abort{there}", "end the session; what was recorded is kept"),
    ]
    width = max(len(command) for command, _ in rows)
    for command, what in rows:
        yield text(("  $ ", GUIDE), (f"{command:<{width}}", "bold"), (f"  {what}", GUIDE))


def _taking(turn: Turn) -> Iterator[tuple[str, str]]:
    """How to have the best suggestion in the folder that the guard has nothing against, where it settles all that waits."""
    waiting = [place.path for place in turn.places if place.left]
    for number, suggestion in enumerate(turn.outcome.suggestions if turn.outcome is not None and waiting else (), 1):
        made = {file.path for file in suggestion.files if file.result is not None}
        if not suggestion.doubts and made.issuperset(waiting) and all(path.isascii() for path in waiting):
            paths = " ".join(shlex.quote(path.decode()) for path in waiting)
            yield (
                f"{_git(turn)} checkout {suggestion.tree[:12]} -- {paths}",
                f"take suggestion {number} where it is to be decided",
            )
            return


def _git(turn: Turn) -> str:
    return f"git -C {shlex.quote(_near(turn.folder))}"


def _in(turn: Turn) -> str:
    """What tells the commands which folder is meant, where they would not find it from here."""
    here, folder = Path.cwd(), Path(turn.folder)
    found = folder == here / "build" / f"{turn.series}.resolve" or folder in (here, *here.parents)
    return "" if found else f" --in {shlex.quote(_near(turn.folder))}"


def _near(path: str) -> str:
    """A path as it is typed from here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path

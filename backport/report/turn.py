"""A person's turn on the console: the patch that waits, why, where its files are, what to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from backport.model.turn import Turn
from backport.report.resolutions import add_suggestions
from backport.report.summary import plural
from backport.report.view import GUIDE, finding_tree, text, waiting_tree

_MOST = 20


def render(turn: Turn) -> RenderableType:
    """The whole of it. What refused the last `continue` comes last before the commands: it is what was asked for."""
    parts: list[RenderableType] = [text(("recorded ", "green"), (_near(path), "")) for path in turn.written]
    if turn.outcome is None:
        return Group(*parts, *_finished(turn))
    parts.append(text((f"{turn.series} onto {turn.onto}: patch {turn.number} of {turn.total} needs you", "bold")))
    tree = waiting_tree(turn.outcome)
    add_suggestions(tree, turn.outcome)
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
    return (
        f" (git status and git diff work there; {plural(turn.around, 'file')} that it includes are beside)" if turn.around else ""
    )


def _commands(turn: Turn) -> Iterator[Text]:
    doubted = turn.refused and turn.findings and not any(place.left for place in turn.places)
    rows = [
        ("backport resolve continue", "take the files as they are now, and go on"),
        ("backport resolve skip", "leave this patch out"),
        ("backport resolve abort", "end the session; what was recorded is kept"),
    ]
    if doubted:
        rows.insert(1, ("backport resolve continue --accept 'WHY'", "take it although the guard does not agree"))
    width = max(len(command) for command, _ in rows)
    for command, what in rows:
        yield text(("  $ ", GUIDE), (f"{command:<{width}}", "bold"), (f"  {what}", GUIDE))


def _near(path: str) -> str:
    """A path as it is typed from here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path

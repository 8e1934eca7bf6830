"""Options that several commands have, each said once, and a decorator that hands a group of them over as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from backport.model.definition import Definition

_Command = Callable[..., Any]
_Group = TypeVar("_Group")

kernels = click.option(
    "--kernel", "kernels", multiple=True, metavar="PATH|URL", help="A history with the commits (may be repeated)."
)
onto = click.option("--onto", metavar="REV", help="The target, if not the one that the definition names.")
patches = click.option("--patches", type=click.Path(path_type=Path), metavar="DIR", help="Definitions to search first.")
quiet = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")


def gathered(group: Callable[..., _Group], *options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """The options, filled into a dataclass that has a field for each; the command gets it as its first argument."""
    names = [field.name for field in fields(group)]  # type: ignore[arg-type]

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def filled(**given: Any) -> Any:
            return command(group(**{name: given.pop(name) for name in names}), **given)

        wrapped: _Command = filled
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def histories(given: Sequence[str], definition: Definition | None = None) -> tuple[str, ...]:
    """The histories that were named, else the user's; none for a definition that has its history within."""
    from backport.settings import default_kernels

    if given:
        return tuple(given)
    return () if definition is not None and definition.embedded else tuple(default_kernels())

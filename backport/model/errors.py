"""The one family of errors, each with a message that a packager can act on."""

from __future__ import annotations


class BackportError(Exception):
    """What went wrong, where, and what to do next; `status` is the exit status it leads to.

    `what` is one sentence without a full stop, `where` a place (file:line, commit, path), `then` the next step.
    """

    status = 2

    def __init__(self, what: str, *, where: str = "", then: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.then = then

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}"


class InputError(BackportError):
    """Wrong usage or bad input: a definition, a revision, a patch, a folder (exit status 2)."""

    status = 2


class MissingToolError(BackportError):
    """The environment lacks something; `then` is the command that installs it (exit status 3)."""

    status = 3


class EnvironmentFailedError(BackportError):
    """The environment failed us: disk full, folder not writable, git died (exit status 3)."""

    status = 3

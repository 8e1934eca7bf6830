"""Runs git, through GitPython, so that nothing a hostile repository or environment says is executed.

Every process gets its git directory named outright and an environment in which hooks, filters, external diff, fsmonitor,
replace refs, the user's and the system's configuration, and every network transport are off. What the repository's own
`config` could still make git run (credential helpers, ssh commands, merge drivers) needs one of those to be on.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, cast

from backport.model.errors import EnvironmentFailedError, MissingToolError

_OPTIONS = (
    "safe.directory=*",  # a clone owned by the CI's other user: nothing of its configuration is run, so it is safe
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=true",  # true(1): a fetch into a clone with alternates runs what its configuration says
    "core.pager=cat",
    "core.commitGraph=true",
    "core.quotePath=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "merge.conflictStyle=diff3",
    "diff.algorithm=myers",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.renameLimit=8000",
    "blame.ignoreRevsFile=",
    "advice.detachedHead=false",
)
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",  # no such file: even an empty one makes git warn
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_LITERAL_PATHSPECS": "1",
    "TZ": "UTC",
}


class GitFailedError(EnvironmentFailedError):
    """git ended with a status that its caller did not expect; `stderr` is what it said, `code` its status."""

    def __init__(self, command: Sequence[str], code: int, stderr: bytes) -> None:
        said = stderr.decode("utf-8", "replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        super().__init__(f"git {_verb(command)} ended with status {code}: {last}", then="run `git fsck` in the clone")
        self.code = code
        self.stderr = said


class Git:
    """git with one git directory. Paths and revisions go in as list items, never through a shell.

    `transports` names the protocols that may be used ("https:http:git:ssh:file"); none by default, so that no command that
    only reads can be made to fetch. `work_tree` is the folder that commands with files work in; there is none by default.
    `before` is called before each process starts.
    """

    def __init__(
        self,
        git_dir: Path,
        *,
        transports: str = "",
        work_tree: Path | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.git_dir = git_dir
        self._before = before
        self._environment = {**_ENVIRONMENT, "GIT_DIR": str(git_dir), "GIT_ALLOW_PROTOCOL": transports}
        kept = [o for o in _OPTIONS if not (transports and o.startswith("protocol."))]
        self._options = [item for option in kept for item in ("-c", option)]
        if work_tree is not None:  # and no other, nor a part of it, whatever folder we are started in
            self._environment["GIT_WORK_TREE"] = str(work_tree)
            self._options += ["-C", str(work_tree)]

    def run(
        self, arguments: Sequence[str], stdin: bytes = b"", ok: tuple[int, ...] = (0,), *, index: Path | None = None
    ) -> bytes:
        """The standard output of `git ARGUMENTS`; GitFailedError where its status is not in `ok`.

        `index` is the index file to use, for the few commands that need one.
        """
        with self.process(arguments, index) as process:
            out, err = process.communicate(stdin)
            code = process.returncode
        if code not in ok:
            raise GitFailedError(arguments, code, err)
        return out

    @contextmanager
    def process(self, arguments: Sequence[str], index: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A running git with pipes on all three streams, ended (killed if need be) when the block is left."""
        process = self.start(arguments, index)
        try:
            yield process
        finally:
            end(process)

    def start(self, arguments: Sequence[str], index: Path | None = None) -> subprocess.Popen[bytes]:
        """A running git with pipes on all three streams; whoever starts it must `end` it."""
        self._before()
        environment = self._environment | ({"GIT_INDEX_FILE": str(index)} if index else {})
        command = [*_without_git_variables(environment), "git", *self._options, *arguments]
        stdin = cast("IO[bytes]", subprocess.PIPE)
        handle = _gitpython().Git().execute(command, istream=stdin, as_process=True, env=environment, start_new_session=True)
        process = cast("subprocess.Popen[bytes]", handle.proc)
        handle.proc = None  # ours to end: GitPython's finaliser would kill it as soon as the handle is forgotten
        return process


def user_identity() -> tuple[str, str]:
    """Name and mail of whoever runs this, as their git configuration says; empty where it does not."""
    name, mail = ((user_values(key) or [""])[-1].strip() for key in ("user.name", "user.email"))
    return name, mail


def user_values(key: str) -> list[str]:
    """What the user's own git configuration says of a key. No repository takes part in it, and nothing else is asked of it."""
    git = Git(Path("/nonexistent"))
    git._environment = {key: value for key, value in git._environment.items() if key not in ("GIT_CONFIG_GLOBAL", "GIT_DIR")}
    out = git.run(["config", "--global", "--null", "--get-all", key], ok=(0, 1, 128, 255))
    return [value for value in out.decode("utf-8", "replace").split("\0") if value]


def end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes and wait; a process that does not end by itself within two seconds is killed."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@cache
def _gitpython() -> ModuleType:
    """GitPython, imported late: its import runs `git version` and costs more than a whole `backport --help`."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "raise")
    try:
        import git
    except ImportError as error:
        raise MissingToolError("git is not installed", then="apt-get install git, or dnf install git") from error
    return git


def _without_git_variables(ours: Mapping[str, str]) -> list[str]:
    """A prefix that hides inherited GIT_* variables other than `ours`; empty where there are none.

    A git hook runs us with GIT_DIR, GIT_INDEX_FILE and a quarantine as object directory, a CI job with
    GIT_CONFIG_COUNT: GitPython adds to the inherited environment and cannot take away, env(1) can.
    """
    kept = {*ours, *_ENVIRONMENT}
    names = sorted(n for n in os.environ if n.startswith("GIT_") and not n.startswith("GIT_PYTHON_") and n not in kept)
    return ["env", *(item for name in names for item in ("-u", name))] if names else []


def _verb(command: Sequence[str]) -> str:
    return next((word for word in command if not word.startswith("-")), "")

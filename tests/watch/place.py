"""A kernel, the archive of a list, and a watch.toml that follows one series."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.progress import Silent
from backport.watch import job
from backport.watch.config import load
from backport.watch.state import Event, State
from tests.gitrepo import START, Repo, numbered
from tests.ingest.mail.test_sources import epoch

FILES = {
    b"Makefile": b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n",
    b"mm/a.c": numbered(40),
    b"mm/b.c": numbered(40),
}


class Place:
    """A kernel, an archive of one list, and a watch.toml."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.folder = folder
        self.kernel = Repo.make(folder / "linux.git")
        self.inbox = Repo.make(folder / "inbox.git")
        self.base = self.kernel.commit(FILES, b"base\n")
        self.target = self.kernel.on(self.base, {b"mm/b.c": numbered(40, l40=b"the target's own")}, b"target\n")
        self.kernel.branch("master", self.base)
        self.kernel.branch("target", self.target)
        self.mails: list[bytes] = []
        self.write("titles = ['change of a']")

    def write(self, follow: str) -> None:
        (self.folder / "watch.toml").write_text(
            f"mail = ['{self.inbox.path}']\nkernel = ['{self.kernel.path}']\nbranch = 'master'\ntargets = ['target']\n"
            f"[[follow]]\nname = 'feature'\n{follow}\n"
        )

    def post(self, version: int, **lines: bytes) -> str:
        """Post a revision; the commit that it was made of."""
        commit = self.kernel.on(self.base, {b"mm/a.c": numbered(40, **lines)}, b"mm: change of a file\n\nwhy\n")
        label = "--subject-prefix=PATCH" + (f" v{version}" if version > 1 else "")
        mail = self.kernel.git("format-patch", "--stdout", "-1", label, commit).partition(b"\n")[2]
        self.mails.append(b"Message-ID: <m%d@example.com>\n" % version + mail)
        self.deliver()
        return commit

    def deliver(self) -> None:
        """The archive holds these mails; its history is made anew where one of the first was changed."""
        self.inbox.clock = START
        epoch(self.inbox, *self.mails)

    def once(self) -> list[Event]:
        watch = load(self.folder / "watch.toml")
        with State(watch.results) as state:
            return job.once(watch, state, Silent())

    @property
    def results(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "results").iterdir() if path.is_dir())

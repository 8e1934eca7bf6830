"""Commits that nobody has posted yet, as the mails that they would be: a range or a branch of a repository.

    A..B                 in the repository here
    REPOSITORY#A..B      in that one
    REPOSITORY#BRANCH    what is on the branch and on no other branch or tag

The first mail names the commit below it as its `base-commit`, as `git format-patch --base` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git.clone import Clone, open_clone, resolve, tips_of
from backport.git.history import History
from backport.git.mail import format_patches
from backport.git.store import Store
from backport.ingest.mail.boxes import Found
from backport.model.errors import InputError

MOST = 1000
_HOW = "write A..B, REPOSITORY#A..B or REPOSITORY#BRANCH"


@dataclass(frozen=True, slots=True)
class Branch:
    """A range of a repository; `span` as it was written, "" for none."""

    name: str
    clone: Clone
    span: str

    def walk(self) -> Iterator[Found]:
        """Each commit as a mail, the oldest first. InputError for a merge, a root commit, an empty range and more than MOST."""
        with tempfile.TemporaryDirectory(prefix="backport-") as folder:
            store = Store(Path(folder) / "run.git", [self.clone.objects], shallow=self.clone.shallow)
            with store:
                history = History(store)
                commits = self._commits(store)
                below = [history.commit(oid).parents for oid in commits]
                if odd := next((oid for oid, parents in zip(commits, below, strict=True) if len(parents) != 1), None):
                    what = f"{odd[:12]} is a {'merge' if history.commit(odd).parents else 'root commit'}, which no mail can be"
                    raise InputError(what, where=self.name, then="name a range without it")
                for number, raw in enumerate(format_patches(store, commits), 1):
                    base = b"" if number > 1 else b"\nbase-commit: %s\n" % below[0][0].encode()
                    yield Found(f"{self.name}#{number}", raw.rstrip(b"\n") + b"\n" + base)

    def read(self, wheres: Sequence[str]) -> list[Found]:
        """These mails again."""
        found = {each.where: each for each in self.walk()}
        return [found[where] for where in wheres]

    def _commits(self, store: Store) -> list[str]:
        since, dots, until = self.span.partition("..")
        names = [since or "HEAD", until or "HEAD"] if dots else [self.span]
        ids = resolve([self.clone], names)
        if lacking := next((name for name, oid in zip(names, ids, strict=True) if oid is None), None):
            raise InputError(f"it has no revision {lacking!r}", where=self.name, then=_HOW)
        tip = ids[-1] or ""
        others = [ids[0]] if dots else [oid for oid in tips_of(self.clone) if oid != tip]
        command = ["rev-list", "--reverse", "--topo-order", f"--max-count={MOST + 1}", "--stdin"]
        found = store.git.run(command, "".join(f"{line}\n" for line in (tip, *(f"^{oid}" for oid in others))).encode())
        commits = found.decode().split()
        if not commits:
            then = "another branch or tag has all of it: write A..B" if not dots else "is the order right?"
            raise InputError("there is no commit in it", where=self.name, then=then)
        if len(commits) > MOST:
            raise InputError(f"there are more than {MOST} commits in it", where=self.name, then="write a shorter range, A..B")
        return commits


def branch_of(source: str) -> Branch | None:
    """The range that a source means, None where it is something else. InputError for a repository without a range."""
    path, mark, span = source.partition("#")
    place = Path(path).expanduser()
    if mark and span and _is_repository(place):
        return Branch(source, open_clone(place), span)
    if ".." in source and not Path(source).exists() and _is_repository(Path()):
        return Branch(source, open_clone(Path()), source)
    if Path(source).is_dir() and _is_repository(Path(source)):
        raise InputError("this is a repository, and no archive of mails", where=source, then=f"say which commits: {_HOW}")
    return None


def _is_repository(path: Path) -> bool:
    return (path / ".git").exists() or ((path / "objects").is_dir() and (path / "HEAD").exists())

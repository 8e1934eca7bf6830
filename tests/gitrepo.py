"""Small repositories for tests: objects written by hand without a process, everything else done by the real git."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.ingest.sources import Sources
from backport.model.definition import DefinedCommit, Definition
from backport.model.progress import Silent
from backport.model.series import Series
from backport.model.verdict import PatchOutcome
from backport.replay.engine import Replayed, replay
from backport.replay.guard import Guard
from backport.replay.policy import MERGES_ALONE, Policy

FILE, EXECUTABLE, LINK, SUBMODULE, FOLDER = 0o100644, 0o100755, 0o120000, 0o160000, 0o040000
AUTHOR = b"A U Thor <author@example.com>"
START = 1_250_000_000

Content = bytes | tuple[int, bytes]
Files = Mapping[bytes, Content]


def link(target: bytes) -> Content:
    """A symbolic link."""
    return LINK, target


def program(content: bytes) -> Content:
    """An executable file."""
    return EXECUTABLE, content


def submodule(oid: str) -> Content:
    """A gitlink."""
    return SUBMODULE, oid.encode()


def numbered(count: int, **changed: bytes) -> bytes:
    """`count` lines "line N"; `l3=b"x"` makes the third one x."""
    return b"".join(changed.get(f"l{i}", b"line %d" % i) + b"\n" for i in range(1, count + 1))


def environment(**extra: str) -> dict[str, str]:
    """No configuration and no GIT_* of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C", "TZ": "UTC"}
    ident = {"GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.com", "GIT_COMMITTER_DATE": f"{START} +0000"}
    return kept | fixed | ident | {"GIT_AUTHOR_NAME": "X", "GIT_AUTHOR_EMAIL": "x@example.com"} | extra


def run(
    command: Sequence[str | bytes | Path], cwd: Path, stdin: bytes = b"", ok: Sequence[int] | None = (0,), **extra: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command; `ok=None` takes every status."""
    done = subprocess.run([os.fsencode(c) for c in command], cwd=cwd, input=stdin, env=environment(**extra), capture_output=True)
    assert ok is None or done.returncode in ok, (
        f"{command}: {done.returncode}\n{done.stdout!r}\n{done.stderr.decode(errors='replace')}"
    )
    return done


@dataclass
class Repo:
    """A bare repository. Commits get one second each, so that equal calls give equal ids."""

    path: Path
    clock: int = START
    _last: str = ""
    files: dict[str, Files] = field(default_factory=dict)

    @classmethod
    def make(cls, path: Path) -> Repo:
        """A new one, made by hand as `git init --bare` would."""
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (path / part).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/heads/master\n")
        (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        return cls(path)

    def git(self, *arguments: str | bytes | Path, stdin: bytes = b"", ok: Sequence[int] | None = (0,), **extra: str) -> bytes:
        """Standard output of real git in this repository."""
        return run(["git", *arguments], self.path, stdin, ok, **extra).stdout

    def text(self, *arguments: str | bytes, **options: object) -> str:
        """The same as text without the last newline."""
        return self.git(*arguments, **options).decode().rstrip("\n")  # type: ignore[arg-type]

    def write(self, kind: str, content: bytes) -> str:
        """A loose object with any content, valid or not."""
        data = b"%s %d\0" % (kind.encode(), len(content)) + content
        oid = hashlib.sha1(data).hexdigest()
        path = self.path / "objects" / oid[:2] / oid[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(data, 1))
        return oid

    def raw_tree(self, entries: Iterable[tuple[int, bytes, str]]) -> str:
        """A tree object with exactly these entries in this order, even such as git refuses to make."""
        return self.write("tree", b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(oid) for mode, name, oid in entries))

    def tree(self, files: Files) -> str:
        """The tree of all these files by full path."""
        here: list[tuple[int, bytes, str]] = []
        below: dict[bytes, dict[bytes, Content]] = {}
        for path, content in files.items():
            first, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(first, {})[rest] = content
                continue
            mode, data = content if isinstance(content, tuple) else (FILE, content)
            here.append((mode, path, data.decode() if mode == SUBMODULE else self.write("blob", data)))
        here += [(FOLDER, name, self.tree(inner)) for name, inner in below.items()]
        return self.raw_tree(sorted(here, key=lambda row: row[1] + (b"/" if row[0] == FOLDER else b"")))

    def commit(
        self,
        files: Files | str,
        message: bytes = b"change\n",
        *,
        parents: Sequence[str] | None = None,
        author: bytes = AUTHOR,
        committer: bytes = b"C O Mitter <committer@example.com>",
        headers: bytes = b"",
        date: bytes = b"",
    ) -> str:
        """A commit on top of the last one (or `parents`) whose whole content is `files` (or a tree id)."""
        tree = files if isinstance(files, str) else self.tree(files)
        above = ([self._last] if self._last else []) if parents is None else parents
        self.clock += 1
        when = date or b"%d +0200" % self.clock
        lines = [b"tree " + tree.encode(), *(b"parent " + p.encode() for p in above)]
        lines += [b"author " + author + b" " + when, b"committer " + committer + b" " + (b"%d +0000" % (self.clock + 60))]
        self._last = self.write("commit", b"\n".join(lines) + b"\n" + headers + b"\n" + message)
        if not isinstance(files, str):
            self.files[self._last] = dict(files)
        return self._last

    def on(self, parent: str, changes: Mapping[bytes, Content | None], message: bytes = b"change\n", **options: object) -> str:
        """A commit on top of `parent` with some paths changed (None: removed)."""
        files = {path: content for path, content in (dict(self.files[parent]) | changes).items() if content is not None}
        return self.commit(files, message, parents=[parent], **options)  # type: ignore[arg-type]

    def branch(self, name: str, commit: str) -> None:
        """Point a branch somewhere."""
        path = self.path / "refs" / "heads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit + "\n")

    def subject(self, commit: str) -> str:
        """As git prints it."""
        return self.git("log", "-1", "--format=%s", commit).decode("utf-8", "replace").strip("\n")

    def content(self, tree: str, path: bytes) -> bytes:
        """A file of a tree."""
        return self.git("cat-file", "blob", tree.encode() + b":" + path)


def definition(repo: Repo, commits: Sequence[str], base: str = "", *, subjects: Sequence[str] | None = None) -> Definition:
    """What a series.toml with these commits would say."""
    found = subjects or [repo.subject(commit) for commit in commits]
    rows = tuple(DefinedCommit(c, s, "", i + 10) for i, (c, s) in enumerate(zip(commits, found, strict=True)))
    return Definition(Path("series.toml"), "test", "test", "url", f"{base}..{commits[-1]}", base, rows, (), (), ())


@dataclass
class Session:
    """A run up to the replay, with everything still open."""

    series: Series
    replayed: Replayed
    store: Store
    trees: Trees
    history: History

    @property
    def outcomes(self) -> tuple[PatchOutcome, ...]:
        return self.replayed.outcomes

    @property
    def verdicts(self) -> list[str]:
        """The verdict of each patch."""
        return [str(outcome.verdict) for outcome in self.outcomes]

    @property
    def landed(self) -> list[str]:
        """The new commits."""
        return [outcome.commit for outcome in self.outcomes if outcome.commit]

    def git(self, *arguments: str | bytes, **options: object) -> bytes:
        """Real git in the run's own repository, where the new objects are."""
        self.store.flush()
        return run(["git", *arguments], self.store.folder, **options).stdout  # type: ignore[arg-type]


@contextmanager
def replayed(
    repo: Repo | Path,
    commits: Sequence[str],
    onto: str,
    scratch: Path,
    base: str = "",
    *,
    guard: Guard | None = None,
    policy: Policy | None = None,
    **options: object,
) -> Iterator[Session]:
    """Ingest and replay `commits` onto `onto`; the store lives in `scratch`."""
    path = repo.path if isinstance(repo, Repo) else repo
    sources = Sources((open_clone(path),))
    told = definition(repo if isinstance(repo, Repo) else Repo(path), commits, base or onto, **options)  # type: ignore[arg-type]
    with sources.store(scratch) as store:
        trees, history = Trees(store), History(store)
        series = ingest(told, sources.clones, store, Silent())
        yield Session(series, replay(series, onto, store, trees, history, Silent(), guard, policy), store, trees, history)


class Checkout:
    """A work tree in which the real git does what we claim to do."""

    def __init__(self, repo: Repo, path: Path, onto: str) -> None:
        self.path = path
        self.said = ""
        path.mkdir(parents=True)
        self.git("init", "-q", "--template=")
        (path / ".git" / "objects" / "info").mkdir(exist_ok=True)
        (path / ".git" / "objects" / "info" / "alternates").write_text(f"{repo.path}/objects\n")
        self.git("checkout", "-q", "--detach", onto)

    def git(self, *arguments: str | bytes | Path, stdin: bytes = b"", ok: Sequence[int] | None = (0,), **extra: str) -> bytes:
        """Standard output of git."""
        return run(["git", *arguments], self.path, stdin, ok, **extra).stdout

    def tree(self) -> str:
        """The tree of HEAD."""
        return self.git("rev-parse", "HEAD^{tree}").decode().strip()

    def pick(self, commit: str, *options: str) -> str:
        """`git cherry-pick`: "landed", "conflict" or "empty"; the work tree is as before in the last two cases."""
        done = run(["git", "cherry-pick", *options, commit], self.path, ok=(0, 1))
        if done.returncode == 0:
            return "landed"
        self.said = (done.stdout + done.stderr).decode("utf-8", "replace")
        empty = b"is now empty" in done.stderr + done.stdout or b"--allow-empty" in done.stderr
        run(["git", "reset", "-q", "--hard"], self.path)
        run(["git", "clean", "-qfdx"], self.path)
        return "empty" if empty else "conflict"

    def am(self, mails: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
        """`git am` of a mailbox; only the first `[PATCH]` of a subject goes."""
        return run(["git", "am", "-q", "--keep-non-patch", *options], self.path, mails, ok=None)


KIND = {"exact": "landed", "merged": "landed", "already-present": "empty", "conflict": "conflict", "not-applicable": "conflict"}


def compare(repo: Repo, commits: Sequence[str], onto: str, scratch: Path) -> Session:
    """Replay here and `git cherry-pick` there: the same patches land, and the same tree comes out after each."""
    checkout = Checkout(repo, scratch / "work", onto)
    with replayed(repo, commits, onto, scratch / "store", policy=MERGES_ALONE) as session:
        for number, (commit, outcome) in enumerate(zip(commits, session.outcomes, strict=True), 1):
            picked = checkout.pick(commit)
            assert KIND[outcome.verdict] == picked, (
                f"patch {number}: we say {outcome.verdict}, git says {picked}: {checkout.said}"
            )
            if outcome.tree:
                assert outcome.tree == checkout.tree(), f"patch {number} gives another tree"
        assert session.replayed.tree == checkout.tree()
    return session

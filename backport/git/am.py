"""Makes commits of mails as `git am` does, by `git am` itself: what it takes is taken, what it refuses is refused.

One process for a whole series, in a scratch repository beside the store with a work tree that holds only the files that the mails
touch: git am needs one, and 30,000 files nobody looks at would take seconds. The committer is fixed and its date the author's,
so that equal mails on an equal base give equal commit ids.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git.runner import Git, GitFailedError
from backport.git.store import Store

_IDENT = ("-c", "user.name=backport", "-c", "user.email=backport@localhost")
_OPTIONS = (
    "--quiet",
    "--committer-date-is-author-date",
    "--keep-cr",
    "--keep-non-patch",
    "--no-scissors",
    "--no-gpg-sign",
    "--quoted-cr=nowarn",
)
_ATTRIBUTES = b"* -text !eol -filter -ident -working-tree-encoding whitespace=-blank-at-eol\n"


@dataclass(frozen=True, slots=True)
class Applied:
    """What git am made: the commits in order; where it stopped, the index of that mail and what git said of it (else -1, '').

    `line` is the 1-based line of the mail that git complained of, 0 where it named none.
    """

    commits: tuple[str, ...]
    stopped: int = -1
    said: str = ""
    line: int = 0


def apply_mails(store: Store, base: str, mails: Sequence[bytes], paths: Sequence[bytes], strip: int = 1) -> Applied:
    """Apply mails in order on top of the commit `base`. `paths` are the files that they touch, as far as anybody knows.

    The commits and all that they need are in the store afterwards. A mail is one mail whatever its body says: they are handed
    over as a maildir, in which git cuts nothing at `From ` lines.
    """
    if not mails:
        return Applied(())
    with tempfile.TemporaryDirectory(prefix="backport-am-", dir=store.folder.parent) as name:
        folder = Path(name)
        git = _repository(folder, store, base)
        box = folder / "mails" / "cur"
        box.mkdir(parents=True)
        for number, mail in enumerate(mails, 1):
            (box / f"{number:06d}").write_bytes(mail)
        (folder / "tree").mkdir()
        tree = f"--work-tree={folder / 'tree'}"
        git.run(["read-tree", base])
        known = b"\0".join(path for path in paths if path)
        git.run([tree, "checkout-index", "--quiet", "--force", "-z", "--stdin"], known, ok=(0, 1, 128))
        failed = ""
        try:
            git.run([*_IDENT, tree, "am", *_OPTIONS, f"-p{strip}", str(folder / "mails")])
        except GitFailedError as error:
            failed = error.stderr or error.what
        commits = tuple(git.run(["rev-list", "--reverse", f"{base}..HEAD"]).decode().split())
        if failed or len(commits) != len(mails):
            said, line = _complaint(folder, failed)
            return Applied(commits, len(commits), said, line)
        return Applied(commits)


def _repository(folder: Path, store: Store, base: str) -> Git:
    """A bare repository of its own that writes its objects straight into the store and has nothing else to do with it."""
    store.flush()
    git_dir = folder / "am.git"
    (git_dir / "refs" / "heads").mkdir(parents=True)
    (git_dir / "info").mkdir()
    (git_dir / "info" / "attributes").write_bytes(_ATTRIBUTES)
    (git_dir / "objects").symlink_to((store.folder / "objects").resolve())
    shallow = store.folder / "shallow"
    if shallow.is_file():
        shutil.copy(shallow, git_dir / "shallow")
    (git_dir / "config").write_bytes(b"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tautocrlf = false\n")
    (git_dir / "HEAD").write_text(base + "\n", encoding="ascii")
    return Git(git_dir)


def _complaint(folder: Path, said: str) -> tuple[str, int]:
    """What git said in one line, and the line of the mail that it means.

    git counts in the patch that mailinfo cut out of the mail (`rebase-apply/patch`); its first line is found again in the mail.
    """
    lines = [line.removeprefix("error: ").removeprefix("fatal: ") for line in said.splitlines()]
    told = next(
        (line for line in lines if line and not line.startswith(("hint:", "warning:", "Patch failed at"))), "git am refuses it"
    )
    state = folder / "am.git" / "rebase-apply"
    match = re.search(r"\bline (\d+)\b|/patch:(\d+)", told)
    number = int(next(filter(None, match.groups()))) if match else 0
    try:
        patch = (state / "patch").read_bytes()
        current = int((state / "next").read_text().strip())
        mail = (folder / "mails" / "cur" / f"{current:06d}").read_bytes()
    except (OSError, ValueError):
        return _clean(told), 0
    number = number or _spoken_of(patch, told)
    at = mail.find(patch[:4000]) if patch else -1
    return _clean(told), mail.count(b"\n", 0, at) + number if number and at >= 0 else 0


def _spoken_of(patch: bytes, told: str) -> int:
    """The line of the patch that git means by a file and a line in that (`patch failed: mm/ksm.c:12`), or by a path; 0: none."""
    failed = re.search(r"patch failed: (.*):(\d+)$", told)
    if failed:
        name = re.escape(failed[1].encode("utf-8", "surrogateescape"))
        hunk = re.search(rb"^\+\+\+ [^\n]*" + name + rb".*?^@@ -%s[, ]" % failed[2].encode(), patch, re.M | re.S)
        return patch.count(b"\n", 0, hunk.end()) + 1 if hunk else 0
    named = re.search(r"'([^']+)'|^([^:]+): ", told)
    at = patch.find((named[1] or named[2]).encode("utf-8", "surrogateescape")) if named else -1
    return patch.count(b"\n", 0, at) + 1 if at >= 0 else 0


def _clean(told: str) -> str:
    return re.sub(r"\S*/rebase-apply/patch:?", "the patch", told)[:300]

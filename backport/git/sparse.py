"""A repository of our own with a few files of one tree checked out, for a person to work in with their own git and editor.

It borrows the objects of the user's clones (alternates) and nothing else: no configuration, hook or attribute of theirs is in it.
All files of the tree are in the index, all but the shown ones marked `skip-worktree`, as `git sparse-checkout` does it; so
`git status` and `git diff` speak of the shown files alone, and `git sparse-checkout add PATH` brings more.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from backport.git.runner import Git
from backport.git.store import quoted
from backport.model.errors import EnvironmentFailedError
from backport.model.series import Entry

Stages = tuple[Entry | None, Entry | None, Entry | None]
"""Base, ours and theirs of a path in conflict, as the index keeps them."""

_CONFIG = b"""[core]
\trepositoryformatversion = 0
\tbare = false
\tfilemode = true
\tautocrlf = false
\tsparseCheckout = true
\tsparseCheckoutCone = false
[gc]
\tauto = 0
[merge]
\tconflictStyle = diff3
"""
# The tree's own .gitattributes may ask for other line ends or for filters; what is shown must be the blob, byte for byte.
_ATTRIBUTES = b"* -text !eol !filter !ident !working-tree-encoding conflict-marker-size=%d\n"
_SPECIAL = re.compile(rb"([\\*?\[\]])")


class Worktree:
    """The folder and its `.git`. Nothing is written outside of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git_dir = folder / ".git"
        self._git = Git(self.git_dir, work_tree=folder)

    def make(self, alternates: Sequence[Path]) -> None:
        """Make the repository, or give the one that is there other object folders to borrow from."""
        try:
            for name in ("objects/info", "objects/pack", "refs/heads", "info"):
                (self.git_dir / name).mkdir(parents=True, exist_ok=True)
            (self.git_dir / "config").write_bytes(_CONFIG)
            if not (self.git_dir / "HEAD").exists():
                (self.git_dir / "HEAD").write_bytes(b"ref: refs/heads/none\n")
            lines = [quoted(os.fsencode(path.resolve())) + b"\n" for path in alternates]
            (self.git_dir / "objects" / "info" / "alternates").write_bytes(b"".join(lines))
        except OSError as error:
            raise EnvironmentFailedError(f"cannot make the worktree: {error.strerror}", where=str(self.folder)) from error

    def show(self, commit: str, tree: str, paths: Iterable[bytes], unmerged: Mapping[bytes, Stages], marker: int) -> None:
        """Put the files at `paths` of `tree` into the folder, as a change in progress on top of `commit`.

        Those in `unmerged` are in the index with their three sides. What an earlier call put there and is not shown any
        more goes; files that git does not know stay.
        """
        (self.git_dir / "info" / "attributes").write_bytes(_ATTRIBUTES % marker)
        (self.git_dir / "info" / "sparse-checkout").write_bytes(b"".join(map(_pattern, sorted(set(paths)))))
        self._clear()
        self._git.run(["read-tree", "--reset", "-u", tree])
        if unmerged:
            self._git.run(["update-index", "-z", "--index-info"], b"".join(map(_stages, unmerged, unmerged.values())))
        (self.git_dir / "HEAD").write_bytes(commit.encode() + b"\n")

    def unmerged(self) -> set[bytes]:
        """The paths that are in conflict by the index: nobody has said `git add` or `git rm` yet."""
        rows = self._git.run(["ls-files", "-u", "-z"]).split(b"\0")[:-1]
        return {row.partition(b"\t")[2] for row in rows}

    def unknown(self) -> list[bytes]:
        """The files in the folder that git does not know."""
        return self._git.run(["ls-files", "--others", "--exclude-standard", "-z"]).split(b"\0")[:-1]

    def tree(self) -> str:
        """The tree of what is in the folder now: every file that git knows, changed, removed or `git add`ed.

        Written through a copy of the index: the person's own says what is staged as they left it.
        """
        copy = self.git_dir / "backport-index"
        try:
            shutil.copyfile(self.git_dir / "index", copy)
            self._git.run(["add", "--sparse", "-u", "."], index=copy)
            return self._git.run(["write-tree"], index=copy).decode().strip()
        finally:
            copy.unlink(missing_ok=True)

    def read(self, path: bytes) -> bytes | None:
        """The content of a file in the folder, None where there is no regular one (a link is not followed)."""
        place = self.folder / os.fsdecode(path)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with open(handle, "rb") as stream:  # noqa: PTH123 - a handle, so that nobody exchanges the file in between
            return stream.read()

    def remove(self) -> list[bytes]:
        """Take the files and the repository away; what git did not know stays and is named."""
        left = self.unknown()
        self._clear()
        shutil.rmtree(self.git_dir)
        with suppress(OSError):
            self.folder.rmdir()
        return left

    def _clear(self) -> None:
        """Take away the files that git knows in the folder, and the index: git itself would refuse to give up changed ones.

        A git that was killed leaves its lock; we hold the session's own, so that nobody else of ours is at work.
        """
        (self.git_dir / "index.lock").unlink(missing_ok=True)
        if (self.git_dir / "index").exists():
            for row in self._git.run(["ls-files", "-t", "-z"]).split(b"\0")[:-1]:
                if row[:1] != b"S":  # not one that is only in the index
                    _unlink(self.folder, row[2:])
            (self.git_dir / "index").unlink()


def _unlink(folder: Path, path: bytes) -> None:
    """Remove a file, and the folders that are empty then. A folder that somebody exchanged for a link is not gone through."""
    *parents, name = path.split(b"/")
    handles = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for parent in parents:
            handles.append(os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handles[-1]))
        os.unlink(name, dir_fd=handles[-1])
        for handle, parent in zip(handles[-2::-1], parents[::-1], strict=True):
            os.rmdir(parent, dir_fd=handle)
    except OSError:  # not there, not a folder, not empty: git will say so where it matters
        pass
    finally:
        for handle in handles:
            os.close(handle)


def _pattern(path: bytes) -> bytes:
    """A line of info/sparse-checkout that means one path. A line break in a name has no spelling there: `?` stands for it."""
    escaped = _SPECIAL.sub(rb"\\\1", path).replace(b"\n", b"?")
    stripped = escaped.rstrip(b" ")
    return b"/" + stripped + b"\\ " * (len(escaped) - len(stripped)) + b"\n"


def _stages(path: bytes, sides: Stages) -> bytes:
    """Records of `update-index --index-info`: the path leaves stage 0, and comes in again with up to three sides."""
    rows = [b"0 %s\t%s\0" % (b"0" * 40, path)]
    for number, side in enumerate(sides, 1):
        if side is not None:
            rows.append(b"%o %s %d\t%s\0" % (side.mode, side.oid.encode(), number, path))
    return b"".join(rows)

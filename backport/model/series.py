"""A series as it was upstream: commits, and what each changes.

Paths, messages and idents are `bytes`: git promises no encoding for any of them. Object ids are 40 hex digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

SYMLINK = 0o120000
GITLINK = 0o160000
TREE = 0o040000


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree says of one path: mode as in the tree object, and the object's id."""

    mode: int
    oid: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, the one kind whose content can be merged."""
        return self.mode & 0o170000 == 0o100000


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a patch: `old` at `old_path` became `new` at `new_path`; None where it was not there.

    `status` is git's letter: A(dded), M(odified), D(eleted), R(enamed), T(ype changed). Paths are equal but for R.
    """

    status: str
    old_path: bytes
    new_path: bytes
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True)
class Patch:
    """One upstream commit: where it came from, who wrote it, what it changes.

    `author` and `committer` are ident lines of the commit object (`Name <mail> seconds +zone`), `encoding` its
    encoding header (empty: UTF-8 by git's rule, whether or not the bytes obey), `message` the bytes after the blank line.
    """

    commit: str
    parent: str
    tree: str
    parent_tree: str
    author: bytes
    committer: bytes
    encoding: bytes
    message: bytes
    changes: tuple[FileChange, ...]

    @property
    def subject(self) -> str:
        """The first paragraph on one line, for display."""
        return subject_of(self.message, self.encoding)

    @property
    def short(self) -> str:
        """Twelve digits of the commit id, as the kernel's own `Fixes:` lines write it."""
        return self.commit[:12]


@dataclass(frozen=True, slots=True)
class Series:
    """Patches in the order in which they are applied; `base` is the upstream revision before the first one (40 hex), or ''."""

    name: str
    title: str
    base: str
    patches: tuple[Patch, ...]


def subject_of(message: bytes, encoding: bytes = b"") -> str:
    """The first paragraph of a message on one line, as `git log --format=%s`: a line of spaces or a lone CR is blank as well."""
    lines = [line.strip(b" \t\r") for line in message.split(b"\n")]
    first = next((i for i, line in enumerate(lines) if line), 0)
    return decode(b" ".join(takewhile(bool, lines[first:])), encoding)


def squeezed(subject: str) -> str:
    """As a definition can hold it: no tab, no control character, no two spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in subject).split())


def decode(raw: bytes, encoding: bytes = b"") -> str:
    """Text for display: the declared encoding, else UTF-8, else latin-1, which reads every byte. Never raises."""
    for name in (encoding.decode("ascii", "replace") or "utf-8", "utf-8"):
        try:
            return raw.decode(name)
        except (UnicodeError, LookupError, ValueError):  # `punycode`, `undefined` and a name with NUL raise others
            continue
    return raw.decode("latin-1")


def show_path(path: bytes) -> str:
    """A path for display and for JSON: printable characters as they are, every other byte as a backslash escape."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

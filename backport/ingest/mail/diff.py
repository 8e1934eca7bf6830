"""Reads the diff in a mail, counting hunk lines as git apply does, so that no content passes for structure.

It is read, never written back: what is applied are the mail's own bytes, by git. A removed line `-- ` is thus a removed line, and
the signature below the last hunk is none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.git.diff import unquote

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: [0-7]{6})?\s*$")
_SPACES = b" \t\n\r"  # what git calls a space (ctype.c): no vertical tab, no form feed
_SAID = (b"old mode ", b"new mode ", b"similarity index ", b"dissimilarity index ")


@dataclass(frozen=True, slots=True)
class PostedFile:
    """One file of a posted diff: paths (b"" on the side where it is not), blob ids as abbreviated on the index line, or ''.

    `lines` are those of its hunks, with their signs.
    """

    old: bytes
    new: bytes
    old_blob: str
    new_blob: str
    lines: tuple[bytes, ...] = ()

    @property
    def path(self) -> bytes:
        """Where it is afterwards, or was before it was deleted."""
        return self.new or self.old

    @property
    def added(self) -> tuple[bytes, ...]:
        """The lines that it adds."""
        return tuple([line[1:] for line in self.lines if line[:1] == b"+"])

    @property
    def removed(self) -> tuple[bytes, ...]:
        """The lines that it removes."""
        return tuple([line[1:] for line in self.lines if line[:1] == b"-"])


@dataclass(frozen=True, slots=True)
class PostedDiff:
    """A posted diff. `patch_id` is git's stable one, '' where there is no file; `problem` says what git would stumble over.

    `line` is the 1-based line of the text at which the problem is.
    """

    files: tuple[PostedFile, ...]
    patch_id: str
    problem: str = ""
    line: int = 0


def holds_diff(text: bytes) -> bool:
    """Whether there is anything to read: a quick look."""
    return b"\n+++ " in text or b"\ndiff --git " in text or text.startswith(b"diff --git ")


def read_diff(text: bytes) -> PostedDiff:
    """The diff of a mail's body, or of a plain patch file. Never raises."""
    reader = _Reader(text)
    problem, line = "", 0
    try:
        reader.run()
    except _CorruptError as error:
        problem, line = str(error), error.line
    return PostedDiff(tuple(reader.files), reader.patch_id, problem, line)


class _CorruptError(Exception):
    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class _Reader:
    """Walks the lines once. The patch-id adds up, file by file, the way `git patch-id --stable` does (builtin/patch-id.c)."""

    def __init__(self, text: bytes) -> None:
        self.lines = text.split(b"\n")
        self.at = 0
        self.files: list[PostedFile] = []
        self._sum = 0
        self._unhashed: list[bytes] = []
        self._noted = b"\n\\ " in text

    @property
    def patch_id(self) -> str:
        if not self.files:
            return ""
        total = self._sum + (_digest(self._unhashed) if self._unhashed else 0)
        return (total % (1 << 160)).to_bytes(20, "little").hex()

    def run(self) -> None:
        lines, count = self.lines, len(self.lines)
        while self.at < count:
            line = lines[self.at]
            if line[:1] not in (b"d", b"-", b"@"):
                self.at += 1
            elif line.startswith(b"diff --git "):
                self._git_file()
            elif line.startswith(b"--- ") and self._plain_follows():
                self._plain_file()
            elif line.startswith(b"@@ -") and _HUNK.match(line) and self.files:
                raise _CorruptError("a hunk stands without the header of its file", self.at + 1)
            else:
                self.at += 1

    def _plain_follows(self) -> bool:
        after = self.lines[self.at + 1 : self.at + 3]
        return len(after) == 2 and after[0].startswith(b"+++ ") and _HUNK.match(after[1]) is not None

    def _git_file(self) -> None:
        first = self.at
        old, new = _git_names(self.lines[first][11:])
        blobs, kept = ("", ""), [self.lines[first]]
        self.at += 1
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(b"index "):
                match = _INDEX.match(line)
                blobs = (match[1].decode(), match[2].decode()) if match else blobs
            elif line.startswith(b"--- "):
                break
            elif line.startswith(b"rename from ") or line.startswith(b"copy from "):
                old = unquote(line.split(b" from ", 1)[1])
                kept.append(line)
            elif line.startswith(b"rename to ") or line.startswith(b"copy to "):
                new = unquote(line.split(b" to ", 1)[1])
                kept.append(line)
            elif line.startswith(_SAID):
                kept.append(line)
            elif line.startswith(b"deleted file mode "):
                new = b""
                kept.append(line)
            elif line.startswith(b"new file mode "):
                old = b""
                kept.append(line)
            else:
                break
            self.at += 1
        if self._at(b"GIT binary patch") or self._at(b"Binary files "):
            self._binary(kept)
            self._end(PostedFile(old, new, *blobs), kept)
            return
        if self._at(b"--- "):
            if not self._plain_follows():
                raise _CorruptError("the header of a file ends without a hunk", self.at + 1)
            kept += self.lines[self.at : self.at + 2]
            self.at += 2
            self._end(PostedFile(old, new, *blobs, self._hunks(kept)), kept, hunks=True)
            return
        self._end(PostedFile(old, new, *blobs), kept)

    def _plain_file(self) -> None:
        """`--- a/x`, `+++ b/x` without the line of git's, as quilt writes it. The patch-id is made as if it stood there."""
        old, new = (_plain_name(self.lines[self.at + i][4:]) for i in (0, 1))
        name = new or old
        heads = [b"--- a/" + old if old else b"--- /dev/null", b"+++ b/" + new if new else b"+++ /dev/null"]
        kept = [b"diff --git a/%s b/%s" % (name, name), *heads]
        self.at += 2
        self._end(PostedFile(old, new, "", "", self._hunks(kept)), kept, hunks=True)

    def _hunks(self, kept: list[bytes]) -> tuple[bytes, ...]:
        """The lines of the hunks that stand here, without git's note of a missing newline; they are added to `kept` as well."""
        lines, count = self.lines, len(self.lines)
        found: list[bytes] = []
        while self.at < count and (match := _HUNK.match(lines[self.at])):
            end = _hunk_end(lines, self.at, int(match[2] or 1), int(match[4] or 1))
            found += lines[self.at + 1 : end]
            while end < count and lines[end].startswith(b"\\ "):
                end += 1
            self.at = end
        if self._noted:
            found = [line for line in found if line[:1] != b"\\"]
        kept += found
        return tuple(found)

    def _binary(self, kept: list[bytes]) -> None:
        """Base85 lines up to the blank one that ends each of the two halves; none of them is in the patch-id."""
        if self._at(b"Binary files "):
            kept.append(self.lines[self.at])
            self.at += 1
            return
        self.at += 1
        while self.at < len(self.lines) and re.match(rb"(?:literal|delta) \d+\s*$", self.lines[self.at]):
            self.at += 1
            while self.at < len(self.lines) and self.lines[self.at].strip():
                self.at += 1
            self.at += 1

    def _end(self, file: PostedFile, kept: Sequence[bytes], *, hunks: bool = False) -> None:
        """One more file. git hashes one without hunks (a pure rename, a mode) together with the file that follows."""
        self.files.append(file)
        self._unhashed += kept
        if hunks:
            self._sum += _digest(self._unhashed)
            self._unhashed = []

    def _at(self, start: bytes) -> bool:
        return self.at < len(self.lines) and self.lines[self.at].startswith(start)


def _hunk_end(lines: Sequence[bytes], at: int, old: int, new: int) -> int:
    """Where the hunk whose header is at `at` ends, by its own counts. A blank line is a context line that lost its space."""
    header, count = at + 1, len(lines)
    while old > 0 or new > 0:
        at += 1
        if at >= count:
            raise _CorruptError("the mail ends inside a hunk", count)
        sign = lines[at][:1]
        if sign == b" ":
            old -= 1
            new -= 1
        elif sign == b"+":
            new -= 1
        elif sign == b"-":
            old -= 1
        elif sign in (b"", b"\t", b"\r"):
            old -= 1
            new -= 1
        elif sign != b"\\":
            raise _CorruptError("a hunk line begins with none of space, +, - (wrapped by a mail program?)", at + 1)
    if old or new:
        raise _CorruptError("a hunk has other numbers of lines than its header says", header)
    return at + 1


def _digest(lines: Sequence[bytes]) -> int:
    raw = b"".join(lines).translate(None, _SPACES)
    return int.from_bytes(hashlib.sha1(raw, usedforsecurity=False).digest(), "little")


def _git_names(rest: bytes) -> tuple[bytes, bytes]:
    """Both paths of a `diff --git` line. Unquoted with spaces they can be told apart only where they are equal (apply.c)."""
    rest = rest.rstrip(b"\r")
    if rest.startswith(b'"') or rest.endswith(b'"'):
        found = re.findall(rb'"(?:[^"\\]|\\.)*"|[^" ]+', rest)
        if len(found) == 2:
            return _strip(unquote(found[0])), _strip(unquote(found[1]))
    half = (len(rest) - 1) // 2
    one, other = rest[:half], rest[half + 1 :]
    if _strip(one) == _strip(other):
        return _strip(one), _strip(other)
    one, _, other = rest.partition(b" ")
    return _strip(one), _strip(other)


def _plain_name(rest: bytes) -> bytes:
    """The path of a `---` or `+++` line without its date, b"" for /dev/null."""
    name = unquote(rest.split(b"\t")[0].rstrip())
    return b"" if name == b"/dev/null" else _strip(name)


def _strip(path: bytes) -> bytes:
    """Without the first component: `a/`, `b/`, `linux-2.6.31.orig/`."""
    return path.partition(b"/")[2] or path


def changed_lines(files: Sequence[PostedFile]) -> Iterator[bytes]:
    """The added and removed lines with path and sign, blanks aside: what two versions of a change have in common."""
    for file in files:
        for sign, lines in ((b"+", file.added), (b"-", file.removed)):
            for line in lines:
                if line.strip():
                    yield file.path + b"\0" + sign + b" ".join(line.split())

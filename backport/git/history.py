"""Asks a history its questions: what a commit is, what it changed, who last touched these lines, who brought this name.

Each question is one process for the whole list of things asked about, never one a commit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backport.git.diff import Hunk, added, hunks
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.model.errors import InputError
from backport.model.series import Entry, FileChange, decode, subject_of
from backport.model.verdict import Cause

_NOTHING = "0" * 40
_MOST_FETCHED = 4000
LOG_FORMAT = "--format=%x00%x00%H%x00%s%x00"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit object, taken apart. Idents and message are the object's own bytes."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: bytes
    committer: bytes
    encoding: bytes
    message: bytes

    @property
    def subject(self) -> str:
        """The first paragraph on one line, for display."""
        return subject_of(self.message, self.encoding)


class History:
    """Questions to the commits of a store. Ranges are `since..until`, both commit ids, `since` empty for "all"."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._git = store.git
        self._spoken: dict[tuple[str, str, bytes], bool] = {}

    def commit(self, oid: str) -> Commit:
        """One commit, by its full id; InputError where it is missing, not a commit, or damaged."""
        return _parse_commit(oid, self._store.read(oid, "commit"))

    def changes(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[FileChange, ...]]:
        """What changed between each pair of trees, renames found as git does (half of the lines alike)."""
        if not pairs:
            return []
        stdin = "".join(f"{old} {new}\n" for old, new in pairs).encode()
        command = ["diff-tree", "--stdin", "-r", "--raw", "--no-abbrev", "-z"]
        self._bring_changed(stdin)
        found = _parse_raw(self._git.run([*command, "-M"], stdin))
        return [found.get(f"{old} {new}".encode(), ()) for old, new in pairs]

    def renames(self, old_tree: str, new_tree: str, wanted: Collection[bytes]) -> dict[bytes, bytes]:
        """Which of the `wanted` paths of `new_tree` are called otherwise in `old_tree`: new path to old path.

        Costs a second on a release. From a partial clone the contents of `wanted` and of whatever left the tree are
        fetched first; where that is more than a few thousand files, only unchanged files are recognised.
        """
        command = ["diff-tree", "-r", "--raw", "--no-abbrev", "-z"]
        alike, paths = "-M", []
        if self._store.partial:
            plain = parse_changes(self._git.run([*command, "--no-renames", old_tree, new_tree]).split(b"\0"))
            ends = [c for c in plain if c.status == "D" or (c.status == "A" and c.new_path in wanted)]
            if len(ends) > _MOST_FETCHED:
                alike = "-M100%"
            else:
                self._store.prefetch(e.oid for c in ends for e in (c.old, c.new) if e is not None and e.is_file)
                paths = ["--", *(_text(c.new_path) for c in ends)]
        out = self._git.run([*command, alike, "--diff-filter=R", old_tree, new_tree, *paths])
        return {change.new_path: change.old_path for change in parse_changes(out.split(b"\0")) if change.new_path in wanted}

    def files(self, tree: str) -> list[tuple[bytes, Entry]]:
        """Every path of a tree with what stands there, in git's order: quicker than a walk, where all of it is wanted."""
        rows = self._git.run(["ls-tree", "-r", "-z", "--full-tree", tree]).split(b"\0")[:-1]
        split = (row.partition(b"\t") for row in rows)
        return [(path, Entry(int(head[:6], 8), head[-40:].decode())) for head, _, path in split]

    def hunks(self, old: str, new: str) -> list[tuple[int, int]]:
        """Where two blobs differ: first line (1-based) and number of lines of each hunk in the old one.

        A pure insertion has length 0 and names the line before it, as in a diff without context.
        """
        out = self._git.run(["diff", "--no-ext-diff", "--no-textconv", "--no-color", "-U0", old, new])
        found = re.findall(rb"^@@ -(\d+)(?:,(\d+))? \+", out, re.M)
        return [(int(line), int(count or b"1")) for line, count in found]

    def diff(self, old: str, new: str, paths: Sequence[bytes]) -> bytes:
        """What two trees have differently at these paths, as a unified diff for people; binary files by name alone."""
        command = ["diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", old, new, "--"]
        return self._git.run([*command, *map(_text, paths)]) if paths else b""

    def edits(self, old: str, new: str) -> list[tuple[int, int, int, int]]:
        """Where two blobs differ: half-open ranges of lines from 0, (from, to) in the old, then in the new. All is text."""
        out = self._git.run(["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--text", "-U0", old, new])
        found = []
        for hunk in re.finditer(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", out, re.M):
            a, gone, b, came = (int(text) if text is not None else 1 for text in hunk.groups())
            a, b = a - (gone > 0), b - (came > 0)  # where nothing goes, the line before is named
            found.append((a, a + gone, b, b + came))
        return found

    def added_lines(self, pairs: Sequence[tuple[str, str]]) -> list[dict[bytes, list[tuple[int, bytes]]]]:
        """The lines that each pair of trees adds: by new path, with their number in the new file. Binary files add none."""
        found = dict(added(self._differences(pairs)))
        return [found.get(f"{old} {new}".encode(), {}) for old, new in pairs]

    def tree_hunks(self, pairs: Sequence[tuple[str, str]]) -> list[list[Hunk]]:
        """Every place where each pair of trees differs, without context, renames followed. Binary files have none."""
        found = dict(hunks(self._differences(pairs)))
        return [found.get(f"{old} {new}".encode(), []) for old, new in pairs]

    def _differences(self, pairs: Sequence[tuple[str, str]]) -> bytes:
        stdin = "".join(f"{old} {new}\n" for old, new in pairs).encode()
        self._bring_changed(stdin)
        return self._git.run(["diff-tree", "--stdin", "-r", "-M", "-p", "-U0", "--no-ext-diff", "--no-textconv"], stdin)

    def blame(self, path: bytes, lines: Sequence[tuple[int, int]], since: str, until: str) -> list[tuple[Cause, int]]:
        """Who, after `since`, last changed each of the lines (1-based, inclusive) of `path` in `until`, and which line.

        Lines older than `since` are left out: they cannot be what makes the target differ.
        """
        ranges = [f"-L{first},{last}" for first, last in lines]
        span = f"{since}..{until}" if since else until
        return list(_parse_blame(self._walk(["blame", "--porcelain", *ranges, span, "--", _text(path)], path, since, until)))

    def touched_lines(self, path: bytes, first: int, last: int, since: str, until: str) -> list[Cause]:
        """Who, after `since`, changed or removed anything at the lines first..last of `path` in `until`, newest first.

        All that was done to the file where last is before first: an empty file has no line that git could be asked about.
        """
        span = f"{since}..{until}" if since else until
        lines = [f"-L{first},{last}:{_text(path)}", "--no-patch", LOG_FORMAT, span]
        out = self._walk(["log", *(lines if first <= last else [LOG_FORMAT, span, "--", _text(path)])], path, since, until)
        return [Cause(oid, subject, "") for oid, subject, _ in parse_log(out)]

    def brought(self, paths: Iterable[bytes], since: str, until: str) -> dict[bytes, Cause]:
        """The commit between that added each path, where one did."""
        wanted = [_text(path) for path in paths]
        span = f"{since}..{until}" if since else until
        if not wanted:
            return {}
        out = self._git.run(
            ["log", "--reverse", "--no-renames", "--diff-filter=A", "--name-only", "-z", LOG_FORMAT, span, "--", *wanted]
        )
        found: dict[bytes, Cause] = {}
        for oid, subject, rest in parse_log(out):
            for path in rest.removeprefix(b"\0").removeprefix(b"\n").split(b"\0"):
                if path:
                    found[path] = Cause(oid, subject, "added the file")
        return found

    def introduced(self, names: Iterable[str], since: str, until: str, paths: Sequence[bytes]) -> dict[str, Cause]:
        """The first commit between that added a line with each name (whole word) to one of the paths.

        May name the commit that first used a name rather than the one that defined it, where the definition is in a file
        that is not among `paths`; ask with the defining file.
        """
        return {name: causes[0] for name, causes in self.adding(names, since, until, paths).items()}

    def adding(self, names: Iterable[str], since: str, until: str, paths: Sequence[bytes]) -> dict[str, list[Cause]]:
        """Every commit between that added a line with each name (whole word) to one of the paths, oldest first."""
        wanted = sorted(set(names))
        where = [_text(path) for path in paths]
        if not wanted or not where:
            return {}
        self._bring(paths, since, until)
        pattern = "|".join(re.escape(name) for name in wanted)
        span = f"{since}..{until}" if since else until
        out = self._git.run(["log", "--reverse", "-p", "-U0", "-G", rf"\b({pattern})\b", LOG_FORMAT, span, "--", *where])
        found: dict[str, dict[str, Cause]] = {}
        for oid, subject, patch in parse_log(out):
            for match in re.finditer(rb"^\+.*$", patch, re.M):
                for name in re.findall(rf"\b(?:{pattern})\b".encode(), match.group()):
                    found.setdefault(name.decode(), {}).setdefault(oid, Cause(oid, subject, "first added the name"))
        return {name: list(causes.values()) for name, causes in found.items()}

    def mentions(self, name: str, since: str, until: str, paths: Sequence[bytes]) -> list[Cause]:
        """The commits between that added or removed a line with the name (whole word) in one of the paths, oldest first."""
        if not paths:
            return []
        self._bring(paths, since, until)
        span = f"{since}..{until}" if since else until
        where = [_text(path) for path in paths]
        out = self._git.run(["log", "--reverse", "-G", rf"\b{re.escape(name)}\b", LOG_FORMAT, span, "--", *where])
        return [Cause(oid, subject, f"changed lines with {name}") for oid, subject, _ in parse_log(out)]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` has `old` in its history; may say no where committers' clocks were wrong.

        Looks only at commits that are not older than `old`: `merge-base --is-ancestor` walks the whole of both histories
        when they have nothing in common, which takes 2 s on mainline.
        """
        date = self.commit(old).committer.rpartition(b"> ")[2].split(b" ")[0].decode()
        return old in self._git.run(["rev-list", f"--max-age={date}", new]).decode().split()

    def speaks(self, tree: str, words: Collection[bytes], pattern: str) -> set[bytes]:
        """Of some words, those that stand whole in a file of `tree` whose path matches `pattern` (`*.h`): half a second, once.

        All of them where the tree cannot be searched, because a partial clone lacks its files.
        """
        asked = {word: (tree, pattern, word) for word in words}
        wanted = sorted(word.decode("latin-1") for word, key in asked.items() if key not in self._spoken)
        if wanted:
            options = ["-h", "-o", "-w", "-I", "-F", *(item for word in wanted for item in ("-e", word))]
            try:
                out = self._git.run(["--no-literal-pathspecs", "grep", *options, tree, "--", pattern], ok=(0, 1))
            except GitFailedError:
                return set(words)
            found = set(out.split(b"\n"))
            self._spoken.update((key, word in found) for word, key in asked.items() if key not in self._spoken)
        return {word for word, key in asked.items() if self._spoken[key]}

    def configures(self, tree: str, symbols: Collection[bytes]) -> set[bytes]:
        """Of some configuration symbols, those that a Kconfig file of `tree` defines; all where it cannot be searched."""
        pattern = (
            "^[[:space:]]*(menu)?config[[:space:]]+(" + "|".join(sorted(s.decode("latin-1") for s in symbols)) + ")[[:space:]]*$"
        )
        try:
            command = ["--no-literal-pathspecs", "grep", "-h", "-I", "-E", pattern, tree, "--", "*Kconfig*"]
            out = self._git.run(command, ok=(0, 1))
        except GitFailedError:
            return set(symbols)
        return {row.split()[1] for row in out.split(b"\n") if len(row.split()) > 1}

    def merge_base(self, one: str, other: str) -> str:
        """A best common ancestor of two commits, '' where they have none. A tenth of a second on mainline."""
        return self._git.run(["merge-base", one, other], ok=(0, 1)).decode().strip()

    def list_commits(self, span: str, paths: Sequence[bytes] = (), grep: str = "") -> list[str]:
        """Non-merge commits of `A..B` (ids), oldest first; only those that touch `paths` and whose message matches `grep`."""
        extra = ["-E", "-i", f"--grep={grep}"] if grep else []
        command = ["rev-list", "--reverse", "--topo-order", "--no-merges", *extra, span, "--", *(_text(p) for p in paths)]
        return self._git.run(command).decode().split()

    def _walk(self, command: Sequence[str], path: bytes, since: str, until: str) -> bytes:
        """The output of a blame or log -L, nothing where the range is empty: git dies of that instead of saying nothing.

        It follows renames to files of which nobody could know before: in a partial clone, what it then lacks is fetched.
        """
        self._bring([path], since, until)
        lacked: set[str] = set()
        while True:
            try:
                return self._git.run(command)
            except GitFailedError as error:
                if since and not self._git.run(["rev-list", "--max-count=1", f"{since}..{until}"]):
                    return b""
                found = set(re.findall(r"read (?:blob )?([0-9a-f]{40})", error.stderr)) - lacked
                if not found or not self._store.partial:
                    raise
                lacked |= found
                self._store.prefetch(found)

    def _bring_changed(self, stdin: bytes) -> None:
        """In a partial clone, fetch both sides of whatever differs: a diff reads contents, and so does a search for renames."""
        if self._store.partial:
            command = ["diff-tree", "--stdin", "-r", "--raw", "--no-abbrev", "-z", "--no-renames"]
            plain = _parse_raw(self._git.run(command, stdin)).values()
            sides = (entry for changed in plain for change in changed for entry in (change.old, change.new))
            self._store.prefetch(entry.oid for entry in sides if entry is not None and entry.is_file)

    def _bring(self, paths: Sequence[bytes], since: str, until: str) -> None:
        """In a partial clone, fetch what these files were in the range, at once: blame would fetch them one by one.

        `log --raw` needs commits and trees alone, which are there; `rev-list --objects` answers the same in 4 s instead of 0.1.
        What was deleted in a commit that added one of the files comes too: git reads it to see whether that was a rename.
        """
        if self._store.partial:
            span = f"{since}..{until}" if since else until
            command = ["log", "-m", "--raw", "--no-abbrev", "--no-renames", "--full-diff", "-z", LOG_FORMAT, span, "--"]
            wanted: set[str] = set()
            for _, _, rest in parse_log(self._git.run([*command, *(_text(p) for p in paths)])):
                changes = list(parse_changes(rest.removeprefix(b"\0").removeprefix(b"\n").split(b"\0")))
                added = any(change.old is None and change.new_path in paths for change in changes)
                ends = [c for c in changes if c.new_path in paths or (added and c.new is None)]
                wanted.update(e.oid for c in ends for e in (c.old, c.new) if e is not None and e.is_file)
            self._store.prefetch(wanted - self._store.has(sorted(wanted)))


def _text(path: bytes) -> str:
    """A path for a command line: the bytes go through unchanged (os.fsencode undoes this)."""
    return path.decode("utf-8", "surrogateescape")


def _parse_commit(oid: str, content: bytes) -> Commit:
    head, _, message = content.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        headers.setdefault(key, []).append(value)
    try:
        return Commit(
            oid,
            headers[b"tree"][0].decode(),
            tuple(parent.decode() for parent in headers.get(b"parent", [])),
            headers[b"author"][0],
            headers[b"committer"][0],
            headers.get(b"encoding", [b""])[0],
            message,
        )
    except (KeyError, UnicodeDecodeError) as error:
        raise InputError("the commit object is damaged", where=oid, then="run `git fsck` in the clone") from error


def _parse_raw(out: bytes) -> dict[bytes, tuple[FileChange, ...]]:
    """`diff-tree --stdin --raw -z`: "<tree> <tree>" newline for each pair, then its records.

    Read in order, never searched: a pair of equal trees has no record and nothing parts it from the next (an empty commit
    once took the changes of the patch after it for its own), and a file may be called what such a line says.
    """
    found: dict[bytes, tuple[FileChange, ...]] = {}
    position = 0
    while position < len(out):
        pair, start = out[position : position + 81], position + 82
        position = start
        while out[position : position + 1] == b":":
            letter = out[position : out.index(b"\0", position)].rpartition(b" ")[2][:1]
            for _ in range(3 if letter in (b"R", b"C") else 2):
                position = out.index(b"\0", position) + 1
        found[pair] = tuple(parse_changes(out[start:position].split(b"\0")))
    return found


def parse_changes(fields: list[bytes]) -> Iterator[FileChange]:
    """Raw records: `:mode mode id id S` NUL path NUL (a second path for a rename)."""
    records = iter(fields)
    for record in records:
        if not record.startswith(b":"):
            continue
        old_mode, new_mode, old_oid, new_oid, status = record[1:].split(b" ")
        letter = status[:1].decode()
        old_path = next(records)
        new_path = next(records) if letter in "RC" else old_path
        old = Entry(int(old_mode, 8), old_oid.decode()) if old_oid.decode() != _NOTHING else None
        new = Entry(int(new_mode, 8), new_oid.decode()) if new_oid.decode() != _NOTHING else None
        yield FileChange(letter, old_path, new_path, old, new)


def parse_log(out: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Commits of `log --format=LOG_FORMAT`: id, subject, and whatever follows (names or a patch)."""
    pieces = re.split(rb"\0\0(?=[0-9a-f]{40}\0)", out)
    for piece in pieces[1:]:
        oid, subject, rest = [*piece.split(b"\0", 2), b"", b""][:3]
        yield oid.decode(), decode(subject), rest


def _parse_blame(out: bytes) -> Iterator[tuple[Cause, int]]:
    """`blame --porcelain`: a header line with id and final line number; `boundary` marks what is older than the range."""
    subjects: dict[str, str] = {}
    boundary: set[str] = set()
    oid, line = "", 0
    for text in out.split(b"\n"):
        header = re.match(rb"([0-9a-f]{40}) \d+ (\d+)", text)
        if header:
            oid, line = header.group(1).decode(), int(header.group(2))
        elif text.startswith(b"summary "):
            subjects[oid] = decode(text[8:])
        elif text == b"boundary":
            boundary.add(oid)
        elif text.startswith(b"\t") and oid not in boundary:
            yield Cause(oid, subjects.get(oid, ""), ""), line


def group_lines(blamed: Iterable[tuple[Cause, int]]) -> Mapping[Cause, tuple[int, ...]]:
    """The lines that each commit of a blame answers for, commits in the order of their first line."""
    found: dict[Cause, list[int]] = {}
    for cause, line in blamed:
        found.setdefault(cause, []).append(line)
    return {cause: tuple(lines) for cause, lines in found.items()}

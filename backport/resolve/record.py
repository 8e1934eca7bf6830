"""What a person made of a patch, taken apart into recordings: each conflict and what became of it, and whatever else changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.csource.parse import function_at
from backport.examine import Workshop
from backport.git.merge import Region, rows
from backport.model.errors import InputError
from backport.model.recording import Choice, Kind, Recording, conflict_key, file_key, lines_key
from backport.model.series import Entry, Patch, decode, show_path
from backport.replay.amend import BY_HAND
from backport.replay.recorded import Token, joined, rule_of, tokens
from backport.resolve.layout import Disputed, Layout

_CONTEXT = 3
_FILE = 0o100644
Edit = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, about which patch, on which target."""

    patch: Patch
    target: str
    by: str


def record(author: Author, layout: Layout, made: str, shop: Workshop, *, whole: bool = False) -> list[Recording]:
    """The recordings that make the tree `made` of `layout.tree`.

    With `whole`, the conflicts of a file are one recording: for a decision that cannot be told apart, because two conflicts read
    the same and became different things.
    """
    found: list[Recording] = []
    for path, disputed in layout.disputed.items():
        entry = shop.trees.entry(made, path)
        if disputed.pieces and disputed.rule == "content" and entry is not None and entry.is_file:
            found += _conflicts(author, path, disputed, shop.store.read(entry.oid, "blob"), shop, whole)
        else:
            found.append(_file(author, disputed, entry, shop))
    for change in shop.history.changes([(layout.tree, made)])[0]:
        for path in dict.fromkeys([change.old_path, change.new_path]):
            if path not in layout.disputed:
                found += _by_hand(author, path, shop.trees.entry(layout.tree, path), shop.trees.entry(made, path), shop, whole)
    return found


def _conflicts(author: Author, path: bytes, disputed: Disputed, made: bytes, shop: Workshop, whole: bool) -> Iterator[Recording]:
    """The conflicts of one file, and the lines that were changed beside them.

    Each conflict stands as one odd line in a text that is compared with what was made of it: the hunk that has that line is
    the decision.
    """
    line = tokens(disputed.pieces)
    plain = [b"\0backport: conflict at %d\n" % n if isinstance(token, Region) else token for n, token in enumerate(line)]
    old, new = (shop.store.write("blob", b"".join(text)) for text in (plain, [made]))
    return _hunks(author, path, line, rows(made), shop.history.edits(old, new), whole)


def _hunks(
    author: Author, path: bytes, line: Sequence[Token], after: list[bytes], edits: Sequence[Edit], whole: bool
) -> Iterator[Recording]:
    """A recording for each edit (from, to in `line`; from, to in `after`); for all together where it is to be one `whole`."""
    if whole and edits:
        edits = [(edits[0][0], edits[-1][1], edits[0][2], edits[-1][3])]
    ends = [0, *(edit[1] for edit in edits)]
    starts = [*(edit[0] for edit in edits[1:]), len(line)]
    for (start, end, first, last), lowest, highest in zip(edits, ends, starts, strict=False):
        inside = [number for number in range(start, end) if isinstance(line[number], Region)]
        if inside:
            yield _conflict(author, path, line, (start, end), (inside[0], inside[-1] + 1), after[first:last])
        else:
            yield _lines(author, path, line, (start, end), (lowest, highest), after[first:last])


def _conflict(
    author: Author, path: bytes, line: Sequence[Token], span: tuple[int, int], inside: tuple[int, int], became: list[bytes]
) -> Recording:
    region = joined(line[inside[0] : inside[1]])
    ours = b"".join(token if isinstance(token, bytes) else token.ours for token in line)
    at = sum(1 if isinstance(token, bytes) else len(rows(token.ours)) for token in line[: inside[0]])
    return Recording(
        kind=Kind.CONFLICT,
        key=conflict_key(region.ours, region.base, region.theirs),
        commit=author.patch.commit,
        subject=author.patch.subject,
        path=path,
        function=decode(function_at(ours, at + 1)),
        target=author.target,
        by=author.by,
        ours=region.ours,
        base=region.base,
        theirs=region.theirs,
        above=_plain(line[span[0] : inside[0]]),
        below=_plain(line[inside[1] : span[1]]),
        result=b"".join(became),
    )


def _lines(
    author: Author, path: bytes, line: Sequence[Token], span: tuple[int, int], room: tuple[int, int], became: list[bytes]
) -> Recording:
    """Changed lines, with as many around them (but not beyond `room`) as it takes to make the place unique."""
    above, below = span
    size = 0
    while size < _CONTEXT or _count(line, line[above:below]) > 1:
        grown = above, below
        above -= above > room[0] and isinstance(line[above - 1], bytes)
        below += below < room[1] and isinstance(line[below], bytes)
        size += 1
        if grown == (above, below):
            break
    parts = (_plain(line[above : span[0]]), _plain(line[span[0] : span[1]]), _plain(line[span[1] : below]))
    text = b"".join(token if isinstance(token, bytes) else token.ours for token in line)
    function = decode(function_at(text, span[0] + 1))
    names = (author.patch.commit, author.patch.subject, path, function, author.target, author.by)
    return Recording(
        Kind.LINES, lines_key(*parts), *names, ours=parts[1], above=parts[0], below=parts[2], result=b"".join(became)
    )


def _count(line: Sequence[Token], block: Sequence[Token]) -> int:
    return sum(list(line[at : at + len(block)]) == list(block) for at in range(len(line) - len(block) + 1))


def _plain(part: Sequence[Token]) -> bytes:
    return b"".join(token for token in part if isinstance(token, bytes))


def _file(author: Author, disputed: Disputed, entry: Entry | None, shop: Workshop) -> Recording:
    """A decision about a whole file on which target and patch disagree."""
    file = disputed.outcome
    ours, base, theirs = (shop.store.text(side) for side in (file.ours, file.base, file.theirs))
    made = shop.store.text(entry)
    if entry is not None and not entry.is_file and entry != file.ours:
        raise _no_text(file.path)
    choice = Choice.TEXT
    if entry is None:
        choice = Choice.TARGET if file.ours is None else Choice.NOTHING
    elif entry == file.ours:
        choice = Choice.TARGET
    elif entry == file.theirs:
        choice = Choice.UPSTREAM
    key = file_key(rule_of(ours, base, theirs), file.upstream_path, ours, base, theirs)
    return _whole(author, file.upstream_path, key, rule_of(ours, base, theirs), choice, entry, made)


def _by_hand(
    author: Author, path: bytes, old: Entry | None, new: Entry | None, shop: Workshop, whole: bool
) -> Iterator[Recording]:
    """A change to a file that was not in dispute: line by line where that can be, else as a whole."""
    before, made = shop.store.text(old), shop.store.text(new)
    if before and made and old is not None and new is not None and old.mode == new.mode:
        yield from _hunks(author, path, rows(before), rows(made), shop.history.edits(old.oid, new.oid), whole)
        return
    if (old is not None and before is None) or (new is not None and made is None):
        raise _no_text(path)
    choice = Choice.NOTHING if made is None else Choice.TEXT
    yield _whole(author, path, file_key(BY_HAND, path, before, None, None), BY_HAND, choice, new, made)


def _no_text(path: bytes) -> InputError:
    then = "keep there what the target has (git checkout HEAD -- PATH), or `backport resolve skip`"
    return InputError("links and submodules cannot be recorded", where=show_path(path), then=then)


def _whole(
    author: Author, path: bytes, key: str, rule: str, choice: Choice, entry: Entry | None, made: bytes | None
) -> Recording:
    return Recording(
        kind=Kind.FILE,
        key=key,
        commit=author.patch.commit,
        subject=author.patch.subject,
        path=path,
        function="",
        target=author.target,
        by=author.by,
        result=(made or b"") if choice is Choice.TEXT else b"",
        rule=rule,
        choice=choice,
        mode=entry.mode if entry is not None and entry.is_file else _FILE,
    )

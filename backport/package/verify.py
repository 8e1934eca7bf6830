"""Has rpm itself confirm an edit: the spec with our lines against the spec without them, both as rpm reads them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, InputError
from backport.package import blocks, declare, foreign, release
from backport.package.document import Document, show
from backport.package.foreign import Reading
from backport.package.release import Raised

_PIPED = re.compile(rb"\|[ \t]*\n")  # %autosetup writes `uncompress FILE |` and patch on the next line
_THEN = "nothing was written; the lines can be put in by hand, and please report this with the spec"


@dataclass(frozen=True, slots=True)
class Ours:
    """What our blocks in a spec say: patch files in order, the series, the buildid that they add, changelog headers, releases."""

    series: tuple[str, ...]
    patches: tuple[bytes, ...]
    buildid: bytes
    headers: tuple[bytes, ...]
    raised: tuple[Raised, ...] = ()


def confirm(document: Document, folder: Path) -> list[str]:
    """What rpm confirmed of a spec that holds our blocks, one sentence each.

    InputError where rpm cannot read the spec as it was without us; EnvironmentFailedError where our lines changed anything but
    what they are for: patches in their order, NVR, sections, --with vanilla, older changelog entries, messages.
    """
    ours, plain = _taken_apart(document)
    specs = [(data, vanilla) for vanilla in (False, True) for data in (plain, document.data)]
    before, after, vanilla_before, vanilla_after = foreign.read(specs, folder)
    if before.errors:
        raise InputError(
            f"rpm cannot read the spec, with or without backport's lines: {before.errors[0]}",
            where=document.where,
            then="mend it first",
        )
    if after.errors:
        raise _failed(document, f"rpm cannot read the edited spec: {after.errors[0]}")
    facts = _patches(document, before, after, ours)
    facts += _names(document, before, after, ours)
    facts += _changelog(document, before, after, ours)
    facts += _vanilla(document, before, vanilla_before, vanilla_after, ours)
    new = Counter(_plain(m, ours) for m in after.messages) - Counter(_plain(m, ours) for m in before.messages)
    if new:
        raise _failed(document, f"rpm has something new to say: {show(next(iter(new)))}")
    return [*facts, f"rpm says nothing new ({len(after.messages)} messages before and after)"]


def lint(document: Document) -> list[str]:
    """What rpmlint says with our lines and not without them; one sentence where that is nothing."""
    ours, plain = _taken_apart(document)
    before, after = foreign.lint(plain), foreign.lint(document.data)
    if before is None or after is None:
        return ["rpmlint is not installed: not asked (apt-get install rpmlint)"]
    new = Counter(_plain(m, ours) for m in after) - Counter(_plain(m, ours) for m in before)
    kinds = {_kind(message) for message in before}
    usual = [m for m in new.elements() if _kind(m) in kinds and any(m.endswith(b" " + patch) for patch in ours.patches)]
    odd = new - Counter(usual)
    if odd:
        return [f"rpmlint, new: {show(message)}" for message in odd.elements()]
    more = f", and of our patches what it says of the others ({len(usual)})" if usual else ""
    return [f"rpmlint says nothing new ({len(before)} messages before{more})"]


def _kind(message: bytes) -> bytes:
    """`W: patch-not-applied`: rpmlint says it of every patch that F12 applies by its own function."""
    return b" ".join(message.split()[1:3])


def _taken_apart(document: Document) -> tuple[Ours, bytes]:
    found = blocks.find(document.data, document.where)
    plain = document.data
    for block in reversed(found):
        if release.recorded(block.lines):
            continue  # %prep and Provides may name the release: both readings have it, and _names looks at the number
        plain = plain[: block.start] + plain[block.stop :]
    lines = [line for block in found for line in block.lines]
    words = [line.split()[-1].removeprefix(b"%{?buildid}") for line in lines if b" buildid " in line]
    return (
        Ours(
            series=tuple(dict.fromkeys(block.series for block in found)),
            patches=tuple(line.partition(b":")[2].strip() for line in lines if declare.PATCH.match(line)),
            buildid=b"".join(words),
            headers=tuple(line for line in lines if line.startswith(b"* ")),
            raised=tuple(dict.fromkeys(raised for block in found if (raised := release.recorded(block.lines)))),
        ),
        plain,
    )


def _patches(document: Document, before: Reading, after: Reading, ours: Ours) -> list[str]:
    if tuple(p for p in after.patches if p not in ours.patches) != before.patches:
        raise _failed(document, "rpm does not read the other patches as before")
    if tuple(p for p in after.patches if p in ours.patches) != ours.patches:
        raise _failed(document, "rpm does not read our patches, each once and in order")
    was = _words(before.prep, ours)
    if _without_ours(after.prep, was, ours) != was:
        raise _failed(document, "%prep does more than before, besides applying our patches")
    return [f"{len(after.patches)} patches, {len(ours.patches)} of them ours, in order; the others as before"]


def _names(document: Document, before: Reading, after: Reading, ours: Ours) -> list[str]:
    if after.nvr.replace(ours.buildid, b"", 1) != before.nvr.replace(ours.buildid, b"", 1):
        raise _failed(document, f"rpm reads {show(after.nvr)} where it read {show(before.nvr)}")
    if [_plain(s, ours) for s in after.sections] != [_plain(s, ours) for s in before.sections]:
        raise _failed(document, "rpm does not read the same sections as before")
    for raised in ours.raised:
        if not re.search(rb"[-.]%s(?![0-9])[^-]*$" % re.escape(raised.new.encode()), after.nvr):
            raise _failed(document, f"rpm reads {show(after.nvr)}, whose release was to be {raised.new}")
    more = "".join(f", the release raised from {raised.old}" for raised in ours.raised)
    return [f"{show(after.nvr)}{more}, {len(after.sections)} sections as before"]


def _changelog(document: Document, before: Reading, after: Reading, ours: Ours) -> list[str]:
    names = {header.split(b" ", 5)[-1] for header in ours.headers}
    mine = [e for e in after.changelog if e.partition(b"\n")[0].partition(b" ")[2] in names]
    older = list(after.changelog)
    for entry in mine[: len(ours.headers)]:
        older.remove(entry)
    if len(mine) < len(ours.headers):
        raise _failed(document, "rpm does not read our changelog entry")
    # An entry of Fedora 12 speaks of %{PACKAGE_RELEASE}, unescaped: rpm puts our buildid into it.
    now, was = ([_plain(entry, ours) for entry in entries] for entries in (older, before.changelog))
    if now != was:
        lost = Counter(was) - Counter(now)
        what = f"{lost.total()} older changelog entries are lost or changed" if lost else "the older entries are in another order"
        raise _failed(document, what)
    return [f"{len(older)} older changelog entries, all still there"]


def _vanilla(document: Document, before: Reading, was: Reading, now: Reading, ours: Ours) -> list[str]:
    """A spec that leaves patches out with --with vanilla must leave ours out as well; for another the question means nothing."""
    if was.errors or was.patches == before.patches:
        return []
    words = _words(was.prep, ours)
    if now.patches != was.patches or _without_ours(now.prep, words, replace(ours, patches=())) != words:
        raise _failed(document, "--with vanilla is not vanilla any more")
    return [f"--with vanilla: {len(now.patches)} patches and the same %prep as before"]


def _words(prep: bytes, ours: Ours) -> list[list[bytes]]:
    """%prep line by line and word by word, less the comments that mark our blocks."""
    lines = _PIPED.sub(b"| ", _plain(prep, ours)).splitlines()
    return [line.split() for line in lines if line.split() and not line.startswith((b"# begin backport ", b"# end backport "))]


def _without_ours(prep: bytes, was: Sequence[list[bytes]], ours: Ours) -> list[list[bytes]]:
    """%prep less the lines that apply our patches; a list of all patches loses only ours."""
    lists = {tuple(words) for words in was}
    kept = []
    for words in _words(prep, ours):
        rest = [word for word in words if word.strip(b"\"'();:").rpartition(b"/")[2] not in ours.patches]
        if rest == words or tuple(rest) in lists:
            kept.append(rest)
    return kept


def _plain(text: bytes, ours: Ours) -> bytes:
    return text.replace(ours.buildid, b"") if ours.buildid else text


def _failed(document: Document, what: str) -> EnvironmentFailedError:
    return EnvironmentFailedError(what, where=document.where, then=_THEN)

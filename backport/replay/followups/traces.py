"""What ties later commits to a series: their messages, and the lines and functions that they change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from backport.csource.outline import Declaration, outline
from backport.git.diff import Hunk
from backport.git.store import Store
from backport.git.versions import Told, Version
from backport.model.followups import Trace
from backport.model.series import Series, show_path
from backport.replay.followups.brought import Brought, squeezed

_ID = re.compile(rb"(?<![0-9a-fA-F])[0-9a-f]{7,40}(?![0-9a-fA-F])")
_FIXES = re.compile(rb"^[ \t]*fixes:?[ \t]+(?:commit[ \t]+)?$", re.I | re.M)
_REVERTS = re.compile(rb"reverts?\s+(?:commit\s+)?$", re.I)
_COPY = re.compile(rb"(?:cherry.picked from|\(?backport(?:ed)? (?:of|from)|upstream)\s+(?:commit\s+)?$", re.I)
_BLAME = re.compile(
    rb"\b(regress\w*|introduc\w*|caus\w+|br[eo]ke\w*|bug|fix\w*|since|after|due to|wrong\w*|forgot\w*|miss\w*)\b", re.I
)
_NEAR = 200  # bytes on either side of an id in which a word tells what is meant with it
_LONG = 20  # characters of a subject from which on its mention is no accident


class Messages:
    """Reads messages for what they say of the patches of a series.

    In 2009 few wrote Fixes: lines; "This fixes a regression from commit 1234567" and the subject in quotes are read as well.
    A message that names a commit to praise it ("as commit X did") beside such a word is read wrongly.
    """

    def __init__(self, series: Series) -> None:
        self._ids = {patch.commit[:7].encode("ascii"): patch for patch in series.patches if patch.commit}
        subjects = {patch.subject.encode("utf-8", "replace"): patch for patch in series.patches if len(patch.subject) >= _LONG}
        self._subjects = subjects
        self._any = re.compile(b"|".join(re.escape(subject) for subject in subjects) or rb"(?!)")

    def traces(self, commit: Told) -> list[Trace]:
        """One trace for each patch that the message speaks of; none where the commit is a copy of one."""
        text = commit.message
        places: dict[str, list[int]] = {}
        for match in _ID.finditer(text):
            patch = self._ids.get(match.group()[:7])
            if patch is not None and patch.commit.startswith(match.group().decode("ascii")):
                places.setdefault(patch.commit, []).append(match.start())
        rules = {oid: _rule(text, found) for oid, found in places.items()}
        if "copy" in rules.values():
            return []
        whole = b" ".join(text.split())
        for match in self._any.finditer(whole):
            patch = self._subjects[match.group()]
            if commit.subject == patch.subject:
                continue
            reverts = commit.subject == f'Revert "{patch.subject}"'
            around = whole[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            rules.setdefault(patch.commit, "reverts" if reverts else "blames" if _BLAME.search(around) else "names")
        return [Trace(rule, oid, b"", 0, f"its message {_SAYS[rule]} {oid[:12]}") for oid, rule in rules.items()]


_SAYS = {"fixes": "says that it fixes", "reverts": "says that it reverts", "blames": "lays it to", "names": "names"}


def _rule(text: bytes, places: Sequence[int]) -> str:
    """How a message speaks of the patch whose id stands at these places."""
    rules = []
    for at in places:
        before, around = text[max(0, at - _NEAR) : at], text[max(0, at - _NEAR) : at + _NEAR]
        behind = text[at : at + 60].partition(b"\n")[0]
        if _COPY.search(before) or re.search(rb"^\S+ upstream\b", behind):
            return "copy"
        if _FIXES.search(before[before.rfind(b"\n") + 1 :]):
            rules.append("fixes")
        elif _REVERTS.search(before):
            rules.append("reverts")
        else:
            rules.append("blames" if _BLAME.search(around) else "names")
    return min(rules, key=("fixes", "reverts", "blames", "names").index, default="")


class Contents:
    """Looks at the diffs of later commits. An outline is kept for each version of a file: commits in a row share them."""

    def __init__(self, brought: Brought, store: Store) -> None:
        self._brought = brought
        self._store = store
        self._outlines: dict[str, tuple[Declaration, ...]] = {}

    def traces(self, version: Version, hunks: Sequence[Hunk]) -> tuple[list[Trace], int]:
        """What a commit changes of what the series brought, the most changed patch first, and how many hunks do so."""
        lines: dict[str, list[Hunk]] = {}
        functions: dict[tuple[str, bytes], Hunk] = {}
        touching = 0
        for hunk in hunks:
            mine = self._brought.lines.get(hunk.path, {})
            owners = Counter(mine[line] for line in map(squeezed, hunk.removed) if line in mine)
            for patch in owners:
                lines.setdefault(patch, []).append(hunk)
            name = self._function(version, hunk)
            if name:
                functions.setdefault((self._brought.functions[hunk.path][name], name), hunk)
            touching += bool(owners or name)
        found = [
            Trace("lines", patch, each[0].path, each[0].old_line, _said(each, self._brought.lines, patch))
            for patch, each in sorted(lines.items(), key=lambda item: -len(item[1]))
        ]
        for (patch, name), hunk in functions.items():
            why = f"changes {name.decode('utf-8', 'replace')}, which {patch[:12]} brought to {show_path(hunk.path)}"
            found.append(Trace("function", patch, hunk.path, hunk.old_line, why))
        return found, touching

    def _function(self, version: Version, hunk: Hunk) -> bytes:
        """The function of the series in which a hunk stands, as the file was before the commit."""
        mine = self._brought.functions.get(hunk.path)
        old = version.files.get(hunk.path, (None, None))[0]
        if not mine or old is None or not old.is_file:
            return b""
        if old.oid not in self._outlines:
            declared = outline(self._store.read(old.oid, "blob")).declarations
            self._outlines[old.oid] = tuple(d for d in declared if d.kind == "function")
        first, last = hunk.old_line, hunk.old_line + max(0, len(hunk.removed) - 1)
        inside = (d.name for d in self._outlines[old.oid] if d.line <= last and first <= d.end)
        return next((name for name in inside if name in mine), b"")


def _said(hunks: Sequence[Hunk], lines: Mapping[bytes, Mapping[bytes, str]], patch: str) -> str:
    count = sum(lines[h.path].get(squeezed(row)) == patch for h in hunks for row in h.removed if squeezed(row))
    return f"changes or removes {count} line{'s' * (count > 1)} that {patch[:12]} added to {show_path(hunks[0].path)}"

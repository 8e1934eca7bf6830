"""Who may have made the difference: the commits between target and patch to try, the likeliest first.

Four witnesses are heard about the lines inside a conflict and nothing around them: blame (who wrote what the target does not
have), the versions of the file (who removed what the target still has), the search for the first version onto which the
patch applies, and the effect: what remains of the conflict when the commit's own change to the file is merged into the
target's first. Whole hunks with their context, which is what blame is mostly asked about, named five commits for KSM's one
conflict, among them a rename of every perf function; these name two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.git.merge import Triple, rows
from backport.git.versions import Version, versions
from backport.model.finding import Finding
from backport.model.prerequisites import Role
from backport.model.series import Patch, show_path
from backport.model.verdict import Conflict, FileOutcome, PatchOutcome
from backport.replay.prerequisites.trial import Bench

_MOST = 16  # commits whose effect on a conflict is tried
_LONGEST = 400  # versions of the files in conflict that are looked at, the newest of them
_NAME = re.compile(r"[A-Za-z_]\w+")
_SHORT = 4  # characters: a line of fewer (a brace) says nothing about who removed it


@dataclass(frozen=True, slots=True)
class Suspect:
    """A commit with what was found against it: `lines` of the conflicts are its own, `gone` conflicts go with it alone."""

    commit: str
    subject: str
    role: Role
    why: str
    lines: int = 0
    gone: int = 0
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Suspects:
    """The suspects, the likeliest first; `conflicts` counts those, `unread` the older versions that were not looked at."""

    found: tuple[Suspect, ...]
    conflicts: int
    unread: int = 0


def suspects(
    outcome: PatchOutcome, findings: Sequence[Finding], patch: Patch, bench: Bench, cleared: Collection[str] = ()
) -> Suspects:
    """Who may be the cause of every conflict and missing name of a patch that was replayed and explained, none of `cleared`.

    Wrong where the target itself added the lines that are in the way: no upstream commit did, and none is named for them.
    """
    files = [_File.of(file, outcome.conflicts, patch) for file in outcome.files]
    torn = [file for file in files if file is not None]
    history = versions(bench.library.store, [f.path for f in torn], bench.since, patch.parent) if patch.parent and torn else []
    recent = history[-_LONGEST:]
    found: dict[str, Suspect] = {}
    for conflict in outcome.conflicts:
        _blamed(conflict, found)
    for file in torn:
        _removers(file, recent, bench, found)
        _breaking(file, recent, bench, found)
    _needed([f for f in findings if f.blocks], patch, bench, cleared, found)
    tried = sorted((s for s in found.values() if s.commit not in cleared), key=_before)[:_MOST]
    ranked = sorted(_effects(tried, torn, recent, bench), key=_likeliest)
    return Suspects(tuple(ranked), len(outcome.conflicts), len(history) - len(recent))


@dataclass(frozen=True, slots=True)
class _File:
    """A file with conflicts inside: upstream's path before the patch, the three blobs, the conflicts."""

    path: bytes
    triple: Triple
    conflicts: tuple[Conflict, ...]

    @classmethod
    def of(cls, file: FileOutcome, conflicts: Iterable[Conflict], patch: Patch) -> _File | None:
        mine = tuple(c for c in conflicts if c.path == file.path and c.rule == "content")
        if not mine or file.base is None or file.ours is None or file.theirs is None:
            return None
        path = next((c.old_path for c in patch.changes if c.new_path == file.upstream_path), file.upstream_path)
        return cls(path, Triple(file.base.oid, file.ours.oid, file.theirs.oid), mine)


def _blamed(conflict: Conflict, found: dict[str, Suspect]) -> None:
    """The causes that the replay itself found (replay.explain): blame of the differing lines, or who brought the file."""
    role = Role.FILE if conflict.rule == "absent" else Role.LINES
    for cause in conflict.causes:
        _accuse(found, Suspect(cause.commit, cause.subject, role, cause.why, 0 if "around" in cause.why else 1))


def _removers(file: _File, history: Sequence[Version], bench: Bench, found: dict[str, Suspect]) -> None:
    """Who last removed each line that the target has in a conflict and upstream, before the patch, has not."""
    kept: Counter[bytes] = Counter()
    for conflict in file.conflicts:
        there = {b" ".join(row.split()) for row in rows(conflict.base)}
        words = (b" ".join(row.split()) for row in rows(conflict.ours))
        kept.update(line for line in words if line not in there and len(line) >= _SHORT)
    if not kept:
        return
    mine = [(version, *version.files[file.path]) for version in history if file.path in version.files]
    store = bench.library.store
    blobs = {e.oid for _, old, new in mine for e in (old, new) if e is not None and e.is_file}
    store.prefetch(blobs)
    counts = {oid: _counted(store.read(oid, "blob"), kept) for oid in blobs}
    left = set(kept)
    for version, old, new in reversed(mine):
        if old is None or new is None or old.oid not in counts or new.oid not in counts:
            continue
        gone = {line for line in left if counts[old.oid][line] > counts[new.oid][line]}
        if gone:
            why = f"removed {len(gone)} line{'s' * (len(gone) > 1)} that the target still has in {show_path(file.path)}"
            _accuse(found, Suspect(version.commit, version.subject, Role.LINES, why, len(gone)))
            left -= gone


def _counted(text: bytes, wanted: Mapping[bytes, int]) -> Counter[bytes]:
    return Counter(line for line in (b" ".join(row.split()) for row in text.split(b"\n")) if line in wanted)


def _breaking(file: _File, history: Sequence[Version], bench: Bench, found: dict[str, Suspect]) -> None:
    """The commit that left the first version of the file onto which the patch's change applies, found by halving."""
    mine = [(version, *version.files[file.path]) for version in history if file.path in version.files]
    known = [(version, old.oid, new.oid) for version, old, new in mine if old and new and old.is_file and new.is_file]
    if not known:
        return
    low, high = 0, len(known) - 1  # onto what `high` left it applies: it is the patch's own base, or nearly
    while low < high:
        middle = (low + high) // 2
        if _applies(file, known[middle][2], bench):
            high = middle
        else:
            low = middle + 1
    version, before, after = known[low]
    if _applies(file, after, bench) and not _applies(file, before, bench):
        why = f"the patch applies to {show_path(file.path)} as it left it, and not to the version before"
        _accuse(found, Suspect(version.commit, version.subject, Role.LINES, why, breaks=True))


def _applies(file: _File, blob: str, bench: Bench) -> bool:
    (merged,) = bench.merge([replace(file.triple, ours=blob)])
    return merged.result is not None


def _needed(findings: Sequence[Finding], patch: Patch, bench: Bench, cleared: Collection[str], found: dict[str, Suspect]) -> None:
    """Who brought the names that the target lacks; of a name whose origin is not known, who last changed lines with it.

    44ad9944f151 is found so: without it, 852e3c19ac64 takes the parameter `largepage` from a function that still reads it.
    """
    for finding in findings:
        cause = finding.introduced_by
        if cause is None and _NAME.fullmatch(finding.symbol):
            history = bench.library.history
            changed = history.mentions(finding.symbol, bench.since, patch.parent, [finding.path]) if patch.parent else []
            cause = next((c for c in reversed(changed) if c.commit not in cleared), None)
        if cause is not None:
            _accuse(found, Suspect(cause.commit, cause.subject, Role.SYMBOL, cause.why, 1))


def _accuse(found: dict[str, Suspect], suspect: Suspect) -> None:
    """Add what was found to what is known of the commit."""
    known = found.get(suspect.commit)
    if known is None:
        found[suspect.commit] = suspect
        return
    why = known.why if suspect.why in known.why else f"{known.why}; {suspect.why}"
    lines, breaks = known.lines + suspect.lines, known.breaks or suspect.breaks
    found[suspect.commit] = replace(known, why=why, lines=lines, breaks=breaks)


def _effects(tried: Sequence[Suspect], files: Sequence[_File], history: Sequence[Version], bench: Bench) -> list[Suspect]:
    """The suspects with the number of conflicts that go when the commit's change of each file is merged into the target's."""
    steps: dict[tuple[str, bytes], Triple] = {}
    wanted = {suspect.commit for suspect in tried}
    for version in history:
        for file in files if version.commit in wanted else ():
            old, new = version.files.get(file.path, (None, None))
            if old is not None and new is not None and old.is_file and new.is_file:
                steps[version.commit, file.path] = Triple(old.oid, file.triple.ours, new.oid)
    first = dict(zip(steps, bench.merge(list(steps.values())), strict=True))
    by_path = {file.path: file for file in files}
    second = {key: replace(by_path[key[1]].triple, ours=m.result) for key, m in first.items() if m.result is not None}
    gone: Counter[str] = Counter()
    for (commit, path), merged in zip(second, bench.merge(list(second.values())), strict=True):
        left = 0 if merged.result is not None else max(1, len(merged.regions))
        gone[commit] += max(0, len(by_path[path].conflicts) - left)
    return [replace(suspect, gone=gone[suspect.commit]) for suspect in tried]


def _before(suspect: Suspect) -> tuple[int, int]:
    return -int(suspect.breaks), -suspect.lines


def _likeliest(suspect: Suspect) -> tuple[int, int, int, int]:
    return -suspect.gone, -int(suspect.lines > 0), -int(suspect.breaks), -suspect.lines

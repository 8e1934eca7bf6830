"""What stands in the worktree when a person's turn comes: merged files, conflicts between markers, and what they include."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backport.csource.closure import Includes
from backport.csource.index import Index
from backport.csource.outline import includes
from backport.csource.reading import Reader
from backport.examine import Workshop
from backport.git.merge import Merger, Piece, Triple
from backport.git.sparse import Stages
from backport.git.trees import PathTakenError
from backport.model.series import TREE, Entry, Patch
from backport.model.verdict import FileOutcome, PatchOutcome
from backport.resolve.answered import answered
from backport.resolve.markers import Labels, marked, size_for
from backport.settings import cache_folder

_SOURCE = (b".c", b".h", b".S")
_MOST = 600  # headers: all that mm/ksm.c sees are 380


@dataclass(frozen=True, slots=True)
class Disputed:
    """A file that waits for a decision: the rule of its conflict, and its text stretch by stretch (none: not a text)."""

    rule: str
    outcome: FileOutcome
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`tree` is what the folder shows: the target with the patch as far as it merges, conflicts between markers of `size`.

    `disputed` are the files in conflict by path, `unmerged` their sides, `touched` all paths that the patch is about.
    """

    tree: str
    size: int
    disputed: Mapping[bytes, Disputed]
    unmerged: Mapping[bytes, Stages]
    touched: tuple[bytes, ...]


def lay_out(patch: Patch, outcome: PatchOutcome, tree: str, names: Labels, shop: Workshop) -> Layout:
    """The layout for a patch that does not land on `tree`; what rules have proved of its conflicts stands answered."""
    rules: dict[bytes, str] = {}
    for conflict in outcome.conflicts:
        rules.setdefault(conflict.path, conflict.rule)
    disputed: dict[bytes, Disputed] = {}
    edits: dict[bytes, Entry | None] = {}
    for change, file in zip(patch.changes, outcome.files, strict=False):
        rule = rules.get(file.path, "")
        if rule:
            disputed[file.path] = Disputed(rule, file, _pieces(rule, file, shop))
        elif file.rule != "already":
            edits[file.path] = file.result
        if rule in ("", "content") and file.path != change.old_path and shop.trees.entry(tree, change.old_path) == file.ours:
            edits[change.old_path] = None  # the patch renames the file
    sides = [entry for found in disputed.values() for entry in _stages(found.outcome) if entry is not None and entry.is_file]
    size = size_for([shop.store.read(entry.oid, "blob") for entry in sides])
    for path, found in disputed.items():
        pieces = answered(found.pieces, found.outcome, outcome.suggestions, lambda oid: shop.store.read(oid, "blob"))
        edits[path] = _shown(replace(found, pieces=pieces), names, size, shop)
    unmerged = {path: _stages(found.outcome) for path, found in disputed.items()}
    return Layout(_edited(tree, edits, shop), size, disputed, unmerged, tuple(edits))


def around(touched: Sequence[bytes], tree: str, shop: Workshop) -> list[bytes]:
    """The files of a tree that the touched ones include, directly or not: what an editor jumps to. At most a few hundred."""
    with Index(Reader(shop.store), cache_folder()) as index:
        graph = Includes(shop.trees, tree, index)
        found: dict[bytes, None] = {}
        for path in touched:
            text = shop.trees.read(tree, path) if path.endswith(_SOURCE) else None
            if text is not None:
                found.update(dict.fromkeys(graph.closure(path, includes(text)).files))
    return list(found)[:_MOST]


def _pieces(rule: str, file: FileOutcome, shop: Workshop) -> tuple[Piece, ...]:
    """The merge of a file in conflict; one that both sides added is merged over nothing. None where it is not about text."""
    ours, theirs = file.ours, file.theirs
    if rule not in ("content", "exists") or ours is None or theirs is None or not (ours.is_file and theirs.is_file):
        return ()
    base = file.base.oid if file.base is not None and rule == "content" else shop.store.write("blob", b"")
    return tuple(Merger(shop.store, shop.trees).pieces(Triple(base, ours.oid, theirs.oid)))


def _shown(found: Disputed, names: Labels, size: int, shop: Workshop) -> Entry | None:
    """What stands at the path: the text with its conflicts, else the target's file, else upstream's, as git does it."""
    file = found.outcome
    if found.pieces and file.ours is not None and file.theirs is not None:
        mode = file.theirs.mode if file.base is not None and file.ours.mode == file.base.mode else file.ours.mode
        return Entry(mode, shop.store.write("blob", marked(found.pieces, names, size)))
    return file.ours if file.ours is not None else file.theirs


def _stages(file: FileOutcome) -> Stages:
    """What the index keeps of a conflict. A folder is no side: the index has none."""
    sides = (file.base, file.ours, file.theirs)
    base, ours, theirs = (None if side is not None and side.mode == TREE else side for side in sides)
    return base, ours, theirs


def _edited(tree: str, edits: Mapping[bytes, Entry | None], shop: Workshop) -> str:
    """The tree with every edit that it can take: a file where a folder stands is for the person to put there."""
    try:
        return shop.trees.edit(tree, {path: entry for path, entry in edits.items() if entry is None or entry.mode != TREE})
    except PathTakenError as error:
        rest = {path: entry for path, entry in edits.items() if path != error.path and not path.startswith(error.path + b"/")}
        return _edited(tree, rest, shop) if len(rest) < len(edits) else tree

"""Which upstream commit brought a name, and what the name was before: where a finding gets its cause and its way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backport.csource.index import Index
from backport.csource.outline import Declaration, outline
from backport.git.history import History
from backport.git.trees import Trees
from backport.model.errors import BackportError
from backport.model.verdict import Cause

_RENAMED = ("function", "prototype", "macro", "struct", "union", "enum", "typedef", "constant", "variable", "extern")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who introduced a name; `before` is the one name of the same shape that the same commit removed there, or empty."""

    cause: Cause
    before: bytes = b""


class Origins:
    """Asks the history between the series' base and a patch. Answers are remembered: commits never change."""

    def __init__(self, base: str, trees: Trees, history: History, index: Index) -> None:
        self._base = base
        self._trees = trees
        self._history = history
        self._index = index

    def find(self, defined: Mapping[bytes, bytes], until: str) -> dict[bytes, Origin]:
        """The origin of each name, given the upstream file that declares it; a name that no commit in between added has none.

        May be wrong where the definition came with a file that was split or moved: then it is the commit of the move.
        """
        if not self._base:
            return {}
        causes: dict[bytes, Cause] = {}
        for path in sorted(set(defined.values())):
            names = sorted(name for name, where in defined.items() if where == path)
            causes.update(self._introduced(names, path, until))
        return {name: self._origin(name, defined[name], cause) for name, cause in causes.items()}

    def _introduced(self, names: Sequence[bytes], path: bytes, until: str) -> dict[bytes, Cause]:
        keys = {name: b"\0".join((self._base.encode(), until.encode(), path, name)) for name in names}
        kept = {name: self._index.recall("introduced", key) for name, key in keys.items()}
        asked = [name for name, value in kept.items() if value is None]
        if asked:
            try:
                found = self._history.introduced((n.decode("ascii") for n in asked), self._base, until, [path])
            except BackportError:  # a shallow or partial clone cannot walk: the finding stands without its cause
                found = {}
            for name in asked:
                cause = found.get(name.decode("ascii"))
                kept[name] = b"\0".join((cause.commit.encode(), cause.subject.encode())) if cause else b""
            if found:
                self._index.remember("introduced", [(keys[name], kept[name] or b"") for name in asked])
        causes = {}
        for name, value in kept.items():
            commit, _, subject = (value or b"").partition(b"\0")
            if commit:
                why = f"first added {name.decode('ascii')} to {path.decode('utf-8', 'backslashreplace')}"
                causes[name] = Cause(commit.decode(), subject.decode("utf-8", "replace"), why)
        return causes

    def _origin(self, name: bytes, path: bytes, cause: Cause) -> Origin:
        try:
            commit = self._history.commit(cause.commit)
            after = self._outline(commit.tree, path)
            before = self._outline(self._history.commit(commit.parents[0]).tree, path) if commit.parents else ()
        except BackportError:
            return Origin(cause)
        return Origin(cause, renamed_from(name, before, after))

    def _outline(self, tree: str, path: bytes) -> Sequence[Declaration]:
        text = self._trees.read(tree, path)
        return outline(text).declarations if text is not None else ()


def renamed_from(name: bytes, before: Sequence[Declaration], after: Sequence[Declaration]) -> bytes:
    """The name that became `name`: gone in `after`, and declared in `before` by the very words but for the name itself.

    Empty where there is none or more than one. d555c333aa54: `static void set_shadow_pte(u64 *sptep, u64 spte)` became
    `static void __set_spte(u64 *sptep, u64 spte)`. May be wrong for two enumerators of one enum, or two empty macros, that
    a commit swaps: they all have one shape, and so are only taken where exactly one went.
    """
    shapes = {_shape(d) for d in after if d.name == name and d.kind in _RENAMED}
    still = {d.name for d in after}
    gone = {d.name for d in before if d.name not in still and d.kind in _RENAMED and _shape(d) in shapes}
    return gone.pop() if len(gone) == 1 else b""


def _shape(declaration: Declaration) -> tuple[str, bytes]:
    marker = b"\0"
    words = b" ".join(declaration.signature.split())
    return declaration.kind, words.replace(declaration.name, marker, 1)

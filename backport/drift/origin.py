"""Which upstream commit brought a name, and what the name was before: where a finding gets its cause and its way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from backport.csource.index import Index
from backport.csource.outline import Declaration, outline
from backport.csource.tokens import mentioned
from backport.csource.uses import functions_of
from backport.git.history import History
from backport.git.trees import Trees
from backport.model.errors import BackportError
from backport.model.verdict import Cause

_RENAMED = ("function", "prototype", "macro", "struct", "union", "enum", "typedef", "constant", "variable", "extern")
_PASSING = ("forward", "made")
_TOPIC = "introduced-2"  # raise the number with what `find` answers
_FILES = 3  # files that a declaration is followed back through
_MOST = 20  # commits that are read for one name
_CHANGED = 60  # changed files of a commit that are looked into


@dataclass(frozen=True, slots=True)
class Origin:
    """Who introduced a name; `before` is the one name of the same shape that the same commit removed there, or empty."""

    cause: Cause
    before: bytes = b""


class Origins:
    """Asks the history between the series' base and a patch. Answers are remembered: commits never change.

    `base` may be what finds it: on mainline that takes half a second, and most patches have nothing to ask. '' is no history.
    """

    def __init__(self, base: str | Callable[[], str], trees: Trees, history: History, index: Index) -> None:
        self._given = base
        self._trees = trees
        self._history = history
        self._index = index

    @cached_property
    def _base(self) -> str:
        if isinstance(self._given, str):
            return self._given
        try:
            return self._given()
        except BackportError:  # a shallow or partial clone
            return ""

    def find(self, defined: Mapping[bytes, bytes], until: str) -> dict[bytes, Origin]:
        """The origin of each name, given the upstream file that declares it; a name that no commit in between added has none.

        A commit that only moves the declaration is looked behind: efx_nic_rev of drivers/net/sfc/nic.h came with daeda6309e13,
        when the header was called falcon.h.
        """
        if not self._base:
            return {}
        causes: dict[bytes, Cause] = {}
        for path in sorted(set(defined.values())):
            names = sorted(name for name, where in defined.items() if where == path)
            causes.update(self._introduced(names, path, until))
        return {name: self._origin(name, defined[name], cause) for name, cause in causes.items()}

    def of_local(self, name: bytes, function: bytes, path: bytes, until: str) -> Cause | None:
        """The first commit after which a function has a name of its own. 2423fdfb96e3: `cluster` came with 0257bb82d21b."""
        try:
            added = self._history.adding([name.decode("ascii")], self._base, until, [path]) if self._base else {}
            for cause in added.get(name.decode("ascii"), ())[:_MOST]:
                text = self._trees.read(self._history.commit(cause.commit).tree, path) or b""
                if any(each == function and name in mentioned(code) for each, code in functions_of(text)):
                    where = f"first used {name.decode('ascii')} in {function.decode('ascii', 'replace')}"
                    return Cause(cause.commit, cause.subject, where) if cause.commit != until else None
        except BackportError:  # a shallow or partial clone
            pass
        return None

    def of_change(self, word: bytes, path: bytes, until: str) -> Cause | None:
        """The last commit that changed lines with a word in a file."""
        try:
            found = self._history.mentions(word.decode("ascii"), self._base, until, [path]) if self._base else []
        except BackportError:
            return None
        return next((cause for cause in reversed(found) if cause.commit != until), None)

    def _introduced(self, names: Sequence[bytes], path: bytes, until: str) -> dict[bytes, Cause]:
        keys = {name: b"\0".join((self._base.encode(), until.encode(), path, name)) for name in names}
        kept = {name: self._index.recall(_TOPIC, key) for name, key in keys.items()}
        asked = [name for name, value in kept.items() if value is None]
        if asked:
            try:
                found = self._walk(asked, path, until, _FILES)
            except BackportError:  # a shallow or partial clone cannot walk: the finding stands without its cause
                found = {}
            for name in asked:
                cause = found.get(name)
                kept[name] = b"\0".join((cause.commit.encode(), cause.subject.encode(), cause.why.encode())) if cause else b""
            if found:
                self._index.remember(_TOPIC, [(keys[name], kept[name] or b"") for name in asked])
        causes = {}
        for name, value in kept.items():
            commit, subject, why = [*(value or b"").split(b"\0", 2), b"", b""][:3]
            if commit:
                causes[name] = Cause(commit.decode(), subject.decode("utf-8", "replace"), why.decode("utf-8", "replace"))
        return causes

    def _walk(self, names: Sequence[bytes], path: bytes, until: str, depth: int) -> dict[bytes, Cause]:
        """For each name the first commit that declares it in the file, followed back into as many as `depth` other files."""
        added = self._history.adding((n.decode("ascii") for n in names), self._base, until, [path])
        found: dict[bytes, Cause] = {}
        moved: dict[tuple[bytes, str], list[bytes]] = {}
        for name in names:
            cause = self._declaring(name, path, added.get(name.decode("ascii"), ()))
            if cause is not None:
                why = f"first added {name.decode('ascii')} to {path.decode('utf-8', 'backslashreplace')}"
                found[name] = Cause(cause.commit, cause.subject, why)
                before = self._moved_from(name, path, cause) if depth else None
                if before is not None:
                    moved.setdefault(before, []).append(name)
        for (there, parent), those in moved.items():
            found.update(self._walk(those, there, parent, depth - 1))
        return found

    def _declaring(self, name: bytes, path: bytes, added: Sequence[Cause]) -> Cause | None:
        """The first of some commits after which the file declares a name, not just speaks of it; else the first of all.

        e91cd2e65f22 brought a comment of sky2.h that names RX_GMF_FL_CTRL, d6b54d241c55 the constant.
        """
        for cause in added[:_MOST] if len(added) > 1 else ():
            if any(d.name == name for d in self._outline(self._history.commit(cause.commit).tree, path)):
                return cause
        return added[0] if added else None

    def _moved_from(self, name: bytes, path: bytes, cause: Cause) -> tuple[bytes, str] | None:
        """The file that a commit took the declaration out of, and the commit before it."""
        commit = self._history.commit(cause.commit)
        if not commit.parents:
            return None
        parent = self._history.commit(commit.parents[0])
        changes = self._history.changes([(parent.tree, commit.tree)])[0]
        for change in changes[:_CHANGED]:
            there = change.old_path
            if change.old is None or not there.endswith((b".h", b".c")) or (there == path and change.new_path == path):
                continue
            if name not in (self._trees.read(parent.tree, there) or b""):
                continue
            was = any(d.name == name and d.kind not in _PASSING for d in self._outline(parent.tree, there))
            if was and not any(d.name == name and d.kind not in _PASSING for d in self._outline(commit.tree, there)):
                return there, parent.oid
        return None

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

"""Decides, for the added lines of one file, which names the target does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from backport.csource.closure import Closure, architecture
from backport.csource.outline import Include, includes
from backport.csource.parse import parse
from backport.csource.tokens import mentioned
from backport.csource.uses import Use, functions_of
from backport.drift.added import Added
from backport.drift.elsewhere import HeaderSearch, of_all_architectures
from backport.drift.landing import Landing
from backport.drift.side import Overlay, Place, Side, fits
from backport.git.trees import Trees
from backport.model.series import FileChange

_GENERATED = re.compile(rb"^(?:generated/|linux/(?:autoconf|utsrelease|version|bounds|compile)\.h|asm/(?:asm-)?offsets\.h)")
_COMPILERS = (b"stdarg.h", b"stddef.h", b"float.h", b"stdbool.h")


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that the target does not have. `path` and `line` are in the patch's version; `upstream` is the declaration there.

    `said` stands for `upstream` where that is no declaration of a file: a local, a header.
    """

    name: bytes
    kind: str
    path: bytes
    line: int
    upstream: Place | None
    target: str
    hint: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """One file of a patch: its path and blob id after it, and its text before (empty: not there) and after."""

    path: bytes
    oid: str
    old: bytes
    new: bytes


class Target:
    """The tree that the series goes onto."""

    def __init__(self, side: Side, search: HeaderSearch, trees: Trees) -> None:
        self.side = side
        self.search = search
        self._trees = trees

    def path(self, change: FileChange, overlay: Overlay) -> bytes | None:
        """Where the file is in the target: its new path, its old one, or one that the series made; None where it is not."""
        if change.old is None or change.new_path in overlay.files:
            return change.new_path
        for path in (change.new_path, change.old_path):
            entry = self._trees.entry(self.side.tree, path)
            if entry is not None and entry.is_file:
                return path
        return None

    def text(self, path: bytes) -> bytes | None:
        """The target's own version of a file."""
        return self._trees.read(self.side.tree, path)

    def oid(self, path: bytes) -> str:
        """The blob id of the target's own version, empty where it has none."""
        entry = self._trees.entry(self.side.tree, path)
        return entry.oid if entry is not None and entry.is_file else ""

    def knows(self, name: bytes, path: bytes) -> bool:
        """Whether the target's version of a file mentions a name in its code, or a header does."""
        text = self.text(path)
        if text is not None and name in mentioned(text):
            return True
        found = self.search.look([name])
        return found is not None and bool(found.mentioned[name])


class FileCheck:
    """The added lines of one file against the target."""

    def __init__(self, path: bytes, change: Texts, added: Added, target: Target, upstream: Side, overlay: Overlay) -> None:
        self._path = path
        self._new_path = change.path
        self._new_oid = change.oid
        self._new_text = change.new
        self._old_text = change.old
        self._added = added
        self._target = target
        self._upstream = upstream
        self._overlay = overlay
        self.unexplained = 0
        self.unsearched = 0

    def missing(self) -> list[Missing]:
        """Every use that the target cannot satisfy."""
        outer = [use for use in self._added.uses if not use.scope and use.name not in self._overlay.names]
        inner = [use for use in self._added.uses if use.scope]
        return [*self._headers(), *self._locals(inner), *self._names(outer)]

    @cached_property
    def _text(self) -> bytes | None:
        """The file in the target: None where only the series has it, which then is complete in the patch itself."""
        return None if self._path in self._overlay.files else self._target.text(self._path)

    @cached_property
    def _functions(self) -> dict[bytes, bytes]:
        return dict(functions_of(self._text)) if self._text is not None else {}

    # --- headers ------------------------------------------------------------------------------------------------------

    def _headers(self) -> Iterator[Missing]:
        for include in self._added.includes:
            if include.computed or _GENERATED.match(include.path) or include.path in _COMPILERS:
                continue
            here = self._target.side.has_header(self._path, include)
            if not here and self._upstream.has_header(self._new_path, include):
                yield Missing(
                    include.path, "absent-header", self._new_path, include.line, None, "no such header", said="has the header"
                )

    # --- what functions declare ---------------------------------------------------------------------------------------

    def _locals(self, uses: Iterable[Use]) -> Iterator[Missing]:
        """Locals, parameters and labels that the function has upstream on a line which the patch does not add.

        Only where the lines around the added one are in the target too: elsewhere the patch conflicts in that very place, and the
        conflict shows more than a name can. That is so for `j` and `idx` of 3da0dd433dc3 on 2.6.31.
        """
        if self._text is None or self._text == self._old_text:
            return
        for use in uses:
            function = self._functions.get(use.function)
            if function is None or (use.function, use.name) in self._overlay.locals.get(self._new_path, ()):
                continue
            if re.search(rb"\b" + re.escape(use.name) + rb"\b", function) or use.name in self._overlay.names:
                continue
            if self._landing.sure(use.line) and not self._outside(use.name):
                kind = "absent-label" if use.scope == "label" else "absent-local"
                where, name = use.function.decode("ascii", "replace"), use.name.decode("ascii", "replace")
                target = f"{where} has no {name}"
                yield Missing(use.name, kind, self._new_path, use.line, None, target, said=f"a {use.scope} of {where}")

    def _outside(self, name: bytes) -> bool:
        """Whether the name means something at file scope in the target."""
        return bool(self._declared({name}).get(name))

    @cached_property
    def _landing(self) -> Landing:
        return Landing(self._old_text, self._new_text, self._added.lines, self._text or b"")

    # --- what the file sees -------------------------------------------------------------------------------------------

    @cached_property
    def _sees(self) -> list[Include]:
        """The #include lines of the file in the target; of a file that only the series has, its own."""
        return list(includes(self._text if self._text is not None else self._new_text))

    @cached_property
    def _closure(self) -> Closure:
        return self._target.side.closure(self._path, self._sees, self._overlay)

    def _declared(self, names: set[bytes]) -> dict[bytes, list[Place]]:
        oid = self._target.oid(self._path) if self._text is not None else ""
        return self._target.side.declared(names, self._closure, (self._path, oid) if oid else None)

    def _names(self, uses: list[Use]) -> Iterator[Missing]:
        here = self._declared({use.name for use in uses})
        doubtful = [use for use in uses if not any(fits(place, use.role) for place in here.get(use.name, ()))]
        if not doubtful:
            return
        names = {use.name for use in doubtful}
        closure = self._upstream.closure(self._new_path, includes(self._new_text))
        there = self._upstream.declared(names, closure, (self._new_path, self._new_oid))
        explained: dict[Use, Place] = {}
        for use in doubtful:
            places = [place for place in there.get(use.name, ()) if fits(place, use.role)]
            if places and places[0].declaration.kind != "forward":
                explained[use] = places[0]
        self.unexplained += len(names - {use.name for use in explained})
        yield from self._absent({use: place for use, place in explained.items() if not self._mentioned(use.name)})

    def _mentioned(self, name: bytes) -> bool:
        """Whether the target's version of the file has the word in its code, other than as a local of some function.

        Then something there declares it that the reader does not see. Wrong where the word is only a member's name in that file.
        """
        return self._text is not None and name in self._words and name not in self._local_words

    @cached_property
    def _words(self) -> frozenset[bytes]:
        return mentioned(self._text or b"")

    @cached_property
    def _local_words(self) -> frozenset[bytes]:
        return frozenset(local.name for function in parse(self._text or b"").functions for local in function.locals)

    def _absent(self, explained: dict[Use, Place]) -> Iterator[Missing]:
        if not explained:
            return
        found = self._target.search.look({use.name for use in explained})
        if found is None:
            self.unsearched += len({use.name for use in explained})
        for use, place in explained.items():
            declared = [p for p in found.declared.get(use.name, ()) if fits(p, use.role)] if found is not None else []
            seen = found.mentioned[use.name] if found is not None else frozenset()
            missing = Missing(use.name, "absent-symbol", self._new_path, use.line, place, "not declared")
            if declared and self._path.endswith(b".h"):
                continue  # a header leans on what its users include before it
            if declared:
                yield self._out_of_sight(missing, declared)
            elif any(path in self._closure.files for path in seen):
                self.unexplained += 1  # a macro of a header that it does see may make it
            else:
                yield missing

    def _out_of_sight(self, missing: Missing, declared: list[Place]) -> Missing:
        common = of_all_architectures(declared)
        own = [p for p in declared if architecture(p.path) == architecture(self._path)]
        best = (own or common or declared)[0]
        if common or own:
            header = best.path.decode("utf-8", "backslashreplace")
            target = f"declared in {best}, which this file does not include"
            return replace(missing, kind="not-included", target=target, hint=f"include {header.removeprefix('include/')}")
        return replace(missing, kind="other-architecture", target=f"only in {best}")

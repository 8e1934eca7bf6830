"""Decides, for the added lines of one file, which names the target does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from backport.csource.closure import DEFAULT_ARCH, architecture
from backport.csource.outline import Declaration
from backport.csource.tokens import blank_comments, mentioned
from backport.csource.uses import Use
from backport.drift.added import Added
from backport.drift.elsewhere import of_all_architectures
from backport.drift.landing import Landing
from backport.drift.side import Place, fits
from backport.drift.view import Missing, View

_GENERATED = re.compile(rb"^(?:generated/|linux/(?:autoconf|utsrelease|version|bounds|compile)\.h|asm/(?:asm-)?offsets\.h)")
_COMPILERS = (b"stdarg.h", b"stddef.h", b"float.h", b"stdbool.h")


_ANNOTATION = re.compile(rb"#\s*define\s+__\w+(?:\([^)]*\))?\s*(?:__attribute(?:__)?\s*\(.*|__section\w*\(.*)?$", re.S)


def is_annotation(declaration: Declaration) -> bool:
    """Whether a macro says something about code and is none: `__percpu`, `__must_check`, `__printf(a, b)`.

    May be wrong for an empty macro that a configuration fills: `#define __foo_debug(x)`.
    """
    return declaration.kind == "macro" and _ANNOTATION.match(blank_comments(declaration.signature).rstrip()) is not None


class FileCheck:
    """The added lines of one file against the target."""

    def __init__(self, view: View, added: Added) -> None:
        self._view = view
        self._path = view.path
        self._new_path = view.change.path
        self._added = added
        self._target = view.target
        self._overlay = view.overlay
        self.unexplained: set[bytes] = set()
        self.unsearched: set[bytes] = set()

    def missing(self) -> list[Missing]:
        """Every use that the target cannot satisfy."""
        outer = [use for use in self._added.uses if not use.scope and use.name not in self._overlay.names]
        inner = [use for use in self._added.uses if use.scope]
        return [*self._headers(), *self._locals(inner), *self._names(outer)]

    # --- headers ------------------------------------------------------------------------------------------------------

    def _headers(self) -> Iterator[Missing]:
        for include in self._added.includes:
            if include.computed or _GENERATED.match(include.path) or include.path in _COMPILERS:
                continue
            here = self._target.side.has_header(self._path, include)
            if not here and self._view.upstream.has_header(self._new_path, include):
                yield Missing(
                    include.path, "absent-header", self._new_path, include.line, None, "no such header", said="has the header"
                )

    # --- what functions declare ---------------------------------------------------------------------------------------

    def _locals(self, uses: Iterable[Use]) -> Iterator[Missing]:
        """Locals, parameters and labels that the function has upstream on a line which the patch does not add.

        Only where the line has landed, or where those around it are in the target too: elsewhere the patch conflicts in that very
        place, and the conflict shows more than a name can. That is so for `j` and `idx` of 3da0dd433dc3 on 2.6.31.
        """
        if self._view.text is None or self._view.text == self._view.change.old:
            return
        for use in uses:
            function = self._view.function(use.function)
            if function is None or (use.function, use.name) in self._overlay.locals.get(self._new_path, ()):
                continue
            if _says_itself(function, use) or use.name in self._overlay.names:
                continue
            if self._lands(use) and not self._outside(use.name):
                kind = "absent-label" if use.scope == "label" else "absent-local"
                where, name = use.function.decode("ascii", "replace"), use.name.decode("ascii", "replace")
                target = f"{where} has no {name}"
                yield Missing(
                    use.name,
                    kind,
                    self._new_path,
                    use.line,
                    None,
                    target,
                    said=f"a {use.scope} of {where}",
                    function=use.function,
                )

    def _lands(self, use: Use) -> bool:
        """Whether the line stands in its function, where nothing but the patch has the name; whether it would, if none landed."""
        if self._view.merged is None:
            return self._landing.sure(use.line)
        code = self._view.landed_in(use.function, use.line, self._added.lines)
        return code is not None and not _says_itself(code, use)

    def _outside(self, name: bytes) -> bool:
        """Whether the name means something by itself at file scope in the target: the tag of a struct does not.

        0e55a7cca4b6 on 2.6.27.y uses `path`, which do_remount() has as `nd->path` alone there: the `struct path` is no help.
        """
        return name in self._view.known({name})

    @cached_property
    def _landing(self) -> Landing:
        return Landing(self._view.change.old, self._view.change.new, self._added.lines, self._view.text or b"")

    # --- what the file sees -------------------------------------------------------------------------------------------

    def _names(self, uses: list[Use]) -> Iterator[Missing]:
        here = self._view.declared({use.name for use in uses})
        doubtful = [use for use in uses if not any(fits(place, use.role) for place in here.get(use.name, ()))]
        if not doubtful:
            return
        names = {use.name for use in doubtful}
        there = self._view.upstream_declared(names)
        explained: dict[Use, Place] = {}
        for use in doubtful:
            places = [place for place in there.get(use.name, ()) if fits(place, use.role)]
            if places and places[0].declaration.kind != "forward":
                explained[use] = places[0]
        explained.update(self._by_users([use for use in doubtful if use not in explained]))
        for use in doubtful:
            if use not in explained and use.role != "tag" and use.name in self._view.upstream_made:
                explained[use] = self._view.upstream_made[use.name]
        explained = {use: place for use, place in explained.items() if use.role == "tag" or use.name not in self._view.made}
        unknown = [use for use in doubtful if use not in explained and use.role == "call" and not self._mentioned(use.name)]
        unknown = [use for use in unknown if use.name not in self._view.made]
        nowhere = list(self._nowhere([use for use in unknown if use.name not in {found.name for found in explained}]))
        told = {use.name for use in explained} | {missing.name for missing in nowhere}
        self.unexplained |= names - told - self._view.made.keys()
        yield from nowhere
        yield from self._absent({use: place for use, place in explained.items() if not self._mentioned(use.name)})

    def _by_users(self, uses: list[Use]) -> dict[Use, Place]:
        """Of names that nothing in a header's own sight explains, those that upstream's users declare and the target's do not."""
        if not uses or not self._path.endswith(b".h"):
            return {}
        there = self._view.upstream_users.declared({use.name for use in uses})
        here = self._view.users
        known = here.declared(set(there)) if there and here else {}
        wanted = {name: place for name, place in there.items() if here and name not in known and not here.mention(name)}
        return {use: wanted[use.name] for use in uses if use.name in wanted and fits(wanted[use.name], use.role)}

    def _nowhere(self, calls: list[Use]) -> Iterator[Missing]:
        """Calls of what a header declares that neither tree's file sees: no file in sight so much as has the word.

        206602217747 calls compat_ptr without asm/compat.h, upstream as well: it does not compile there either.
        """
        found = self._target.search.look({use.name for use in calls}) if calls and not self._leans else None
        if found is None:
            return
        for use in calls:
            declared = [p for p in found.declared.get(use.name, ()) if p.declaration.kind in ("function", "prototype", "macro")]
            if declared and not any(path in self._view.closure.files for path in found.mentioned[use.name]):
                said = "called without a declaration in sight, upstream as well"
                missing = Missing(use.name, "not-included", self._new_path, use.line, None, "not declared", said=said)
                missing = self._out_of_sight(missing, declared, True)
                if missing.kind == "not-included" or not self._foreign:
                    yield missing

    @cached_property
    def _foreign(self) -> bool:
        """Whether the file is another architecture's without saying so by its path: it includes what ours does not have.

        sound/soc/s3c24xx includes <plat/dma.h>, which only arch/arm has.
        """
        own = [i for i in self._view.sees if not i.computed and not _GENERATED.match(i.path) and i.path not in _COMPILERS]
        return any(not self._target.side.has_header(self._path, include) for include in own)

    @cached_property
    def _leans(self) -> bool:
        """Whether the file leans on what others include before it: a header, or a .c file that is a part of another one."""
        if not self._path.endswith(b".c"):
            return True
        side, path = (self._view.upstream, self._new_path) if self._view.text is None else (self._target.side, self._path)
        return bool(self._target.users(path, side))

    def _mentioned(self, name: bytes) -> bool:
        """Whether the target's version of the file has the word in its code, other than as a local of some function.

        Then something there declares it that the reader does not see. Wrong where the word is only a member's name in that file.
        """
        return self._view.text is not None and name in self._words and name not in self._view.local_words

    @cached_property
    def _words(self) -> frozenset[bytes]:
        return mentioned(self._view.text or b"")

    def _absent(self, explained: dict[Use, Place]) -> Iterator[Missing]:
        if not explained:
            return
        found = self._target.search.look({use.name for use in explained})
        if found is None:
            self.unsearched |= {use.name for use in explained}
        for use, place in explained.items():
            declared = [p for p in found.declared.get(use.name, ()) if fits(p, use.role)] if found is not None else []
            seen = found.mentioned[use.name] if found is not None else frozenset()
            missing = Missing(use.name, "absent-symbol", self._new_path, use.line, place, "not declared")
            if declared and self._leans:
                continue
            if declared:
                yield self._out_of_sight(missing, declared, not any(path in self._view.closure.files for path in seen))
            elif any(path in self._view.closure.files for path in seen):
                self.unexplained.add(use.name)  # a macro of a header that it does see may make it
            elif is_annotation(place.declaration):
                yield replace(missing, kind="absent-annotation", hint="an annotation, no code: leave it out")
            else:
                yield missing

    def _out_of_sight(self, missing: Missing, declared: list[Place], sure: bool) -> Missing:
        common = of_all_architectures(declared)
        own = [p for p in declared if architecture(p.path) == (architecture(self._path) or DEFAULT_ARCH)]
        best = (own or common or declared)[0]
        if common or own:
            header = best.path.decode("utf-8", "backslashreplace")
            target = f"declared in {best}, which this file does not include"
            return replace(missing, kind="not-included", sure=sure, target=target, hint=f"include {_spelled(header)}")
        return replace(missing, kind="other-architecture", target=f"only in {best}", sure=False)


def _says_itself(code: bytes, use: Use) -> bool:
    """Whether code has a name by itself: the member of a struct is not the local of that name.

    dcf6a79dda5c on 2.6.27.y counts `nr_to_write` down, which write_cache_pages has as `wbc->nr_to_write` alone there.
    """
    member = rb"" if use.scope == "label" else rb"(?<!->)(?<!\.)"
    return re.search(rb"(?<!\w)" + member + re.escape(use.name) + rb"(?!\w)", code) is not None


def _spelled(header: str) -> str:
    """A header's path as an #include says it."""
    return header.removeprefix("include/") if "/include/" not in header else header.split("/include/", 1)[1]

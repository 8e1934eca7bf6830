"""Functions and macros that the added lines use and that the target declares otherwise: types, return value, macro or function.

Only declarations whose file upstream has in the same place with another content are compared, and only that file is read. An
error is what gcc would say with what is known of the target alone; a difference that may be harmless is a warning or a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from backport.csource.accesses import arguments_of, struct_variables
from backport.csource.tokens import Lines, blank
from backport.csource.uses import Use
from backport.drift.shapes import Kind, macro_parameters, macro_value, shape
from backport.drift.side import Place
from backport.drift.view import Missing, View

_FUNCTIONS = ("function", "prototype")
_EFFECT = re.compile(rb"\+\+|--|(?<![=!<>])=(?!=)")
_STATEMENT = (b";", b"{", b"}", b")", b":", b"else", b"do", b"(void)")


def changed_signatures(view: View, uses: Iterable[Use]) -> Iterator[Missing]:
    """What is called or named on an added line and is declared otherwise in the target. One finding for each use."""
    known = view.overlay.names | view.overlay.reshaped
    asked = [use for use in uses if use.role in ("call", "name") and not use.scope and use.name not in known]
    here = view.declared({use.name for use in asked}) if asked else {}
    single = {name: places[0] for name, places in here.items() if _agree(places)}
    twins = view.twins(single.values())
    there = view.upstream.declared_in({name for name, place in single.items() if place.path in twins}, twins)
    for use in asked:
        mine, theirs = single.get(use.name), there.get(use.name, [])
        if mine is None or not theirs or not _agree(theirs) or mine.declaration.signature == theirs[0].declaration.signature:
            continue
        yield from _compared(view, use, mine, theirs[0])


def _agree(places: Sequence[Place]) -> bool:
    """Whether a name is declared in one way: a prototype and its function count as one, as do macros with equal parameters."""
    if len(places) < 2:
        return len(places) == 1
    if all(place.declaration.kind in ("function", "prototype") for place in places):
        return True
    parameters = {macro_parameters(place.declaration) for place in places}
    return len(parameters) == 1 and None not in parameters


def _compared(view: View, use: Use, mine: Place, theirs: Place) -> Iterator[Missing]:
    here, there = mine.declaration, theirs.declaration
    if "macro" in (here.kind, there.kind):
        yield from _macro(view, use, mine, theirs)
        return
    ours, upstream = shape(here), shape(there)
    if use.role != "call" or ours is None or upstream is None or len(ours.params) != len(upstream.params):
        return  # another number of arguments is `changed_arity`'s
    call = _Call(view, use)
    if ours.returns != upstream.returns:
        sure = call.used and (ours.returns.clashes(upstream.returns) or ours.returns.void)
        yield _found(view, use, mine, theirs, "return-type-changed", sure)
    for number, (one, two) in enumerate(zip(ours.params, upstream.params, strict=True)):
        if one != two and one.clashes(two):
            given = call.given(number)
            yield _found(view, use, mine, theirs, "parameter-type-changed", given is not None and given.clashes(one))
            return


def _macro(view: View, use: Use, mine: Place, theirs: Place) -> Iterator[Missing]:
    here, there = mine.declaration, theirs.declaration
    if here.kind != there.kind:
        if here.kind == "macro" and use.role == "call" and there.kind in _FUNCTIONS and _Call(view, use).has_effects:
            yield _found(view, use, mine, theirs, "macro-or-function", False)
        return
    ours, upstream = macro_parameters(here), macro_parameters(there)
    if ours is not None and upstream is not None:
        if ours != upstream and ours[1] and upstream[1] and use.role == "call":  # DRM_DEBUG(prefix, fmt, args...) of 2.6.31
            passes_on = 0 in (ours[0], upstream[0])  # SYSCALL_DEFINE1(...): what it does with the first one its head does not say
            yield _found(view, use, mine, theirs, "arity-changed", not passes_on)
        return
    values = macro_value(here), macro_value(there)
    if None not in values and values[0] != values[1] and all(values):
        yield _found(view, use, mine, theirs, "other-meaning", False)


def _found(view: View, use: Use, mine: Place, theirs: Place, kind: str, sure: bool) -> Missing:
    text = mine.declaration.signature.decode("utf-8", "replace")
    said = theirs.declaration.signature.decode("utf-8", "replace")
    return Missing(use.name, kind, view.change.path, use.line, theirs, f"{text} at {mine}", said=said, sure=sure)


class _Call:
    """One call on an added line: whether its value is used, and what is given."""

    def __init__(self, view: View, use: Use) -> None:
        self._view = view
        self._use = use
        self._plain = blank(view.change.new)
        lines = Lines(view.change.new)
        self._at = self._plain.find(use.name, lines.start(use.line))
        self._before = self._plain[max(0, self._at - 200) : self._at].rstrip() if self._at >= 0 else b";"

    @property
    def used(self) -> bool:
        """Whether anything is done with what it returns; not where a bracket ends before it: `if (x) f();`."""
        return not self._before.endswith(_STATEMENT)

    @property
    def has_effects(self) -> bool:
        """Whether an argument does something, which a macro may do more than once where a function does it once."""
        opening = self._plain.find(b"(", self._at)
        return any(_EFFECT.search(argument) for argument in arguments_of(self._plain, opening)) if self._at >= 0 else False

    def given(self, number: int) -> Kind | None:
        """What the target's function passes there, where that is a variable of a struct type that it declares itself."""
        opening = self._plain.find(b"(", self._at)
        arguments = arguments_of(self._plain, opening) if self._at >= 0 and opening >= 0 else []
        if number >= len(arguments):
            return None
        text = arguments[number].strip()
        address = text.startswith(b"&")
        code = self._view.function(self._use.function)
        tags = struct_variables(code) if code is not None else {}
        tag = tags.get(text.lstrip(b"& "), b"")
        return Kind(1, tag, b"struct " + tag) if tag and (address or text == text.lstrip(b"& ")) else None

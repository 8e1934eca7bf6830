"""The findings of the Kconfig gate, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backport.drift.kconfig.added import Place, Use
from backport.drift.kconfig.changed import Changed
from backport.drift.kconfig.introduced import Upstream
from backport.drift.kconfig.objects import Orphan
from backport.drift.kconfig.reach import Reached
from backport.drift.kconfig.view import Missing
from backport.model.definition import ConfigValue
from backport.model.finding import Finding, Level
from backport.model.series import decode


def absent_wish(wish: ConfigValue, place: Place | None) -> Finding:
    """A wish for a symbol that the result does not define: kconf would drop it without a word."""
    where, said = place or Place("", b"", 0), f"{wish.symbol}={wish.value} is wanted"
    hint = "the patch that adds it did not land" if place else "no patch defines it: correct [config] or add the patch"
    return _finding(Level.ERROR, "kconfig-absent", wish.symbol, where, said, "no such symbol", hint)


def unmet(wish: ConfigValue, reached: Sequence[Reached], place: Place) -> list[Finding]:
    """A wish that does not come true: an error where it does on no architecture, else a warning that names those where not.

    A wish that comes true with further settings is a warning: the target's own configuration may have them.
    """
    failed = [found for found in reached if not found.met]
    if not failed:
        return []
    nowhere = len(failed) == len(reached)
    level = Level.ERROR if nowhere and not any(found.possible for found in failed) else Level.WARNING
    also = sorted({setting for found in failed for setting in found.also})
    hint = f"also set {', '.join('CONFIG_' + setting for setting in also)}" if also else _hint(failed)
    upstream = f"{wish.symbol}={wish.value} is wanted"
    return [_finding(level, "kconfig-unmet", wish.symbol, place, upstream, _by_reason(failed), hint)]


def unmet_new(name: str, reached: Sequence[Reached], place: Place) -> Finding:
    """A symbol of the series that can be switched on nowhere, though nobody asked for it."""
    return _finding(Level.WARNING, "kconfig-unmet", name, place, "added with a prompt", _by_reason(reached), _hint(reached))


def unset(name: str, place: Place) -> Finding:
    """A new question that [config] does not answer: Fedora's nonint_oldconfig stops at it."""
    hint = f'add {name} = "y" or "n" to [config]'
    return _finding(Level.NOTE, "kconfig-unset", name, place, "added with a prompt", "no value is given for it", hint)


def absent(use: Use, upstream: Mapping[str, Upstream] | None, dead: bool) -> Finding:
    """A symbol on an added line that nothing defines."""
    known = upstream.get(use.name) if upstream is not None else None
    level = Level.WARNING if known or upstream is None else Level.NOTE
    if known and (dead or use.how == "make"):
        level = Level.ERROR
    said = f"{_path(known.path)}:{known.line} defines it" if known else "not defined there either" if upstream is not None else ""
    what = {"make": "what it guards is never built", "code": "the code under it is never compiled"}.get(
        use.how, f"it counts as n in `{use.how}`" + (f" of {use.block}" if use.block else "")
    )
    hint = "take the commit that defines it, or drop the condition" if known else ""
    return _finding(level, "kconfig-absent-symbol", use.name, Place(use.patch, use.path, use.line), said, what, hint, known)


def changed(change: Changed, place: Place) -> Finding:
    """What the series changes for those who do not want it."""
    said = {"all": "removed"}.get(change.aspect, f"{change.aspect}: {_text(change.after) or 'none'}")
    before = f"{change.aspect}: {_text(change.before) or 'none'}" if change.aspect != "all" else "defined"
    return _finding(change.level, "kconfig-changed", change.symbol, place, said, before, "it changes for every configuration")


def missing_source(missing: Missing, place: Place) -> Finding:
    """A `source` line of the series that makes every `make config` fail."""
    hint = "add the file, or leave the line out"
    return _finding(Level.ERROR, "kconfig-source-absent", missing.wanted, place, "sourced", "no such file", hint)


def broken(said: str, place: Place) -> Finding:
    """A line of the series that is no Kconfig."""
    return _finding(Level.ERROR, "kconfig-syntax", "", place, "", _text(said), "correct the line")


def loop(machines: Sequence[str], said: str, new: Sequence[str], places: Mapping[str, Place]) -> Finding:
    """Dependencies that run in a circle since the series: kconf stops there."""
    symbol = next((name for name in new if name in said), new[0] if new else "")
    place = places.get(symbol, Place("", b"", 0))
    return _finding(Level.ERROR, "kconfig-loop", symbol, place, ", ".join(machines), _text(said), "break the circle: select less")


def orphan(found: Orphan) -> Finding:
    """A Makefile line that asks for an object which nothing can make."""
    name = found.name.decode("utf-8", "backslashreplace")
    place = Place(found.patch, found.path, found.line)
    said = f"built for {found.condition}" if found.condition else "built always"
    hint = "leave the line out, or take the commit that adds the file"
    if not found.upstream:
        said += "; upstream has no source for it at this commit either"
    return _finding(
        Level.ERROR if found.upstream else Level.WARNING,
        "makefile-object-absent",
        name,
        place,
        said,
        "no source file makes it",
        hint,
    )


def _by_reason(failed: Sequence[Reached]) -> str:
    """`x86_64, i386: NEEDED is n; arm: not defined here`."""
    reasons: dict[str, list[str]] = {}
    for found in failed:
        because = found.because or f"it is {found.value}"
        if found.absent:
            because += f" ({', '.join(found.absent)} is not defined)"
        reasons.setdefault(because, []).append(found.machine)
    return "; ".join(f"{', '.join(names)}: {_text(because)}" for because, names in reasons.items())


def _hint(failed: Sequence[Reached]) -> str:
    absent_names = sorted({name for found in failed for name in found.absent})
    if absent_names:
        return f"take the commits that define {', '.join(absent_names)}, or drop the dependency"
    return "no setting was found that would allow it"


def _finding(
    level: Level, kind: str, symbol: str, place: Place, upstream: str, target: str, hint: str, known: Upstream | None = None
) -> Finding:
    cause = known.cause if known is not None else None
    return Finding(level, kind, symbol, place.patch, place.path, place.line, upstream, target, cause, hint)


def _text(latin: str) -> str:
    """Kconfig text for people: read as latin-1 so far, now as UTF-8 where it is that."""
    return decode(latin.encode("latin-1", "replace"))


def _path(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")

"""Toolchain profiles: what a kernel of one age needs so that a compiler of another builds it, as data, with the reasons.

A profile names a range of kernels and a range of compilers, and holds flags, headers that are found when the kernel has none
(`-idirafter`; one with an `arch` stands before the kernel's own, which it takes in with #include_next), arguments that the
compiler must not see, substitutions in perl scripts, and make variables. An `arch` is make's ARCH or the folder below arch/.
Those that come with the tool are in `profiles/`; `$XDG_CONFIG_HOME/backport/profiles/*.toml` is searched first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backport.model.errors import InputError

OWN = Path(__file__).resolve().parent / "profiles"
_KEYS = {
    "flags": {"cc", "host", "arch", "reason"},
    "header": {"path", "text", "arch", "reason"},
    "argument": {"given", "instead", "arch", "reason"},
    "perl": {"find", "put", "reason"},
    "makefile": {"text", "reason"},
}
_HEADER = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9_{}-]+)*\.h")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. Ranges include `from` and exclude `below`; an empty version is open. `reasons` pairs a cure with its why.

    `cc` pairs an architecture ('' for all) with a flag, `arguments` one with what is given and put instead, `wrapped` one with a
    header's path and text.
    """

    name: str
    source: Path
    kernels: tuple[Version, Version]
    compilers: tuple[Version, Version]
    cc: tuple[tuple[str, str], ...] = ()
    host: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    wrapped: tuple[tuple[str, str, str], ...] = ()
    arguments: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    perl: tuple[tuple[str, str], ...] = ()
    makefile: str = ""
    reasons: tuple[tuple[str, str], ...] = ()

    def fits(self, kernel: Version, compiler: Version) -> bool:
        """Whether it was made for this kernel and this compiler."""
        return _inside(kernel, self.kernels) and _inside(compiler, self.compilers)

    def flags(self, arch: str) -> tuple[str, ...]:
        """The compiler's flags for an architecture."""
        return tuple(flag for only, flag in self.cc if only in ("", arch, family(arch)))

    def changed(self, arch: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """The arguments that the compiler must not see, and what it gets instead."""
        return [(given, instead) for only, given, instead in self.arguments if only in ("", arch, family(arch))]

    def before(self, arch: str) -> dict[str, str]:
        """The headers that stand before the kernel's own."""
        return {name: text for only, name, text in self.wrapped if only in (arch, family(arch))}


def family(arch: str) -> str:
    """The folder below arch/ for make's ARCH."""
    return "x86" if arch in ("x86_64", "i386") else arch


def version(text: str) -> Version:
    """`2.6.31.3-rc1` as (2, 6, 31, 3): the leading numbers, by which ranges compare."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def load(path: Path) -> Profile:
    """The profile in a file; InputError, with the file and the key, for anything that it may not hold."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the profile: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the profile is no TOML: {error}", where=str(path)) from error
    rows = {table: _rows(data, table, path) for table in _KEYS}
    unknown = set(data) - set(_KEYS) - {"name", "kernel", "compiler"}
    if unknown:
        raise InputError(f"a profile has no key {min(unknown)!r}", where=str(path), then=f"known: {', '.join(sorted(_KEYS))}")
    return Profile(
        name=_text(data, "name", path),
        source=path,
        kernels=_range(data, "kernel", path),
        compilers=_range(data, "compiler", path),
        cc=tuple((_arch(row, path), flag) for row in rows["flags"] for flag in _words(row, "cc", path)),
        host=tuple(flag for row in rows["flags"] for flag in _words(row, "host", path)),
        headers=tuple((_header(row, path), _text(row, "text", path)) for row in rows["header"] if "arch" not in row),
        wrapped=tuple(
            (_text(row, "arch", path), _header(row, path), _text(row, "text", path)) for row in rows["header"] if "arch" in row
        ),
        arguments=tuple((_arch(r, path), _words(r, "given", path), _words(r, "instead", path)) for r in rows["argument"]),
        perl=tuple((_pattern(row, path), _text(row, "put", path)) for row in rows["perl"]),
        makefile="".join(_text(row, "text", path) for row in rows["makefile"]),
        reasons=tuple((_what(table, row), _text(row, "reason", path)) for table in rows for row in rows[table]),
    )


def available(user: Path | None = None) -> list[Profile]:
    """All profiles, the user's first; of two with one name the user's counts."""
    found: dict[str, Profile] = {}
    for folder in (user, OWN):
        for path in sorted(folder.glob("*.toml")) if folder is not None else ():
            profile = load(path)
            found.setdefault(profile.name, profile)
    return list(found.values())


def pick(profiles: Iterable[Profile], kernel: str, compiler: str, named: str = "") -> Profile:
    """The first profile for this kernel and compiler, or the one that is named.

    InputError, with what there is, where none fits: building without one would end in errors that say nothing.
    """
    known = list(profiles)
    if named:
        by_name = next((profile for profile in known if profile.name == named), None)
        if by_name is None:
            then = f"there are: {', '.join(profile.name for profile in known)}"
            raise InputError(f"there is no toolchain profile {named!r}", where="--profile", then=then)
        return by_name
    fitting = next((profile for profile in known if profile.fits(version(kernel), version(compiler))), None)
    if fitting is None:
        raise InputError(
            f"no toolchain profile builds kernel {kernel} with compiler {compiler}",
            then="give another compiler with --cc, a profile with --profile, or write one: backport prove profiles",
        )
    return fitting


def _inside(value: Version, span: tuple[Version, Version]) -> bool:
    first, below = span
    return value >= first and (not below or value < below)


def _rows(data: Mapping[str, Any], table: str, path: Path) -> Sequence[Mapping[str, Any]]:
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{table} must be written as [[{table}]]", where=str(path))
    for row in rows:
        if unknown := set(row) - _KEYS[table]:
            raise InputError(f"[[{table}]] has no key {min(unknown)!r}", where=str(path))
    return rows


def _text(row: Mapping[str, Any], key: str, path: Path) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(f"{key} must be a text, and not empty", where=str(path))
    return value


def _words(row: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    words = row.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word.isprintable() for word in words):
        raise InputError(f"{key} must be a list of words", where=str(path))
    return tuple(words)


def _arch(row: Mapping[str, Any], path: Path) -> str:
    return _text(row, "arch", path) if "arch" in row else ""


def _header(row: Mapping[str, Any], path: Path) -> str:
    name = _text(row, "path", path)
    if not _HEADER.fullmatch(name):
        raise InputError(f"{name!r} is no path of a header", where=str(path))
    return name


def _pattern(row: Mapping[str, Any], path: Path) -> str:
    pattern = _text(row, "find", path)
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(f"find is no regular expression: {error}", where=str(path)) from error
    return pattern


def _range(data: Mapping[str, Any], table: str, path: Path) -> tuple[Version, Version]:
    span = data.get(table, {})
    if not isinstance(span, dict) or not all(isinstance(value, str) for value in span.values()) or set(span) - {"from", "below"}:
        raise InputError(f'{table} must be from = "...", below = "..."', where=str(path))
    return version(span.get("from", "")), version(span.get("below", ""))


def _what(table: str, row: Mapping[str, Any]) -> str:
    only = [f"({row['arch']} only)"] if "arch" in row else []
    if table == "flags":
        return " ".join([*row.get("cc", []), *(f"{flag} (host)" for flag in row.get("host", [])), *only])
    if table == "argument":
        return " ".join([*row.get("given", []), "→", *row.get("instead", []), *only])
    return str(row.get("path") or row.get("find") or f"{str(row.get('text', '')).split(' ')[0]} ...")

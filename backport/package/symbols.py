"""The config files of a distribution: a line a symbol, merged into the file that serves every architecture and flavour."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.model.definition import ConfigValue
from backport.model.errors import InputError
from backport.package import blocks, config, flavours
from backport.package.change import Change, Dialect
from backport.package.plan import PatchFile

_LINE = re.compile(rb"^(?:CONFIG_(\w+)=(.*?)|# CONFIG_(\w+) is not set)[ \t]*\r?$", re.M)
_KCONFIG = re.compile(rb"^\+\+\+ (?:b/)?(?:[^\t\n]*/)?Kconfig[^/\t\n]*", re.M)
_NEXT_FILE = re.compile(rb"^(?:diff --git |--- )", re.M)
_SYMBOL = re.compile(rb"^\+[ \t]*(?:menu)?config[ \t]+(\w+)[ \t]*$", re.M)
_PROMPT = re.compile(rb"^\+[ \t]+(?:(?:bool|tristate|int|hex|string)[ \t]+[\"']|prompt[ \t])", re.M)


@dataclass(frozen=True, slots=True)
class Said:
    """What a config file says of a symbol, and where."""

    file: str
    line: int
    symbol: str
    value: str


def merge(dialect: Dialect, change: Change, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The config files that change, with their new content, and what there is to say.

    InputError where a file says the opposite of what is asked, or where a symbol that the patches bring and that asks the user
    has no value: `nonint_oldconfig` of that dialect stops at it, on each architecture that sees it.
    """
    values = _distinct(change.config)
    tree = _tree(dialect, folder)
    if tree is not None:
        return _file_each(change, values, folder, tree)
    generic = _generic(dialect, folder)
    if generic is None:
        return {}, [f"no config file of the spec takes {_named(values)}: set it by hand"] if values else []
    name, data = generic
    before = blocks.without(data, change.series, name)
    said = {name: _read(name, before)} | _others(dialect, name, change.series, folder)
    wanted = []
    for value in values:
        if _known(value, said, name):
            continue
        wanted.append(value)
    if dialect.strict_config:
        says = [one.says() for one in flavours.flavours(folder, {name: before})]
        everywhere = set.intersection(*says) if says else set()
        _refuse_unanswered(change, {s.symbol for s in said[name]} | everywhere, [s for lines in said.values() for s in lines])
    return {name: _appended(before, change.series, wanted)}, []


def without(dialect: Dialect, series: str, folder: Path) -> dict[str, bytes | None]:
    """The config files with the lines of the series taken out; None for a file that held nothing else."""
    found: dict[str, bytes | None] = {}
    names = sorted({path.name for pattern in (*dialect.config, dialect.overriding) for path in _glob(folder, pattern)})
    trees = sorted({name.split("/")[0] for name in dialect.trees})
    one_each = [str(path.relative_to(folder)) for tree in trees for path in sorted((folder / tree).glob("**/CONFIG_*"))]
    for name in (*names, *one_each):
        data = (folder / name).read_bytes()
        before = blocks.without(data, series, name)
        if before != data:
            found[name] = before or (None if name in one_each else before)
    return found


def brought(patches: Sequence[PatchFile]) -> list[str]:
    """The Kconfig symbols that the patches add and that ask the user, as their text shows it.

    A heuristic: a symbol whose prompt stands in the context of the hunk, not on an added line, is taken for one without.
    """
    found: list[str] = []
    for patch in patches:
        for header in _KCONFIG.finditer(patch.data):
            end = _NEXT_FILE.search(patch.data, header.end())
            text = patch.data[header.end() : end.start() if end else None]
            parts = _SYMBOL.split(text)
            found += [parts[i].decode() for i in range(1, len(parts), 2) if _PROMPT.search(parts[i + 1])]
    return list(dict.fromkeys(found))


def _distinct(values: Sequence[ConfigValue]) -> list[ConfigValue]:
    config.fragment(values)  # checks each, and that no symbol is asked to be two things
    return list(dict.fromkeys(values))


def _generic(dialect: Dialect, folder: Path) -> tuple[str, bytes] | None:
    for pattern in dialect.config:
        found = _glob(folder, pattern)
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:5])
            raise InputError(f"which of the config files takes the symbols cannot be told: {names}", where=str(folder))
        if found:
            return found[0].name, found[0].read_bytes()
    if dialect.strict_config:
        raise InputError(
            f"the folder of the spec has no {' or '.join(dialect.config)}",
            where=str(folder),
            then="edit the spec in its dist-git folder",
        )
    return None


def _others(dialect: Dialect, name: str, series: str, folder: Path) -> dict[str, list[Said]]:
    """The files of architectures and flavours, which override the generic one."""
    paths = [path for path in _glob(folder, dialect.overriding) if path.name != name] if dialect.overriding else []
    return {path.name: _read(path.name, blocks.without(path.read_bytes(), series, path.name)) for path in paths}


def _read(name: str, data: bytes) -> list[Said]:
    return [Said(name, data.count(b"\n", 0, found.start()) + 1, *_pair(found)) for found in _LINE.finditer(data)]


def _pair(found: re.Match[bytes]) -> tuple[str, str]:
    symbol, value = (found[1], found[2]) if found[1] else (found[3], b"n")
    return symbol.decode(), value.decode("utf-8", "replace")


def _known(value: ConfigValue, said: dict[str, list[Said]], generic: str) -> bool:
    """Whether the generic file says it already; InputError where any file says something else."""
    mine = [s for lines in said.values() for s in lines if s.symbol == value.symbol]
    for one in mine:
        if one.value != value.value:
            shown = f"CONFIG_{one.symbol}={one.value}" if one.value != "n" else f"# CONFIG_{one.symbol} is not set"
            raise InputError(
                f"the file says {shown}, the series asks for {value.value}",
                where=f"{one.file}:{one.line}",
                then="take that line out, or change the [config] of the series",
            )
    return any(one.file == generic for one in mine)


def _refuse_unanswered(change: Change, answered: set[str], said: Sequence[Said]) -> None:
    """InputError for a symbol that the patches bring, and that has no value on every architecture and in every flavour."""
    asked = {value.symbol for value in change.config}
    new = brought(change.patches) if change.asked is None else change.asked
    open_ = [symbol for symbol in new if symbol not in answered | asked]
    if not open_:
        return
    some = sorted({one.file for one in said if one.symbol in open_})
    raise InputError(
        f"the patches bring CONFIG_{', CONFIG_'.join(open_)}, which "
        + (f"has a value in {', '.join(some[:3])} only" if some else "nobody gives a value")
        + ": the build would stop and ask",
        where=change.series,
        then="name it under [config] in series.toml (n where it is not wanted), or with --config",
    )


def _appended(data: bytes, series: str, values: Sequence[ConfigValue]) -> bytes:
    """The file with one line a symbol at its end; before the last line where that has no line end."""
    if not values:
        return data
    place = data.rfind(b"\n") + 1
    eol = b"\r\n" if data[:place].endswith(b"\r\n") else b"\n"
    block = blocks.make(series, config.fragment(values).splitlines(), eol, blank=False)
    return data[:place] + block + data[place:]


def _tree(dialect: Dialect, folder: Path) -> Path | None:
    """The folder of one file a symbol that serves every flavour: kernel-ark's fedora/ does not serve its rhel/, common/ does."""
    found = [folder / name for name in dialect.trees if (folder / name).is_dir()]
    if len(found) > 1 and len(_flavours(found[0].parents[1])) > 1:
        found.sort(key=lambda tree: tree.parent.name != "common")
    return found[0] if found else None


def _flavours(top: Path) -> list[Path]:
    """kernel-ark: the folders beside common/, each with what is generic in it."""
    return [path for path in sorted(top.iterdir()) if path.name != "common" and (path / "generic").is_dir()]


def _answered(top: Path) -> set[str]:
    """The symbols that have a value whatever the architecture and flavour, not below a folder of one architecture alone."""

    def here(place: Path) -> set[str]:
        return {path.name.removeprefix("CONFIG_") for path in place.glob("CONFIG_*")}

    each = [here(path / "generic") for path in _flavours(top)]
    return here(top) | here(top / "common" / "generic") | (set.intersection(*each) if each else set())


def _file_each(change: Change, values: Sequence[ConfigValue], folder: Path, tree: Path) -> tuple[dict[str, bytes], list[str]]:
    """One file a symbol, as kernel-ark and Fedora 24 to 29 have it; any of the tree, in whatever folder, may say the opposite."""
    files = {}
    top = folder / tree.relative_to(folder).parts[0]
    _refuse_unanswered(change, _answered(top), [Said(str(p.parent.name), 0, p.name[7:], "") for p in top.glob("**/CONFIG_*")])
    for value in values:
        name = f"CONFIG_{value.symbol}"
        target = str((tree / name).relative_to(folder))
        said = {}
        for path in sorted(top.glob(f"**/{name}")):
            where = str(path.relative_to(folder))
            said[where] = _read(where, blocks.without(path.read_bytes(), change.series, where))
        if not _known(value, said, target):
            files[target] = blocks.make(change.series, config.fragment([value]).splitlines(), blank=False)
    script = folder / "build_configs.sh"
    return files, [f"kernel-*.config are made of {top.name}/: run {script.name} anew"] if files and script.is_file() else []


def _glob(folder: Path, pattern: str) -> list[Path]:
    if not pattern or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if fnmatch.fnmatchcase(path.name, pattern) and path.is_file())


def _named(values: Sequence[ConfigValue]) -> str:
    return ", ".join(f"CONFIG_{value.symbol}={value.value}" for value in values)

"""Takes a series into somebody's spec, or out of it again: decided whole in memory, then written file by file.

What the series had written before (an earlier revision) is taken out first, so a second edit changes nothing, and `remove`
gives back the bytes from before the first.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import InputError
from backport.package import atomic, blocks, changelog, declare, macros, release, symbols
from backport.package.blocks import Block
from backport.package.change import Change, Dialect, Insertion, digest, insert, with_evr
from backport.package.dialects import recognise
from backport.package.document import Document, parse

_CPU = "x86_64"  # version and release are the same for each


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit comes to: spec before and after, the files beside it that change (None: goes away), and what to say."""

    dialect: str
    before: Document
    after: Document
    files: dict[str, bytes | None]
    remarks: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether the spec itself changes."""
        return self.before.data != self.after.data


def edit(document: Document, change: Change, folder: Path) -> Edited:
    """The spec with the series in it. InputError, with nothing written, for whatever stands in the way."""
    if Path(document.where).is_symlink():
        raise InputError("the spec is a link", where=document.where, then="give the file itself")
    if not change.patches:
        raise InputError("the series has no patches", where=change.series, then="run `backport run` first, or give --patches")
    old = _blocks(document, change.series)
    kept = [block for block in old if _same_entry(document, block, change, old)]
    dialect, clean, planned = _planned(document, change, old, kept)
    if kept and release.number(planned) != release.number(old):  # it announces another release than this one
        dialect, clean, planned = _planned(document, change, old, [])
    edited = insert(clean, change.series, planned)
    remarks: list[str] = []
    if change.own_lines or not dialect.test_patch:
        edited, remarks = _with_entry(edited, clean, change, dialect)
    if dialect.spec_name not in ("", Path(document.where).name):
        remarks.append(f"ApplyPatch looks the patches up in {dialect.spec_name}: the spec must be called so when it is built")
    files, more = symbols.merge(dialect, change, folder)
    written: dict[str, bytes | None] = {**files, **_patch_files(dialect, change, old, folder)}
    return Edited(dialect.name, document, edited, _changing(folder, written), (*remarks, *more))


def remove(document: Document, series: str, folder: Path) -> Edited:
    """The spec as it was before the series, and the config files; its patch files go where they are as they were written."""
    old = _blocks(document, series)
    if not old:
        raise InputError(f"the spec holds nothing that backport wrote for {series}", where=document.where)
    clean = _without(document, old)
    dialect = recognise(clean)
    files: dict[str, bytes | None] = dict(symbols.without(dialect, series, folder))
    remarks: list[str] = []
    if dialect.test_patch and (data := _read(folder / dialect.test_patch)) is not None:
        files[dialect.test_patch] = blocks.without(data, series, dialect.test_patch)
    known, names = _recorded(old)
    if names and _digest(folder, names) == known:
        files |= dict.fromkeys(names)
    elif names:
        remarks.append(f"left alone, because not as it was written: {', '.join(names)}")
    return Edited(dialect.name, document, clean, _changing(folder, files), tuple(remarks))


def write(edited: Edited, path: Path) -> None:
    """Write the files, the spec last: a spec that names a patch which is not there yet would be worse than the reverse."""
    for name, data in edited.files.items():
        if data is not None:
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            atomic.put(path.parent / name, data)
    if edited.changed:
        mode = path.stat().st_mode & 0o777
        atomic.put(path, edited.after.data)
        path.chmod(mode)
    for name, data in edited.files.items():
        if data is None:
            (path.parent / name).unlink(missing_ok=True)


def diff(edited: Edited, path: Path) -> bytes:
    """All of it as one unified diff: the spec and the config files in full, a patch file by its name only."""
    parts = [_diff(path.name, edited.before.data, edited.after.data)]
    for name, data in edited.files.items():
        old = _read(path.parent / name)
        if name.endswith(".patch"):
            what = "removed" if data is None else "changed" if old is not None else "new"
            parts.append(f"# {name}: {what}, {len(data or old or b'')} bytes\n".encode())
        else:
            parts.append(_diff(name, old or b"", data or b""))
    return b"".join(parts)


def without(document: Document, series: str) -> Document:
    """The spec without what the series wrote into it, if it did. InputError where a person changed lines of it."""
    return _without(document, _blocks(document, series))


def _blocks(document: Document, series: str) -> list[Block]:
    return [block for block in blocks.find(document.data, document.where) if block.series == series]


def _without(document: Document, taken: Sequence[Block]) -> Document:
    if not taken:
        return document
    data = document.data
    for block in sorted(taken, key=lambda b: b.start, reverse=True):
        blocks.refuse_changed(block, document.where)
        data = data[: block.start] + data[block.stop :]
    return parse(data, document.where)


def _planned(
    document: Document, change: Change, old: Sequence[Block], kept: Sequence[Block]
) -> tuple[Dialect, Document, list[Insertion]]:
    """The dialect, the spec without what the series had written (but `kept`), and what is to be written into that."""
    clean = _without(document, [block for block in old if block not in kept])
    dialect = recognise(clean)
    planned = list(dialect.plan(clean, change))
    if change.bump:
        planned += release.bump(clean, dialect.presets(clean), change.digest, old)
    return dialect, clean, planned


def _same_entry(document: Document, block: Block, change: Change, old: Sequence[Block]) -> bool:
    """Whether the block is the changelog entry of this very revision: a release that was made keeps its date and place."""
    announced = block.lines[:1] and block.lines[0].startswith(b"* ") and block.lines[1:] == changelog.items(document, change)
    return bool(announced) and _recorded(old)[0] == change.digest


def _with_entry(edited: Document, clean: Document, change: Change, dialect: Dialect) -> tuple[Document, list[str]]:
    if _blocks_of_entry(clean, change.series):
        return edited, []
    if changelog.automatic(clean):
        return edited, ["the changelog is made by rpmautospec: no entry was written"]
    evr = change.evr or _evr(edited, dialect)
    return insert(edited, change.series, [changelog.entry(edited, with_evr(change, evr))]), []


def _blocks_of_entry(document: Document, series: str) -> list[Block]:
    return [block for block in _blocks(document, series) if block.lines and block.lines[0].startswith(b"* ")]


def _evr(document: Document, dialect: Dialect) -> str:
    """Version and release as the edited spec says them, without dist: the build system's own."""
    found = macros.tags(document, _CPU, {"dist": "", **dialect.presets(document)})
    version, release = found.get("Version", ""), found.get("Release", "")
    if not version or not release or "%" in version + release:
        raise InputError(
            "version and release cannot be told without running the spec", where=document.where, then="give --evr VERSION-RELEASE"
        )
    return f"{version}-{release}"


def _patch_files(dialect: Dialect, change: Change, old: Sequence[Block], folder: Path) -> dict[str, bytes | None]:
    """The patch files to write, and those of an earlier revision that go. InputError before somebody else's file is lost."""
    if dialect.test_patch and not change.own_lines:
        return {dialect.test_patch: _test_patch(dialect.test_patch, change, folder)}
    known, names = _recorded(old)
    ours = bool(names) and _digest(folder, names) == known
    for patch in change.patches:
        there = _read(folder / patch.name)
        if there is not None and there != patch.data and not (ours and patch.name in names):
            raise InputError(
                "a file of that name is there already, with other content", where=str(folder / patch.name), then="move it away"
            )
    wanted: dict[str, bytes | None] = {patch.name: patch.data for patch in change.patches}
    return (dict.fromkeys(names) if ours else {}) | wanted


def _test_patch(name: str, change: Change, folder: Path) -> bytes:
    """ark's linux-kernel-test.patch with the whole series as one block in it."""
    before = blocks.without(_read(folder / name) or b"", change.series, name)
    if before.strip() and not before.endswith(b"\n"):
        raise InputError("the file does not end with a line end: it seems to be cut off", where=name)
    mails = [line for patch in change.patches for line in patch.data.removesuffix(b"\n").split(b"\n")]
    return before + blocks.make(change.series, mails, blank=False)


def _recorded(old: Sequence[Block]) -> tuple[str, list[str]]:
    """Digest and names of the patch files that the series declared."""
    for block in old:
        if known := declare.recorded_digest(block.lines):
            return known, declare.recorded_names(block.lines)
    return "", []


def _digest(folder: Path, names: Sequence[str]) -> str:
    """The digest of the files as they lie there; '' where one is missing."""
    files = [(name, _read(folder / name)) for name in names]
    return digest([(name, data) for name, data in files if data is not None]) if all(d is not None for _, d in files) else ""


def _changing(folder: Path, files: dict[str, bytes | None]) -> dict[str, bytes | None]:
    """The files whose content is another. InputError for a link: a folder from somewhere may not say what we overwrite."""
    for name in files:
        if (folder / name).resolve() != folder.resolve() / name:
            raise InputError(
                "the file is a link, or in a linked folder", where=str(folder / name), then="put the file itself there"
            )
    return {name: data for name, data in files.items() if data != _read(folder / name)}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", where=str(path)) from error


def _diff(name: str, old: bytes, new: bytes) -> bytes:
    if old == new:
        return b""
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{name}".encode(),
        f"b/{name}".encode(),
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)

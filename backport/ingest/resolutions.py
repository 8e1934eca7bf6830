"""Recorded resolutions as reviewable text: `patches/NAME/resolutions/`, one file a decision.

A few header lines, a blank one, then the parts, each behind a heading that begins in column one; the lines of a part begin
with a space, as in a diff, so that no content can pass for a heading. The text is bytes: sources are in any encoding.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.recording import Choice, Kind, Recording, conflict_key, lines_key
from backport.model.series import decode, show_path

FOLDER = "resolutions"
SUFFIX = ".resolution"
_SCHEMA = b"backport-resolution/1"
_UNFINISHED = b"\\ No newline at end of part\n"
_PARTS = {
    Kind.CONFLICT: {
        "above": b"--- above",
        "ours": b"<<<<<<< ours: the target",
        "base": b"||||||| base: upstream before the patch",
        "theirs": b"======= theirs: upstream after the patch",
        "below": b"--- below",
        "result": b">>>>>>> becomes",
    },
    Kind.LINES: {"above": b"--- above", "ours": b"<<<<<<< the lines", "result": b">>>>>>> become", "below": b"--- below"},
    Kind.FILE: {"result": b">>>>>>> becomes"},
}
_HEADERS = ("Commit", "Subject", "Path", "Function", "Target", "By", "Key", "Carried")
_PLAIN = "/+,@~=:#&()[]"  # in a path as they are; everything odd becomes %XX
_OID = re.compile(r"[0-9a-f]{40}")


def load(folder: Path) -> tuple[Recording, ...]:
    """The recordings in a folder by file name, none where there is no folder. InputError names the file and what is wrong."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(parse(path.read_bytes(), str(path)))
        except OSError as error:
            raise InputError(f"cannot read a resolution: {error.strerror}", where=str(path)) from error
    return tuple(found)


def file_name(recording: Recording) -> str:
    """Commit, file and key: two decisions never share a name, and one that is taken again replaces its file."""
    stem = re.sub(r"[^A-Za-z0-9_.]+", "-", show_path(recording.path.rpartition(b"/")[2])).strip("-.")[:40] or "file"
    return f"{recording.commit[:12]}-{stem}-{recording.key[:12]}{SUFFIX}"


def dump(recording: Recording) -> bytes:
    """The text of one recording."""
    values = (
        recording.commit,
        recording.subject,
        quote_from_bytes(recording.path, _PLAIN),
        recording.function,
        recording.target,
        recording.by,
        recording.key,
        recording.carried,
    )
    head = [(name, value) for name, value in zip(_HEADERS, values, strict=True) if value]
    if recording.kind is Kind.FILE:
        head += [("Rule", recording.rule), ("Choice", recording.choice.value), ("Mode", f"{recording.mode:06o}")]
    lines = [_SCHEMA + b" " + recording.kind.value.encode() + b"\n"]
    lines += [f"{name}: {' '.join(value.split())}\n".encode("utf-8", "backslashreplace") for name, value in head]
    lines.append(b"\n")
    for name, heading in _PARTS[recording.kind].items():
        text: bytes = getattr(recording, name)
        if text or name not in ("above", "below"):
            lines += [heading + b"\n", *_quoted(text)]
    return b"".join(lines)


def parse(data: bytes, where: str) -> Recording:
    """The recording that `dump` wrote; its `result` may have been edited since, its conflict may not."""
    head, blank, body = data.partition(b"\n\n")
    first, *rows = head.split(b"\n")
    schema, _, word = first.partition(b" ")
    if schema != _SCHEMA or not blank or word.decode("ascii", "replace") not in list(Kind):
        raise InputError("this is no resolution that backport wrote", where=where, then="remove it")
    kind = Kind(word.decode())
    headers = dict(row.decode("utf-8", "replace").partition(": ")[::2] for row in rows)
    parts = _parts(body + b"\n" * (not body.endswith(b"\n")), kind, where)
    if not _OID.fullmatch(headers.get("Key", "")) or not headers.get("Path") or not _OID.fullmatch(headers.get("Commit", "")):
        raise InputError("a resolution needs the headers Commit, Path and Key", where=where, then="restore the file")
    recording = _recording(kind, headers, parts, where)
    if _key(recording) not in ("", recording.key):
        raise InputError(
            "the conflict in this resolution was changed: its key is another",
            where=where,
            then="restore it; only what it becomes may be edited",
        )
    return recording


def write(folder: Path, recordings: Iterable[Recording]) -> list[Path]:
    """Write each into the folder, whole or not at all; the files."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for recording in recordings:
            path = folder / file_name(recording)
            temporary = path.with_name(f".{path.name}.new")
            try:
                with temporary.open("wb") as stream:
                    stream.write(dump(recording))
                    stream.flush()
                    os.fsync(stream.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            written.append(path)
    except OSError as error:
        then = "give a folder of definitions that can be written, with --patches"
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(folder), then=then) from error
    return written


def _recording(kind: Kind, headers: Mapping[str, str], parts: Mapping[str, bytes], where: str) -> Recording:
    try:
        return Recording(
            kind=kind,
            key=headers["Key"],
            commit=headers["Commit"],
            subject=headers.get("Subject", ""),
            path=unquote_to_bytes(headers["Path"]),
            function=headers.get("Function", ""),
            target=headers.get("Target", ""),
            by=headers.get("By", ""),
            rule=headers.get("Rule", ""),
            choice=Choice(headers.get("Choice", "text")),
            mode=int(headers.get("Mode", "100644"), 8),
            carried=headers.get("Carried", ""),
            **parts,
        )
    except ValueError as error:
        raise InputError(f"a header of the resolution is wrong: {error}", where=where, then="restore the file") from None


def _key(recording: Recording) -> str:
    """The key by the parts; '' for a file, whose contents are not in the recording."""
    if recording.kind is Kind.CONFLICT:
        return conflict_key(recording.ours, recording.base, recording.theirs)
    return lines_key(recording.above, recording.ours, recording.below) if recording.kind is Kind.LINES else ""


def _quoted(text: bytes) -> list[bytes]:
    if not text:
        return []
    rows = [b" " + row + b"\n" for row in text.split(b"\n")]
    return rows[:-1] if text.endswith(b"\n") else [*rows, _UNFINISHED]


def _parts(body: bytes, kind: Kind, where: str) -> dict[str, bytes]:
    names = {heading: name for name, heading in _PARTS[kind].items()}
    found: dict[str, list[bytes]] = {}
    current: list[bytes] | None = None
    for row in body.split(b"\n")[:-1]:
        if row in names and names[row] not in found:
            current = found.setdefault(names[row], [])
        elif row + b"\n" == _UNFINISHED and current:
            current[-1] = current[-1][:-1]
        elif current is not None and row[:1] in (b" ", b""):
            current.append(row[1:] + b"\n")
        else:
            shown = decode(row[:40])
            raise InputError(f"a line of the resolution is neither a heading nor begins with a space: {shown!r}", where=where)
    return {name: b"".join(rows) for name, rows in found.items()}

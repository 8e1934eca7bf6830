"""A series as an edit takes it in: its patch files from a folder, their titles, their date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_string, policy
from email.header import decode_header
from email.utils import parsedate_to_datetime
from pathlib import Path

from backport.model.definition import ConfigValue, Definition
from backport.model.errors import InputError
from backport.package import escape
from backport.package.change import Change
from backport.package.plan import PatchFile
from backport.package.signer import packager

_PREFIX = re.compile(r"^\s*\[[^\]]*PATCH[^\]]*\]\s*", re.IGNORECASE)
_MAIL = re.compile(rb"^From [0-9a-f]{40} .*\n(?=From: )", re.M)
_WORD = re.compile(r"=\?[^?\s]+\?[QqBb]\?[^?\s]*\?=(?:\s+(?==\?))?")
_HEADER = 65536
_LARGEST = 64 << 20  # bytes; Fedora's longest patch, drm-nouveau, had one


def patch_files(folder: Path) -> tuple[PatchFile, ...]:
    """The patch files of a folder, in the order of its quilt `series`, else by name. InputError where there are none."""
    order = folder / "series"
    try:
        if order.is_file():
            words = [line.split("#")[0].split() for line in order.read_text("utf-8", "replace").splitlines()]
            names = [word[0] for word in words if word]
        else:
            names = sorted(path.name for path in folder.glob("*.patch"))
        files = tuple(PatchFile(escape.patch_name(name), _read(folder / name)) for name in names)
    except OSError as error:
        raise InputError(
            f"the patch files cannot be read: {error.strerror}",
            where=str(folder),
            then="`backport run` writes build/SERIES/patches",
        ) from error
    if not files:
        raise InputError(
            "the folder has no patch files", where=str(folder), then="run `backport run` first, or give --patches DIR"
        )
    if len({file.name for file in files}) != len(files):
        raise InputError("a patch is named twice", where=str(order))
    return files


def change(
    series: str,
    definition: Definition | None,
    files: Sequence[PatchFile],
    *,
    config: Sequence[ConfigValue] = (),
    signer: str | None = None,
    day: str | None = None,
    buildid: str | None = None,
    evr: str = "",
    own_lines: bool = False,
    bump: bool = False,
) -> Change:
    """The change that `spec edit` makes. `day` is YYYY-MM-DD (UTC), by default that of the newest patch."""
    titles = {topic.file: topic.title for topic in definition.topics} if definition else {}
    asked = definition.config if definition else ()
    given = {value.symbol for value in config}
    return Change(
        series=series,
        patches=tuple(files),
        entries=tuple(titles.get(file.name) or title(file.data) or file.name for file in files),
        config=(*(value for value in asked if value.symbol not in given), *config),
        packager=packager(signer),
        date=_seconds(day) if day else max((date(file.data) for file in files), default=0),
        buildid="" if buildid == "" else escape.buildid_of(series) if buildid is None else escape.buildid(buildid),
        evr=escape.evr_words(evr) if evr else "",
        own_lines=own_lines,
        bump=bump,
    )


def title(mail: bytes) -> str:
    """The subject of the (first) mail in a patch file, without [PATCH]; '' where it has none."""
    return _PREFIX.sub("", " ".join(header(mail, "Subject").split()))


def header(mail: bytes, field: str) -> str:
    """A header field of the (first) mail in a patch file, decoded; '' where the file is no mail or has no such field.

    Encoded words (RFC 2047) and plain UTF-8 or latin-1, which patch files have as well.
    """
    text = re.sub(rb"\AFrom [^\n]*\n", b"", mail[:_HEADER]).partition(b"\n\n")[0]
    if not re.match(rb"[A-Za-z-]+: ", text):
        return ""
    try:
        plain = text.decode("utf-8")
    except UnicodeDecodeError:
        plain = text.decode("latin-1")
    return _WORD.sub(_word, str(message_from_string(plain + "\n\n", policy=policy.compat32).get(field, "")))


def date(data: bytes) -> int:
    """The latest date of the mails in a patch file, in seconds since 1970; 0 where none has one."""
    latest = 0
    for start in [found.start() for found in _MAIL.finditer(data)] or [0]:
        try:
            latest = max(latest, int(parsedate_to_datetime(header(data[start : start + _HEADER], "Date")).timestamp()))
        except (TypeError, ValueError, OverflowError):
            continue
    return latest


def config_value(text: str) -> ConfigValue:
    """`KSM=y` as a value; checked where it is used."""
    symbol, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{text!r} is no SYMBOL=VALUE", where="--config", then="write KSM=y")
    return ConfigValue(symbol, value)


def _word(found: re.Match[str]) -> str:
    """One encoded word; as it stands where it is damaged or its charset unknown."""
    try:
        return "".join(
            part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part
            for part, charset in decode_header(found[0].strip())
        )
    except (LookupError, ValueError):
        return found[0]


def _seconds(day: str) -> int:
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(hour=12, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise InputError(f"{day!r} is no day", where="--date", then="write YYYY-MM-DD") from error


def _read(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise InputError("the patch file is larger than any patch", where=str(path))
    return path.read_bytes()

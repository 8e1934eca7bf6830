"""A series as an edit takes it in: its patch files from a folder, their titles, their date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from backport.model.definition import ConfigValue, Definition
from backport.model.errors import InputError
from backport.package import escape
from backport.package.change import Change
from backport.package.handover import packager
from backport.package.plan import PatchFile

_PREFIX = re.compile(r"^\s*\[[^\]]*PATCH[^\]]*\]\s*", re.IGNORECASE)
_MAIL = re.compile(rb"^From [0-9a-f]{40} .*\n(?=From: )", re.M)
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
        buildid=escape.buildid(series if buildid is None else buildid) if buildid != "" else "",
        evr=escape.evr_words(evr) if evr else "",
        own_lines=own_lines,
    )


def title(mail: bytes) -> str:
    """The subject of the (first) mail in a patch file, without [PATCH]; '' where it has none."""
    subject = message_from_bytes(mail.partition(b"\n\n")[0] + b"\n\n", policy=policy.compat32).get("Subject", "")
    return _PREFIX.sub("", " ".join(_decoded(str(subject)).split()))


def date(data: bytes) -> int:
    """The latest date of the mails in a patch file, in seconds since 1970; 0 where none has one."""
    latest = 0
    for start in [found.end() for found in _MAIL.finditer(data)] or [0]:
        header = message_from_bytes(data[start : start + 65536].partition(b"\n\n")[0] + b"\n\n", policy=policy.compat32)
        try:
            latest = max(latest, int(parsedate_to_datetime(str(header.get("Date", ""))).timestamp()))
        except (TypeError, ValueError, OverflowError):
            continue
    return latest


def config_value(text: str) -> ConfigValue:
    """`KSM=y` as a value; checked where it is used."""
    symbol, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{text!r} is no SYMBOL=VALUE", where="--config", then="write KSM=y")
    return ConfigValue(symbol, value)


def _decoded(subject: str) -> str:
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(subject)))
    except (LookupError, ValueError):  # an unknown charset, or base64 that is none
        return subject


def _seconds(day: str) -> int:
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(hour=12, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise InputError(f"{day!r} is no day", where="--date", then="write YYYY-MM-DD") from error


def _read(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise InputError("the patch file is larger than any patch", where=str(path))
    return path.read_bytes()

"""A mail as a row of the archive. Apart from the archive itself, which is asked far more often than it is filled."""

from __future__ import annotations

from collections.abc import Iterable

from backport.ingest.mail.archive import FIELD, ITEM, Row
from backport.ingest.mail.posts import Read
from backport.ingest.mail.runs import NO_ID, run_of
from backport.ingest.mail.subject import title_key


def row_of(found: Read) -> Row:
    """What the archive keeps of a mail."""
    return Row((_identity(found), *found.mail.parents, *_run(found)), _row(found))


def _run(found: Read) -> tuple[str, ...]:
    """Patches that one `git send-email` sent without threading are kept together all the same."""
    named = found.label.number is not None or not found.mail.message_id
    stem = run_of(_identity(found)) if named and not found.label.reply else ""
    return (f"run:{stem}",) if stem else ()


def _row(found: Read) -> tuple[object, ...]:
    mail, label = found.mail, found.label
    return (
        found.where, _identity(found), ITEM.join(mail.parents), mail.date, mail.name, mail.address, found.kind.value,
        label.patch, label.pull, label.reply, label.version.major, label.version.minor, label.version.suffix, label.labelled,
        label.number, label.total, ITEM.join(label.tags), label.title, title_key(label.title),
        found.diff.patch_id if found.diff is not None else "", _pairs(found.blobs),
        _pairs((t.key, t.value) for t in found.trailers), found.change_id, found.base_commit, ITEM.join(found.mentions),
        found.whole,
    )  # fmt: skip


def _identity(found: Read) -> str:
    return found.mail.message_id or found.where + NO_ID


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ITEM.join(f"{one}{FIELD}{other}" for one, other in pairs)

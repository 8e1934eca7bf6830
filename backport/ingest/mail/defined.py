"""A definition whose patches were posted: the mails lie in `mails/` beside it, and its ids are what they make on its base."""

from __future__ import annotations

import re
from pathlib import Path

from backport.git.store import Store
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.message import LARGEST
from backport.ingest.mail.posted import Made, remake
from backport.model.definition import DefinedCommit, Definition
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.series import squeezed, subject_of

REPOSITORY = "mail"
FOLDER = "mails"


def mailed(definition: Definition, base: str | None, store: Store) -> list[str | None]:
    """The commits of a definition's mails, made again. InputError where one is missing, or makes another commit than it says."""
    if base is None:
        then = "give the history that it was posted for with --kernel"
        raise InputError(f"no clone has the base {definition.base}", where=f"{definition.source}: upstream.range", then=then)
    for row in definition.commits:
        if not row.mail:
            raise InputError("some commits have a mail and this one has none", where=f"{definition.source}:{row.line}")
    mails = [
        Found(str(path), _read(path), row.strip) for row in definition.commits for path in [definition.source.parent / row.mail]
    ]
    made = remake(mails, base, store)
    for row, oid in zip(definition.commits, made, strict=True):
        if not oid.startswith(row.commit):
            raise InputError(
                f"{row.mail} makes the commit {oid[:12]}, not {row.commit[:12]}",
                where=f"{definition.source}:{row.line}: id",
                then="the mail, an earlier one or the base was changed: make the series anew (backport series new --from)",
            )
    return list(made)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError("the mail is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the mail: {error.strerror}", where=str(path)) from error


def define(name: str, title: str, made: Made, onto: str, store: Store) -> Definition:
    """The definition of a posted series that was made into commits."""
    rows = []
    for number, (oid, mail) in enumerate(zip(made.commits, made.mails, strict=True), 1):
        subject = squeezed(subject_of(store.read(oid, "commit").partition(b"\n\n")[2]))
        shown = subject or "patch"
        slug = re.sub(r"[^A-Za-z0-9]+", "-", subject).strip("-")[:52] or "patch"
        rows.append(DefinedCommit(oid, shown, "", 0, f"{FOLDER}/{number:04d}-{slug}.patch", mail.strip))
    span = f"{made.base.commit}.."
    return Definition(Path("series.toml"), name, title, REPOSITORY, span, onto, tuple(rows), (), (), ())


def write_mails(definition: Definition, made: Made, folder: Path) -> None:
    """Write the mails, byte by byte as they were posted, where the definition says they are."""
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        for row, mail in zip(definition.commits, made.mails, strict=True):
            (folder / row.mail).write_bytes(mail.raw)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(folder)) from error

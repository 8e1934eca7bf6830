"""A definition whose patches were posted: the mails lie in `mails/` beside it, and its ids are what they make on its base."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from backport.git.store import Store
from backport.ingest.mail.attest import Keys, attest, insist
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.message import LARGEST
from backport.ingest.mail.posted import Made, remake
from backport.model.attestation import Policy, Standing
from backport.model.definition import DefinedCommit, Definition
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.finding import Finding, Level
from backport.model.series import squeezed, subject_of

REPOSITORY = "mail"
FOLDER = "mails"
KEYS = "keys"


def mailed(definition: Definition, base: str | None, store: Store) -> list[str | None]:
    """The commits of a definition's mails, made again. InputError where one is missing, or makes another commit than it says."""
    if base is None:
        then = "give the history that it was posted for with --kernel"
        raise InputError(f"no clone has the base {definition.base}", where=f"{definition.source}: upstream.range", then=then)
    for row in definition.commits:
        if not row.mail:
            raise InputError("some commits have a mail and this one has none", where=f"{definition.source}:{row.line}")
    mails = _mails(definition)
    if definition.attestation is Policy.REQUIRE:
        insist(attest(mails, _keys(definition)), Policy.REQUIRE)
    made = remake(mails, base, store, [row.trailers for row in definition.commits])
    for row, oid in zip(definition.commits, made, strict=True):
        if not oid.startswith(row.commit):
            raise InputError(
                f"{row.mail} makes the commit {oid[:12]}, not {row.commit[:12]}",
                where=f"{definition.source}:{row.line}: id",
                then="the mail, an earlier one or the base was changed: make the series anew (backport series new --from)",
            )
    return list(made)


def signatures(definition: Definition) -> tuple[Finding, ...]:
    """Who signed each mail, by the keys beside it, where the definition's policy asks: a note, or a warning where nobody did."""
    if definition.attestation is Policy.OFF:
        return ()
    found = []
    for row, told in zip(definition.commits, attest(_mails(definition), _keys(definition)), strict=True):
        level, kind = (Level.NOTE, "signed") if told.valid else (Level.WARNING, "not-signed")
        who = next((each.who for each in told.signatures if each.standing is Standing.VALID), told.sender)
        found.append(
            Finding(
                level, kind, who, row.commit, row.mail.encode(), 0, upstream=str(told).replace(f"{definition.source.parent}/", "")
            )
        )
    return tuple(found)


def _keys(definition: Definition) -> Keys:
    return Keys([str(definition.source.parent / KEYS)])


def _mails(definition: Definition) -> list[Found]:
    folder = definition.source.parent
    return [Found(str(folder / row.mail), _read(folder / row.mail), row.strip) for row in definition.commits if row.mail]


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError("the mail is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the mail: {error.strerror}", where=str(path)) from error


def define(name: str, title: str, made: Made, onto: str, store: Store, policy: Policy = Policy.OFF) -> Definition:
    """The definition of a posted series that was made into commits."""
    rows = []
    lines = made.lines or ((),) * len(made.commits)
    for number, (oid, mail, more) in enumerate(zip(made.commits, made.mails, lines, strict=True), 1):
        subject = squeezed(subject_of(store.read(oid, "commit").partition(b"\n\n")[2]))
        shown = subject or "patch"
        slug = re.sub(r"[^A-Za-z0-9]+", "-", subject).strip("-")[:52] or "patch"
        rows.append(DefinedCommit(oid, shown, "", 0, f"{FOLDER}/{number:04d}-{slug}.patch", mail.strip, more))
    span = f"{made.base.commit}.."
    return Definition(Path("series.toml"), name, title, REPOSITORY, span, onto, tuple(rows), (), (), (), attestation=policy)


def write_mails(definition: Definition, made: Made, folder: Path, keys: Mapping[str, bytes]) -> None:
    """Write the mails, byte by byte as they were posted, where the definition says they are; and the keys that they attest by."""
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        for name, key in keys.items():
            (folder / KEYS / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / KEYS / name).write_bytes(key)
        for row, mail in zip(definition.commits, made.mails, strict=True):
            (folder / row.mail).write_bytes(mail.raw)
    except OSError as error:
        raise EnvironmentFailedError(f"cannot write: {error.strerror}", where=str(folder)) from error

"""What is remembered of a submission, beside its SRPM, so that a lost connection or a killed process loses no task."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from backport.model.errors import InputError
from backport.package import atomic


@dataclass(frozen=True, slots=True)
class Record:
    """A submission: which bytes (sha256), to which profile and target, where they were uploaded, and the task (0: none yet)."""

    sha256: str
    profile: str
    target: str
    scratch: bool
    upload: str
    task: int = 0


def path_of(srpm: Path) -> Path:
    """`NAME.src.rpm.koji.json`, beside the SRPM."""
    return srpm.with_name(srpm.name + ".koji.json")


def save(srpm: Path, record: Record) -> None:
    """Write the record, complete or not at all."""
    atomic.put(path_of(srpm), json.dumps(asdict(record), indent=1, sort_keys=True).encode() + b"\n")


def load(srpm: Path) -> Record | None:
    """The record of an earlier submission; None where there is none. InputError where it cannot be understood."""
    place = path_of(srpm)
    try:
        data = json.loads(place.read_bytes())
        record = Record(**data)
        if not isinstance(record.task, int) or not isinstance(record.sha256, str):
            raise TypeError("wrong types")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"the record of the submission cannot be read: {error}", where=str(place), then="delete it") from error
    return record

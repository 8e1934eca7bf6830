"""The commands that packagers would type, ready to paste: what `--dry-run` prints."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import InputError

_MAGIC = b"\xed\xab\xee\xdb"
_SOURCE = b"\x00\x01"  # of the lead's type field; 0 is a binary package


@dataclass(frozen=True, slots=True)
class Wish:
    """What to build where: the SRPM, the Koji profile and build target, whether a scratch build is wanted."""

    srpm: Path
    profile: str
    target: str
    scratch: bool


def check(srpm: Path) -> None:
    """InputError where the file is no source RPM (rpm's file format: four bytes of magic, version, type)."""
    try:
        with srpm.open("rb") as stream:
            lead = stream.read(8)
    except OSError as error:
        raise InputError(
            f"the SRPM cannot be read: {error.strerror}", where=str(srpm), then="`backport run` writes it to build/SERIES"
        ) from error
    if lead[:4] != _MAGIC or lead[6:8] != _SOURCE:
        what = "a binary package, not a source RPM" if lead[:4] == _MAGIC else "no RPM"
        raise InputError(f"the file is {what}", where=str(srpm), then="give the .src.rpm")


def commands(wish: Wish, copr: str = "OWNER/PROJECT") -> list[tuple[str, str]]:
    """Build system and command, each as a shell takes it. fedpkg's and packit's work in the folder of a dist-git clone.

    fedpkg has no build of an SRPM that is not scratch: the SRPM is imported into dist-git, and that is built.
    """
    scratch = ["--scratch"] if wish.scratch else []
    srpm = str(wish.srpm)
    fedpkg = [["fedpkg", "scratch-build", "--target", wish.target, "--srpm", srpm]]
    if not wish.scratch:
        fedpkg = [
            ["fedpkg", "import", srpm],
            ["fedpkg", "commit", "--push", "--clog"],
            ["fedpkg", "build", "--target", wish.target],
        ]
    return [
        ("koji", shlex.join(["koji", f"--profile={wish.profile}", "build", *scratch, wish.target, srpm])),
        ("fedpkg", " && ".join(shlex.join(words) for words in fedpkg)),
        ("copr", shlex.join(["copr-cli", "build", copr, srpm])),
        ("packit", shlex.join(["packit", "build", "in-koji", *scratch, "--koji-target", wish.target, "."])),
    ]

"""Groups the landed patches into files: one a commit, or one a topic as Fedora 12 shipped KSM."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from backport.model.definition import Definition
from backport.model.result import Artifact
from backport.model.verdict import PatchOutcome
from backport.package import atomic
from backport.package.plan import PatchFile


def group(
    definition: Definition, outcomes: Sequence[PatchOutcome], mails: Mapping[str, bytes]
) -> tuple[tuple[PatchFile, ...], tuple[str, ...]]:
    """The patch files of a run in the order in which they are applied, and the changelog line that announces each.

    `mails` are the landed patches by upstream id. A topic none of whose patches landed has no file: an empty patch is an error to
    patch(1).
    """
    landed = [o for o in outcomes if o.upstream in mails]
    if not definition.topics:
        files = tuple(PatchFile(file_name(i, o.subject), mails[o.upstream]) for i, o in enumerate(landed, 1))
        return files, tuple(o.subject for o in landed)
    topic_of = {commit.commit: commit.topic for commit in definition.commits}
    found = []
    for topic in definition.topics:
        mine = [mails[o.upstream] for o in landed if _topic(topic_of, o.upstream) == topic.file]
        if mine:
            found.append((PatchFile(topic.file, b"".join(mine)), topic.title))
    return tuple(file for file, _ in found), tuple(title for _, title in found)


def write(folder: Path, files: Sequence[PatchFile]) -> list[Artifact]:
    """Write `patches/` with its quilt `series` below a run's folder, byte for byte."""
    order = b"".join(file.name.encode("ascii") + b"\n" for file in files)
    written = [("series", "series", order), *((file.name, "patch", file.data) for file in files)]
    (folder / "patches").mkdir()
    return [Artifact(f"patches/{name}", kind, atomic.put(folder / "patches" / name, data)) for name, kind, data in written]


def _topic(topic_of: Mapping[str, str], upstream: str) -> str:
    """Definitions may shorten ids to twelve digits."""
    return topic_of.get(upstream) or next((topic for short, topic in topic_of.items() if upstream.startswith(short)), "")


def file_name(number: int, subject: str) -> str:
    """`0007-mm-ksm-add.patch`, as git format-patch names it: at most 64 characters, nothing that a shell or rpm reads."""
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", subject).strip("-")[:52].rstrip("-")
    return f"{number:04d}-{slug or 'patch'}.patch"

"""The files beside a report: those that it names, as it names them, and nothing else; patches and bundle are the commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from backport.git.mail import format_patches
from backport.git.publish import heads
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.model.difference import Difference
from backport.model.result import Artifact, RunResult
from backport.package import atomic

_KINDS = {"series": "patches/series", "spec": "kernel.spec", "manifest": "series.json"}
_ENDS = {"patch": ".patch", "bundle": ".bundle", "srpm": ".src.rpm"}


def files(result: RunResult, folder: Path, report: str) -> Iterator[Difference]:
    """Every file by its sha256; one that is missing, and one that the report does not name."""
    for number, made in enumerate(result.artifacts):
        place = f"artifacts[{number}]"
        path = folder / made.path
        if Path(made.path).is_absolute() or ".." in Path(made.path).parts:
            yield Difference(f"{place}.path", "it leads out of the folder")
        elif path.is_symlink() or not path.is_file():
            yield Difference(f"{place}.path", f"there is no such file: {made.path}")
        elif atomic.sha256(path) != made.sha256:
            yield Difference(f"{place}.sha256", f"{made.path} has {atomic.sha256(path)}")
        if not _is_kind(made):
            yield Difference(f"{place}.kind", f"{made.path} is no {made.kind}")
    named = {made.path for made in result.artifacts} | {report}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if not path.is_dir() and inside not in named:
            yield Difference(inside, "the report does not name this file")


def _is_kind(made: Artifact) -> bool:
    if made.kind in _ENDS:
        return made.path.endswith(_ENDS[made.kind])
    return made.kind == "config" if made.path.startswith("config-") else _KINDS.get(made.kind) == made.path


def bundle(result: RunResult, folder: Path) -> Iterator[Difference]:
    """The bundle brings the tip, by the branch's name."""
    wanted = {f"refs/heads/backport/{result.series}": result.tip}
    found = [made.path for made in result.artifacts if made.kind == "bundle"]
    if bool(found) != bool(result.tip):
        yield Difference("artifacts", "a bundle belongs to a tip, and a tip to a bundle")
    for path in found:
        if (folder / path).is_file() and heads(folder / path) != wanted:
            yield Difference(path, f"it does not bring {result.tip[:12]} as backport/{result.series}")


def mails(result: RunResult, folder: Path, store: Store) -> Iterator[Difference]:
    """The patch files hold each commit as a mail, byte for byte, and apply one after the other to give the tip's tree."""
    order = folder / "patches" / "series"
    if not result.tip or not order.is_file():
        return
    commits = [patch.commit for patch in result.patches if patch.commit]
    names = [name for name in order.read_text("utf-8", "replace").split() if "/" not in name]
    listed = {made.path for made in result.artifacts if made.kind == "patch"}
    if {f"patches/{name}" for name in names} != listed:
        yield Difference("patches/series", "it does not list the patch files of the report")
    texts = {name: (folder / "patches" / name).read_bytes() for name in names if (folder / "patches" / name).is_file()}
    try:
        expected = format_patches(store, commits)
    except (GitFailedError, ValueError):
        return  # the commits are not what they should be, which is said of them
    yield from _held(texts, commits, expected)
    try:
        made = store.apply(result.onto_tree, list(texts.values()))
    except GitFailedError as error:
        yield Difference("patches", f"git apply: {error.stderr}")
        return
    if made != result.tip_tree:
        yield Difference("patches", f"they make the tree {made}")


def _held(texts: dict[str, bytes], commits: Sequence[str], expected: Sequence[bytes]) -> Iterator[Difference]:
    for commit, mail in zip(commits, expected, strict=True):
        if not any(mail in text for text in texts.values()):
            yield Difference("patches", f"no patch file holds {commit[:12]} as it is")
    if sum(map(len, texts.values())) != sum(map(len, expected)):
        yield Difference("patches", "the patch files hold more or less than the commits")

"""Opens the histories that a run reads: clones on this machine, URLs through the cache, or the embedded sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.git.clone import Clone, open_clone
from backport.git.remote import Remote, is_url
from backport.git.store import Store
from backport.model.definition import Definition
from backport.model.errors import InputError
from backport.model.progress import Progress


@dataclass(frozen=True, slots=True)
class Sources:
    """The clones, in the order in which revisions are looked up, and those of them that can bring more from a URL."""

    clones: tuple[Clone, ...]
    remotes: tuple[Remote, ...] = ()

    def store(self, folder: Path, more: Sequence[Path] = (), *, keep_last: bool = True) -> Store:
        """An object store over all of them, and over `more` object folders. `keep_last`: see Store."""
        shallow = b"".join(clone.shallow for clone in self.clones)
        fetch = self._fetch if self.remotes else None
        return Store(
            folder, [*(clone.objects for clone in self.clones), *more], shallow=shallow, fetch_missing=fetch, keep_last=keep_last
        )

    def _fetch(self, oids: Sequence[str]) -> None:
        for remote in self.remotes:
            remote.fetch_objects(oids)


def open_sources(kernels: Sequence[str], names: Sequence[str], cache: Path, progress: Progress) -> Sources:
    """The clones for `--kernel`; from a URL, the history of the revisions in `names` is fetched first.

    InputError where none is given or a path is no repository.
    """
    if not kernels:
        raise InputError(
            "no kernel history is given",
            where="--kernel",
            then="give a mainline clone with --kernel or BACKPORT_KERNEL; `backport run sample` needs none",
        )
    clones: list[Clone] = []
    remotes: list[Remote] = []
    for kernel in kernels:
        if is_url(kernel):
            progress.stage("fetch", 0)
            remote = Remote(kernel, cache, progress.step)
            remote.fetch(names)
            progress.done(kernel)
            remotes.append(remote)
            clones.append(remote.clone)
        else:
            clones.append(open_clone(Path(kernel).expanduser()))
    return Sources(tuple(clones), tuple(remotes))


def wanted_names(definition: Definition, onto: str) -> list[str]:
    """The revisions that a run of this definition looks up: the target, both ends of the range, every commit."""
    ends = [end for end in definition.range.replace("...", "..").split("..") if end]
    return [onto, *ends, definition.onto, *(commit.commit for commit in definition.commits)]

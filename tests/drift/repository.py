"""A tiny kernel with a history: a release, commits upstream, and the target that stays at the release."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from backport.drift.undeclared import DriftReport, KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.progress import Silent
from backport.model.series import Patch, Series
from backport.replay.engine import replay

RELEASE = {
    "include/linux/mm.h": b"struct page { unsigned long flags; };\n#define PG_locked 0\n"
    b"static inline int test_set_page_locked(struct page *page)\n{\n\treturn 0;\n}\n"
    b"struct page *get_page_at(unsigned long pfn);\nvoid put_page(struct page *page);\n",
    "include/linux/list.h": b"struct list_head { struct list_head *next; };\n#define list_empty(head) ((head)->next == (head))\n",
    "arch/sparc/include/asm/odd.h": b"#define SPARC_ONLY 1\n",
    "mm/scan.c": b'#include <linux/mm.h>\n\n/* later_name in a comment, "later_name" in a string */\n'
    b"static int scan(unsigned long pfn)\n{\n\tstruct page *page = get_page_at(pfn);\n\tint reclaimed = 0;\n\n"
    b"\tif (!page)\n\t\treturn 0;\n\treclaimed++;\n\tput_page(page);\n\treturn reclaimed;\n}\n",
    "Makefile": b"VERSION = 2\n",
}


class Kernel:
    """A repository whose branch grows by `commit`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, bytes] = {}
        self._git("init", "-q", "-b", "master", ".")
        self.base = self.commit("release", RELEASE)

    @property
    def objects(self) -> Path:
        return self.folder / ".git" / "objects"

    def commit(self, subject: str, files: Mapping[str, bytes | None]) -> str:
        """A commit that sets the files (None: removes one); its id."""
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                target.unlink()
                del self._files[path]
            else:
                target.write_bytes(text)
                self._files[path] = text
        self._git("add", "-A")
        self._git("commit", "-q", "-m", subject)
        return self._git("rev-parse", "HEAD")

    def edit(self, subject: str, path: str, old: bytes, new: bytes) -> str:
        """A commit that replaces one piece of a file."""
        assert self._files[path].count(old) == 1
        return self.commit(subject, {path: self._files[path].replace(old, new)})

    def series(self, history: History, *commits: str) -> Series:
        """These commits as a series."""
        patches = []
        for oid in commits:
            found = history.commit(oid)
            parent = history.commit(found.parents[0])
            changes = history.changes([(parent.tree, found.tree)])[0]
            patches.append(
                Patch(oid, parent.oid, found.tree, parent.tree, found.author, found.committer, b"", found.message, changes)
            )
        return Series("s", "S", self.base, tuple(patches))

    def _git(self, *arguments: str) -> str:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "GIT_AUTHOR_DATE": "1252534439 +0000", "GIT_COMMITTER_DATE": "1252534439 +0000",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@dataclass(frozen=True)
class Landed:
    """One patch as replayed onto the release, without a guard: the trees before and after it, and the commit between."""

    series: Series
    before: str
    after: str
    between: str
    bench: Workbench


@contextmanager
def landed(
    folder: Path, release: Mapping[str, bytes], between: Mapping[str, bytes | None], patch: Mapping[str, bytes | None]
) -> Iterator[Landed]:
    """The patch on the release, where upstream did `between` before it. It needs an empty folder."""
    (folder / "kernel").mkdir()
    kernel = Kernel(folder / "kernel")
    kernel.base = kernel.commit("release", release)
    came = kernel.commit("fs: convert", between)
    with put_on(kernel, kernel.commit("the patch", patch)) as it:
        yield replace(it, between=came)


@contextmanager
def put_on(kernel: Kernel, *commits: str) -> Iterator[Landed]:
    """These commits as replayed onto the kernel's base."""
    with Store(kernel.folder.parent / "run.git", [kernel.objects]) as store:
        trees, history = Trees(store), History(store)
        series = kernel.series(history, *commits)
        after = replay(series, kernel.base, store, trees, history, Silent()).tree
        with Workbench(trees, store, history) as bench:
            yield Landed(series, history.commit(kernel.base).tree, after, "", bench)


def walk(guard: KernelGuard, series: Series) -> DriftReport:
    """What the guard finds where every patch of the series lands."""
    findings = []
    for patch in series.patches:
        findings += guard.findings(patch)
        guard.accept(patch)
    return DriftReport(tuple(findings), guard.skipped())

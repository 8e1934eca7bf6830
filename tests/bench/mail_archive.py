"""A public-inbox epoch: first ingest, an update with ten new mails, one series asked for; email.parser over the same mails.

    BACKPORT_MAIL_ARCHIVE=/path/to/epoch.git python tests/bench/mail_archive.py

The update is measured on a history of our own: the epoch's commits but for the last ten, then all of them.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backport.git.clone import open_clone, tip_of
from backport.git.inbox import brought, mails
from backport.git.store import Store
from backport.ingest.mail.message import LARGEST
from backport.ingest.mail.source import open_mails
from backport.model.progress import Silent


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and on the processor (this process and its children) of one call."""
    before, start = _cpu(), time.perf_counter()
    work()
    return time.perf_counter() - start, _cpu() - before


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def shorter(epoch: Path, folder: Path, count: int) -> Path:
    """The epoch as a repository of its own whose branch is `count` commits behind."""
    made = folder / "short.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--shared", str(epoch), str(made)], check=True)
    old = subprocess.run(["git", "-C", str(made), "rev-parse", f"HEAD~{count}"], check=True, capture_output=True, text=True)
    set_head(made, old.stdout.strip())
    return made


def set_head(repository: Path, oid: str) -> None:
    """Point the branch somewhere."""
    subprocess.run(["git", "-C", str(repository), "update-ref", "HEAD", oid], check=True)


def parsed(epoch: Path, folder: Path) -> int:
    """email.parser over every mail, as tools do that read a list as an mbox."""
    clone = open_clone(epoch)
    with Store(folder / "peer.git", [clone.objects]) as store:
        blobs = [oid for oid, _ in brought(store, "", tip_of(clone)) or []]
        return sum(bool(message_from_bytes(raw)) for _, raw in mails(store, blobs, LARGEST))


def asking(epoch: Path, folder: Path, title: str) -> tuple[float, float]:
    """The best of five times that one series is asked for, of an archive that was read."""
    command = [sys.executable, "-m", "backport", "ingest", str(epoch), "--series", title]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "xdg")}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return min(timed(lambda: subprocess.run(command, check=True, env=environment, capture_output=True)) for _ in range(5))


def main() -> None:
    """Measure and print."""
    if not os.environ.get("BACKPORT_MAIL_ARCHIVE"):
        sys.exit("BACKPORT_MAIL_ARCHIVE names no public-inbox epoch")
    epoch = Path(os.environ["BACKPORT_MAIL_ARCHIVE"])
    folder = Path(tempfile.mkdtemp(prefix="backport-bench-"))
    short = shorter(epoch, folder, 10)
    counts: list[int] = []

    def ingest() -> None:
        with open_mails(str(short), folder, Silent()) as found:
            counts.append(found.new)

    first = timed(ingest)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    set_head(short, tip_of(open_clone(epoch)))
    update = timed(ingest)
    asked, long = (asking(short, folder, title) for title in ("erofs: modernize device IDR to XArray", "inode page cache share"))
    bare = min(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(5))
    peer = timed(lambda: parsed(epoch, folder))
    table = Table("what", "wall s", "cpu s", "mails a second (wall)", title=f"{counts[0]} mails, then {counts[1]}")
    rows = (
        ("first ingest", first, counts[0]),
        ("update with ten new mails", update, 0),
        ("backport ingest --series, the whole command", asked, 0),
        ("the same for a series of 20 revisions", long, 0),
        ("python -c pass", bare, 0),
        ("git and email.parser over the same mails, nothing else", peer, counts[0]),
    )
    for name, (wall, cpu), count in rows:
        table.add_row(name, f"{wall:.3f}", f"{cpu:.3f}", f"{count / wall:,.0f}" if count else "")
    table.caption = f"{first[0] / peer[0]:.2f} times email.parser; {memory} MB at most; load {os.getloadavg()[0]:.1f}"
    Console(width=110).print(table)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""Where upstream defines the configuration symbols that the target lacks, and which commit brought them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backport.git.history import History
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.model.errors import BackportError
from backport.model.verdict import Cause

_MOST = 200  # names in one search


@dataclass(frozen=True, slots=True)
class Upstream:
    """The Kconfig file of a symbol upstream, and the commit that first wrote it there, where it is younger than the base."""

    path: bytes
    line: int
    cause: Cause | None


def look_up(
    names: Collection[str], tree: str, base: str, until: str, store: Store, history: History
) -> dict[str, Upstream] | None:
    """Each name that the upstream tree defines. None where it cannot be searched: a partial clone lacks blobs.

    The commit is the first in between with the name on an added line of that file: a `depends on` on it, a few lines above the
    definition and older, would be named instead.
    """
    wanted = sorted(name for name in set(names) if name.isascii())[:_MOST]
    if not wanted:
        return {}
    pattern = f"^[[:space:]]*(menu)?config[[:space:]]+({'|'.join(wanted)})[[:space:]]*$"
    command = ["--no-literal-pathspecs", "grep", "-z", "-n", "-I", "-E", pattern, tree, "--", "*Kconfig*"]
    try:
        out = store.git.run(command, ok=(0, 1))
    except GitFailedError:
        return None
    places: dict[str, tuple[bytes, int]] = {}
    for row in out.split(b"\n"):
        where, _, rest = row.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        words = text.split()
        if len(words) > 1 and number.isdigit():
            places.setdefault(words[1].decode("ascii", "replace"), (where.partition(b":")[2], int(number)))
    causes = _causes(places, base, until, history)
    return {name: Upstream(path, line, causes.get(name)) for name, (path, line) in places.items()}


def _causes(places: dict[str, tuple[bytes, int]], base: str, until: str, history: History) -> dict[str, Cause]:
    if not base:
        return {}
    found: dict[str, Cause] = {}
    for path in sorted({path for path, _ in places.values()}):
        asked: Sequence[str] = [name for name, (where, _) in places.items() if where == path]
        try:
            causes = history.introduced(asked, base, until, [path])
        except BackportError:  # a shallow clone cannot walk: the finding stands without its cause
            continue
        for name, cause in causes.items():
            shown = path.decode("utf-8", "backslashreplace")
            found[name] = Cause(cause.commit, cause.subject, f"first added {name} to {shown}")
    return found

"""A made-up kernel of a few files, a patch on top, and both as trees: what the checks of configuration and kABI are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.series import Series
from tests.gitrepo import Repo, replayed


@dataclass
class Case:
    """A series, the target's tree, and the tree with the series applied."""

    series: Series
    onto: str
    result: str
    trees: Trees
    store: Store


@contextmanager
def applied(
    repo: Repo,
    base: Mapping[bytes, bytes],
    changes: Mapping[bytes, bytes | None],
    scratch: Path,
    *,
    between: Mapping[bytes, bytes | None] | None = None,
) -> Iterator[Case]:
    """`changes` as one commit on top of `base` (and of what upstream did in `between`), replayed onto `base`."""
    onto = repo.commit(dict(base), b"release\n")
    before = repo.on(onto, between, b"upstream brings something\n") if between else onto
    commit = repo.on(before, changes, b"the feature\n")
    with replayed(repo, [commit], onto, scratch, base=onto) as session:
        yield Case(session.series, session.history.commit(onto).tree, session.replayed.tree, session.trees, session.store)

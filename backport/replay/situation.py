"""What a rule of the ladder is asked, and what it answers. The data only: the rules are modules of `replay/rules/`.

A rule is one function `(Situation) -> Resolution | None` in a module named after it. It sees one file on which the three-way
merge gave up, with everything that it may look at, and either returns the file as it ought to be, with its reasons, or
abstains. It never writes: whether a resolution lands is for the guard and the engine to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backport.git.history import History
from backport.git.merge import Region
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.evidence import Evidence
from backport.model.series import FileChange, Patch

LEFT = "partial"
"""What stands in for a rule where none has an answer: the lines, or the file, are left as the target has them."""


@dataclass(frozen=True, slots=True)
class Library:
    """What a rule may read with: objects, trees, and the upstream history. Nothing in it writes to a user's clone."""

    store: Store
    trees: Trees
    history: History

    def step(self, commit: str) -> tuple[str, str] | None:
        """The trees before and after a commit; None of a root and of a merge, which show no one change."""
        found = self.history.commit(commit)
        return (self.history.commit(found.parents[0]).tree, found.tree) if len(found.parents) == 1 else None


@dataclass(frozen=True, slots=True)
class Situation:
    """One file of one patch on which target and patch disagree.

    `base` and `theirs` are upstream's file before and after the patch, `ours` the target's at `path` in the tree `tree`;
    None where that side has no such file. `regions` are the conflicts that the merge left (none where the disagreement
    is not about content). `fork` is `since`, or what finds it: on mainline that takes half a second, and few rules ask.
    """

    patch: Patch
    change: FileChange
    path: bytes
    tree: str
    fork: str | Callable[[], str]
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    regions: tuple[Region, ...]
    library: Library

    @property
    def since(self) -> str:
        """The upstream commit up to which the target has all history ('' where there is no such commit).

        What made the difference is in `since..patch.parent`.
        """
        return self.fork if isinstance(self.fork, str) else self.fork()


@dataclass(frozen=True, slots=True)
class Resolution:
    """A file as a rule would have it.

    `texts` is the whole new content of every file of the target that the resolution changes, by the target's path (None:
    deleted); mostly one. `sure` says that the rule's own proof is complete: with the guard's yes it is AUTO, else it is a
    SUGGEST. `evidence` has one entry for each region or hunk that was placed. `open` says that lines of it, or all, are left as
    the target has them, because no rule knows what the patch means there.
    """

    rule: str
    sure: bool
    texts: Mapping[bytes, bytes | None]
    evidence: tuple[Evidence, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What a ladder says of one file: resolutions, best first. Where it has none and that is not for want of a rule, `why`."""

    found: tuple[Resolution, ...] = ()
    why: str = ""

"""A series definition: what `patches/NAME/series.toml` says, checked but not yet looked up in a history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backport.model.attestation import Policy
from backport.model.carried import Carried
from backport.model.recording import Recording


@dataclass(frozen=True, slots=True)
class DefinedCommit:
    """A commit that the series is made of: full id, subject (which must match), topic, its line in the file.

    `mail` is the file, beside the definition, of a patch that was posted: its commit is made of that on the definition's base,
    and must come out with this id. `strip` is how many folders its paths lose, `trailers` are lines below its message.
    """

    commit: str
    subject: str
    topic: str
    line: int
    mail: str = ""
    strip: int = 1
    trailers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """A commit of the range that is left out on purpose, and why."""

    commit: str
    subject: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Fold:
    """A fix that is squashed into the commit `into` of the series: both make one patch, where that one stands."""

    commit: str
    subject: str
    into: str
    line: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A patch file that gathers several commits, as Fedora 12 did: its file name and the changelog line that announces it."""

    file: str
    title: str


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """A Kconfig symbol (without CONFIG_) and the value it must have in the built kernel: y, m, n, a number or a quoted string."""

    symbol: str
    value: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that somebody looked at and accepts: its kind and symbol, the file ('' for any), and why.

    `carried` says of which patch of an earlier revision it was accepted, '' where it was of this one.
    """

    kind: str
    symbol: str
    file: str
    reason: str
    carried: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole series.toml. `source` is the file, for messages; `topics` is empty where each commit makes its own patch file."""

    source: Path
    name: str
    title: str
    repository: str
    range: str
    onto: str
    commits: tuple[DefinedCommit, ...]
    drops: tuple[Drop, ...]
    topics: tuple[Topic, ...]
    config: tuple[ConfigValue, ...]
    accepted: tuple[Acceptance, ...] = ()
    folds: tuple[Fold, ...] = ()
    recordings: tuple[Recording, ...] = ()
    carried: tuple[Carried, ...] = ()
    attestation: Policy = Policy.OFF

    @property
    def embedded(self) -> bool:
        """Whether its history comes with the definition and is made at run time: no clone is needed."""
        return self.repository == "embedded"

    @property
    def base(self) -> str:
        """The lower end of the upstream range, or what `onto` says where the range has none."""
        return self.range.split("..", 1)[0] or self.onto

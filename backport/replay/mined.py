"""What upstream's names were called before, mined from the commits between target and patch.

Asked only for names that the guard misses in the target. The commits looked at are the few that first brought such a name to the
patch's own file, then the one that declared it: in each, lines that stand for one another and differ in names alone show what
stood in the name's place. A name is taken only where one commit shows one predecessor and no other, and changed nothing else on
the lines on which it put one for the other: f373b53b5fe6 made `ehash_mask` of `ehash_size - 1`, which is no rename.
Example: 12f68c480c71 on 2.6.32.y says USB_SC_DEVICE, which 8fa7fd74ef39 made of US_SC_DEVICE in some three hundred lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.csource.outline import outline
from backport.csource.tokens import mentioned
from backport.git.diff import Hunk as Place
from backport.model.cause import Cause
from backport.model.errors import BackportError
from backport.model.finding import Finding
from backport.replay.guard.landed import HEADERS
from backport.replay.mined_calls import MinedArgument, arguments
from backport.replay.rules.lines import Hunk
from backport.replay.rules.near import pair_near, tokens
from backport.replay.rules.renames import substituted
from backport.replay.situation import Library

_NAMES = ("absent-symbol", "absent-member", "strange-word")
_MEMBER, _ARITY = "absent-member", "arity-changed"
_MOST_NAMES = 12  # a patch that misses more builds on something that the target does not have at all
_MOST_COMMITS = 4  # that first brought a name to a file: the later ones only use it
_MOST_PLACES = 4000  # hunks of one commit: a treewide rename has that many
_CONFIG = b"CONFIG_"


@dataclass(frozen=True, slots=True)
class Mined:
    """Upstream's name `new` was `old` before `cause`, as `shown` lines of that commit have it.

    A `member` is one only behind a dot or an arrow. It is renamed `outright` where what declares `new` upstream does not say
    `old` any more. Else both are there and may mean two things: dev_get_by_index_rcu() came beside __dev_get_by_index(), which is
    not safe under RCU (69df9d5993bd), and kvm->irq_lock beside kvm->lock, which 3ddea128ad75 holds where it takes the other one.
    """

    new: bytes
    old: bytes
    shown: int
    cause: Cause
    member: bool = False
    outright: bool = False

    @property
    def told(self) -> str:
        """One phrase for a person."""
        lines = f"{self.shown} line{'s' * (self.shown > 1)}"
        return f"{self.new.decode()} was {self.old.decode()} before {self.cause.commit[:12]} ({lines} of it)"


Respelling = Mined | MinedArgument
Knows = Callable[[bytes, bytes], bool]
"""Whether the target has a name, for a file of upstream's path."""


def mined(
    findings: Sequence[Finding], since: Callable[[], str], until: str, library: Library, knows: Knows
) -> tuple[Respelling, ...]:
    """What the names that block a patch were called at `since`, or took; empty unless that is known of every one of them.

    `until` is the patch's parent. Where something else blocks it as well, names would not help. A shallow or partial history says
    nothing.
    """
    blocking = [found for found in findings if found.blocks]
    missing = {_name(found): found for found in blocking if found.kind in _NAMES}
    calls = {_name(found): found.introduced_by for found in blocking if found.kind == _ARITY}
    if not blocking or len(blocking) > _MOST_NAMES or any(found.kind not in (*_NAMES, _ARITY) for found in blocking):
        return ()
    try:
        base = since()
        made = tuple(_mined(missing, base, until, library, knows)) if base else ()
        taken = arguments({name: cause for name, cause in calls.items() if cause is not None}, library)
    except BackportError:
        return ()
    return (*made, *taken) if (len(made), len(taken)) == (len(missing), len(calls)) else ()


def has_name(name: bytes, path: bytes, tree: str, moved: Mapping[bytes, bytes], library: Library) -> bool:
    """Whether the file of `tree` that upstream calls `path` has a name, or a header has; of a CONFIG_ symbol, a Kconfig file."""
    if name.startswith(_CONFIG):
        return bool(library.history.configures(tree, {name.removeprefix(_CONFIG)}))
    text = library.trees.read(tree, moved.get(path, path)) or b""
    return name in mentioned(text) or bool(library.history.speaks(tree, {name}, HEADERS))


def _name(found: Finding) -> bytes:
    name = found.symbol.encode("ascii", "replace")
    return _CONFIG + name if found.kind == "strange-word" and "Kconfig" in found.target and b"Kconfig" not in found.path else name


def _mined(missing: Mapping[bytes, Finding], since: str, until: str, library: Library, knows: Knows) -> Iterator[Mined]:
    by_path: dict[bytes, list[bytes]] = {}
    for name, found in missing.items():
        by_path.setdefault(found.path, []).append(name)
    commits: dict[bytes, list[Cause]] = {}
    for path, names in by_path.items():
        brought = library.history.adding((name.decode("ascii") for name in names), since, until, [path])
        for name in names:
            own = missing[name].introduced_by
            commits[name] = [*brought.get(name.decode("ascii"), ())[:_MOST_COMMITS], *([own] if own is not None else [])]
    shown: dict[str, Sequence[Place]] = {}
    for name, found in missing.items():
        for cause in commits[name]:
            if cause.commit not in shown:
                shown[cause.commit] = _places(cause.commit, library)
            made = _predecessor(name, shown[cause.commit], cause, found.kind == _MEMBER)
            if made is not None and knows(made.old, found.path):
                yield replace(made, outright=_is_outright(made, found.introduced_by or cause, until, library))
                break


def _is_outright(made: Mined, declared: Cause, until: str, library: Library) -> bool:
    """Whether `declared` touched what declares the old name, and what it brought the new one to does not say that at `until`.

    The headers are asked, or the sources where none has the name. A word that is declared nowhere is none to rely on: anon_rss,
    for which d559db086ff5 put the constant MM_ANONPAGES, was half the name of a member (3c77f8457221).
    """
    step, tree = library.step(declared.commit), library.history.commit(until).tree
    if step is None:
        return False
    touched = library.history.changes([step])[0]
    before = (library.trees.read(step[0], change.old_path) or b"" for change in touched)
    if not any(made.old in text and _declares(text, made) for text in before):
        return False
    after = {change.new_path: library.trees.read(tree, change.new_path) or b"" for change in touched}
    said = {path: words for path, text in after.items() if made.new in text and made.new in (words := mentioned(text))}
    headers = [words for path, words in said.items() if path.endswith(b".h")]
    return bool(said) and all(made.old not in words for words in headers or said.values())


def _declares(text: bytes, made: Mined) -> bool:
    return any(made.old == one.name and made.member == (one.kind == "member") for one in outline(text).declarations)


def _places(commit: str, library: Library) -> Sequence[Place]:
    step = library.step(commit)
    return library.history.tree_hunks([step])[0][:_MOST_PLACES] if step is not None else ()


def _predecessor(name: bytes, places: Sequence[Place], cause: Cause, member: bool) -> Mined | None:
    """The one name in whose place a commit put another; None where there is none, or a second, or more was changed with it."""
    votes: Counter[bytes] = Counter()
    changed: Counter[bytes] = Counter()
    for place in places:
        if place.removed and any(name in row for row in place.added):
            pairs = pair_near(place.removed, place.added, Hunk(0, len(place.removed), 0, len(place.added)))
            for a, c in pairs.items():
                was, now = tokens(place.removed[a]), tokens(place.added[c])
                if len(was) == len(now):
                    votes.update(old for old, new in substituted(was, now) if new == name)
                elif name in now and name not in was:
                    changed.update(set(was) - set(now))
    (old, shown_by), *others = votes.most_common() or [(b"", 0)]
    return Mined(name, old, shown_by, cause, member) if shown_by and not others and not changed[old] else None

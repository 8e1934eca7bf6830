"""The checks of the text itself: asked about every file that a merge or a rule made, whatever its names mean.

Each is a module of one function that yields its faults. A file that is upstream's own, byte for
byte, has none; a binary, a huge or a minified one is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from backport.git.store import Store
from backport.model.finding import Finding, Level
from backport.model.series import show_path
from backport.model.verdict import PLAIN, FileOutcome
from backport.replay.guard.doubled import doubled, doubled_blocks
from backport.replay.guard.function import other_function
from backport.replay.guard.labels import absent_labels, other_labels
from backport.replay.guard.landed import Fault, Landed, Speaks, speaks_all
from backport.replay.guard.leftover import leftover
from backport.replay.guard.locals import other_locals
from backport.replay.guard.parsing import parses_worse
from backport.replay.guard.place import changes
from backport.replay.guard.returns import other_returns
from backport.replay.guard.second import second_place
from backport.replay.guard.standing import stands_otherwise
from backport.replay.guard.words import strange_words

Check = Callable[[Landed], Iterator[Fault]]

SECOND_PLACE = "second-place"
"""Where the target has a second copy of what the patch changes."""

CHECKS: dict[str, Check] = {
    "other-function": other_function,
    "left-over": leftover,
    "doubled-line": doubled,
    "doubled-block": doubled_blocks,
    SECOND_PLACE: second_place,
    "parses-worse": parses_worse,
    "absent-label": absent_labels,
    "other-label": other_labels,
    "other-return": other_returns,
    "other-type": other_locals,
    "stands-otherwise": stands_otherwise,
    "strange-word": strange_words,
}
SEARCHING = ("strange-word",)
"""Those that look into other files of the target."""
_LARGEST = 2 << 20
_MOST = 3000  # changed lines of one file that are looked at one by one
_LONGEST = 20_000  # bytes of a line


def text_findings(
    patch: str, files: Sequence[FileOutcome], store: Store, checks: Mapping[str, Check], speaks: Speaks = speaks_all
) -> list[Finding]:
    """What the checks find in the files of one patch as it landed. `speaks` tells which words the target's files have."""
    found: list[Finding] = []
    brought = {file.path: added(file, store) for file in files if file.path.endswith(b".h") or b"Kconfig" in file.path}
    for file in files:
        landed = _landed(file, store, speaks, brought)
        if landed is None:
            continue
        if (size := sum(len(change.removed) + len(change.added) for change in landed.upstream)) > _MOST:
            found.append(_unchecked(file, size, patch))
            continue
        for kind, check in checks.items():
            found.extend(_finding(kind, fault, patch, file.upstream_path) for fault in check(landed))
    return found


def added(file: FileOutcome, store: Store) -> bytes:
    """The lines that a file has and had not in the target."""
    ours, result = store.text(file.ours) or b"", store.text(file.result) or b""
    return b"".join(row for change in changes(ours, result) for row in change.added)


def _finding(kind: str, fault: Fault, patch: str, path: bytes) -> Finding:
    return Finding(Level.ERROR if fault.sure else Level.WARNING, kind, fault.what, patch, path, fault.line, target=fault.why)


def _unchecked(file: FileOutcome, size: int, patch: str) -> Finding:
    """A rewritten file is not looked at line by line: a merge of it is let pass with a warning, a rule's work is not."""
    level = Level.WARNING if file.rule in PLAIN else Level.ERROR
    what = show_path(file.path)
    return Finding(
        level, "unchecked-text", what, patch, file.upstream_path, 1, target=f"{size} changed lines are too many to check"
    )


def _landed(file: FileOutcome, store: Store, speaks: Speaks, brought: Mapping[bytes, bytes]) -> Landed | None:
    """The four texts of a file whose content was made here; None where there is nothing to look at."""
    if file.result is None or file.result in (file.theirs, file.ours):
        return None
    texts = [store.text(entry) for entry in (file.base, file.ours, file.theirs, file.result)]
    if any(text is None or b"\0" in text or len(text) > _LARGEST for text in texts):
        return None
    base, ours, theirs, result = (text or b"" for text in texts)
    if _has_long_line(result):
        return None
    return Landed(file.path, file.upstream_path, base, ours, theirs, result, speaks, brought, file.rule not in PLAIN)


def _has_long_line(text: bytes) -> bool:
    """Whether a line is longer than is looked at: from one line break to the last that is near enough."""
    at = 0
    while len(text) - at > _LONGEST:
        end = text.rfind(b"\n", at, at + _LONGEST + 1)
        if end < 0:
            return True
        at = end + 1
    return False

"""A `return` that a patch adds must give what the target's function gives: nothing, a pointer, a number.

Between target and upstream a function may have learnt to fail: it was `void`, and is `int`. An early `return 0;` made for it
merges, or is placed by rules, without a word, and to the compiler it is a warning. Example: e9c1670c2a14 on 2.6.27.y leaves
piix_init_sidpr() early, which is `static void` there; stable has `return;`. Compared is what the heads say, and only where
upstream's says otherwise: what upstream does itself is no difference. A typedef of a pointer counts as a number, on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import head, name_of, squeezed

_RETURN = re.compile(rb"(?:^|[;{}):]|\belse)\s*return\b\s*([^;]*)")
_ERROR = re.compile(rb"\(*\s*-\s*E[A-Z0-9]{2,}\b")
_ADDRESS = re.compile(rb"\(*\s*(?:NULL\b|ERR_PTR\s*\(|ERR_CAST\s*\()")
_NOTHING, _ADDRESSES, _TRUTH, _NUMBER = "nothing", "a pointer", "true or false", "a number"


def other_returns(landed: Landed) -> Iterator[Fault]:
    """Added lines that return what the target's function does not, and upstream's does."""
    if not landed.is_c:
        return
    for change in landed.here:
        for number, row in enumerate(change.added, change.new):
            found = _RETURN.search(row)
            if found is None:
                continue
            name, gives = _given(landed.result_rows, number)
            line, was = _upstream(landed, row, name)
            if gives and was and gives != was and not _fits(found.group(1).strip(), gives):
                yield Fault(_shown(row), line, f"{name} returns {gives} in the target, and {was} upstream")


def _upstream(landed: Landed, row: bytes, name: str) -> tuple[int, str]:
    """The upstream line that adds the same in the function of that name, and what that gives there; '' for none."""
    for number in landed.spots.get(squeezed(row), ()):
        other, gives = _given(landed.theirs_rows, number)
        if other == name:
            return number + 1, gives
    return 0, ""


def _fits(value: bytes, gives: str) -> bool:
    """Whether a function that gives this can return the value; what the words do not tell does."""
    if gives == _NOTHING or not value:
        return gives == _NOTHING and not value
    if gives == _NUMBER:
        return not _ADDRESS.match(value)
    return not _ERROR.match(value)


def _given(lines: Sequence[bytes], line: int) -> tuple[str, str]:
    """The function that holds a line, and what the words before its name say that it gives; '' where they say nothing."""
    top = head(lines, line)
    if top < 0:
        return "", ""
    name = name_of(lines[top])
    said = lines[top].split(name.encode("latin-1") or b"(", 1)[0]
    above = lines[top - 1].rstrip() if top and not said.strip() else b""
    said = above if above[:1].isalpha() and not above.endswith((b";", b":")) else said
    words = said.split()
    if not words or b"(" in said or b"=" in said or b"#" in said:
        return name, ""
    if said.rstrip().endswith(b"*"):
        return name, _ADDRESSES
    return name, _NOTHING if b"void" in words else _TRUTH if b"bool" in words else _NUMBER


def _shown(row: bytes) -> str:
    return row.strip().decode("utf-8", "replace")

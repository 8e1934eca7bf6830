"""Finds characters that a reader does not see, or that show code in another order than the compiler reads it.

Trojan Source (CVE-2021-42574): bidirectional controls make a comment look like code; characters of no width, and letters that are
blank, make two names of one. Looked for in what a patch adds, be it code, comment, string or documentation, and in file names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backport.ingest.mail.diff import PostedDiff

_BLANK = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # spaces of no width, bidirectional controls, invisible operators
    "\u3164\ufe00-\ufe0f\ufeff\uffa0"  # fillers, variation selectors, byte order mark
    "\U000e0000-\U000e0fff"  # tags, more selectors
)
_ONE = re.compile(f"[{_BLANK}]")
_MANY = re.compile(rb"[\xc2\xcd\xd8\xe1\xe2\xe3\xef\xf3]")  # with what their UTF-8 begins: most lines have none of them


@dataclass(frozen=True, slots=True)
class Hidden:
    """A character (`U+202E`) that hides in a line or in a path, as the bytes are in the patch."""

    code: str
    line: bytes
    path: bool


def find_hidden(diff: PostedDiff) -> Hidden | None:
    """The first such character that a patch brings, None where it brings none."""
    for file in diff.files:
        for text, path in ((file.new, True), *((line, False) for line in file.added)):
            if _MANY.search(text) and (match := _ONE.search(text.decode("utf-8", "replace"))):
                return Hidden(f"U+{ord(match[0]):04X}", text, path)
    return None

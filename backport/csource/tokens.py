"""C source as words with true offsets: comments, literals and include paths out of the way, every byte in its place.

All patterns consume what they start, terminated or not, so that time is linear in the length whatever the input; source is
bytes because kernel files hold latin-1, EUC-JP, CRLF and form feeds, and no byte above 127 is part of any C word there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import accumulate

_SPACES = bytes(b if b in b"\n\r\f\t" else 0x20 for b in range(256))

# Comment, string, character, include path. An unterminated comment runs to the end of the file, an unterminated string to the
# end of its line; a lone quote ("#error don't") is not taken as the start of anything.
_HIDDEN = re.compile(
    rb"/\*.*?(?:\*/|\Z)"
    rb"|//(?:[^\\\n]|\\\r?\n|\\)*+"
    rb'|"(?:[^"\\\n]|\\\r?\n|\\.|\\)*+"?'
    rb"|'(?:\\.|[^'\\\n]){1,10}'"
    rb"|#[ \t]*include(?:_next)?[ \t]*<[^>\n]*+>?",
    re.S,
)
_COMMENT = re.compile(_HIDDEN.pattern.replace(rb"|#[ \t]*include(?:_next)?[ \t]*<[^>\n]*+>?", b""), re.S)
_INCLUDE_HEAD = re.compile(rb"#[ \t]*include(?:_next)?")
_WORD = re.compile(rb"[A-Za-z_$][\w$]*+|\.?\d(?:[eEpP][+-]|[\w.])*+")
_DIRECTIVE = re.compile(rb"^[ \t\f\v]*#[ \t\f\v]*([a-z_]*)((?:[^\\\n]|\\\r?\n|\\)*+)", re.M)

KEYWORDS = frozenset(
    b"auto break case char const continue default do double else enum extern float for goto if inline int long register "
    b"restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool asm typeof "
    b"__asm__ __asm __inline __inline__ __typeof__ __typeof __volatile__ __volatile __const __const__ __signed__ __signed "
    b"__attribute__ __attribute __extension__ __alignof__ __alignof __restrict __restrict__ __label__ __func__ __FUNCTION__ "
    b"__FILE__ __LINE__ __DATE__ __TIME__ __PRETTY_FUNCTION__ __VA_ARGS__ defined __thread".split()
)


@dataclass(frozen=True, slots=True)
class Directive:
    """A preprocessor line with its continuations: `#word rest`. `rest` has comments and literals blanked."""

    word: bytes
    rest: bytes
    offset: int
    end: int


class Lines:
    """From byte offsets to 1-based lines and back. A line ends with its newline; CR is part of the line before it."""

    def __init__(self, text: bytes) -> None:
        self._starts = _starts(text)
        self._length = len(text)

    def line(self, offset: int) -> int:
        """The line that the byte at `offset` stands on."""
        return bisect_right(self._starts, offset)

    def start(self, line: int) -> int:
        """The offset of the first byte of a line; the end of the text for a line beyond it."""
        return self._starts[line - 1] if 0 < line <= len(self._starts) else self._length

    def end(self, line: int) -> int:
        """The offset just behind a line, its newline included."""
        return self.start(line + 1)


@lru_cache(maxsize=64)
def _starts(text: bytes) -> list[int]:
    """Where each line begins; behind a last newline begins one more."""
    starts = list(accumulate(map(len, BytesIO(text).readlines()), initial=0))
    return starts if text.endswith(b"\n") or not text else starts[:-1]


def common_ends(one: bytes, two: bytes) -> tuple[int, int]:
    """How many bytes two texts have in common at their beginning and, behind that, at their end, in whole lines.

    By halving: a comparison of slices costs next to nothing, where one line after the other takes a millisecond.
    """
    head = one.rfind(b"\n", 0, _alike(one, two, 0, min(len(one), len(two)), ends=False)) + 1
    tail = _alike(one, two, 0, min(len(one), len(two)) - head, ends=True)
    first = one.find(b"\n", len(one) - tail)
    return head, len(one) - first - 1 if tail and first >= 0 else 0


def _alike(one: bytes, two: bytes, low: int, high: int, *, ends: bool) -> int:
    while low < high:
        middle = (low + high + 1) // 2
        if ends:
            same = one[len(one) - middle : len(one) - low] == two[len(two) - middle : len(two) - low]
        else:
            same = one[low:middle] == two[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


@lru_cache(maxsize=64)  # every question about a file of a patch begins with this, in a row
def blank(text: bytes) -> bytes:
    """The same text with comments, literals and include paths turned into spaces: same length, same lines."""
    return _HIDDEN.sub(_hide, text)


def blank_comments(text: bytes) -> bytes:
    """The same text with only the comments turned into spaces; literals stay."""
    return _COMMENT.sub(lambda m: m.group().translate(_SPACES) if m.group()[:2] in (b"/*", b"//") else m.group(), text)


def _hide(match: re.Match[bytes]) -> bytes:
    found = match.group()
    head = _INCLUDE_HEAD.match(found)
    kept = head.group() if head else b""
    return kept + found[len(kept) :].translate(_SPACES)


def words(blanked: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int]]:
    """Identifiers and their offsets in text that went through `blank`; keywords are among them, numbers are not."""
    for match in _WORD.finditer(blanked, start, len(blanked) if end is None else end):
        found = match.group()
        if found[0] > 0x39 or found[0] == 0x24:  # behind '9' or '$'; what starts with '.' or a digit is a number
            yield found, match.start()


@lru_cache(maxsize=32)
def mentioned(text: bytes) -> frozenset[bytes]:
    """The set of identifiers that the code mentions, whatever they mean there; keywords left out."""
    return frozenset(found for found in _WORD.findall(blank(text)) if found[0] > 0x39 and found not in KEYWORDS)


def says(text: bytes, name: bytes) -> bool:
    """Whether a name stands in a text as a word of its own, in comments and literals too."""
    return re.search(rb"(?<!\w)" + re.escape(name) + rb"(?!\w)", text) is not None


def directives(blanked: bytes) -> list[Directive]:
    """Preprocessor lines of text that went through `blank` (or `blank_comments`, where literals matter)."""
    found: list[Directive] = []
    at, end = -1, -1
    while (at := blanked.find(b"#", max(at + 1, end))) >= 0:  # few lines have one: a pattern tried on each is five times slower
        match = _DIRECTIVE.match(blanked, blanked.rfind(b"\n", 0, at) + 1)
        if match is not None and match.start() >= end and match.end() > at:
            found.append(Directive(match.group(1), match.group(2), match.start(), match.end()))
            end = match.end()
    return found

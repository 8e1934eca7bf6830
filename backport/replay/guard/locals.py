"""A local or a parameter that an added line uses must be declared alike in the target's function.

The word lands, and every check of names finds it; what it is may have changed in between: a pointer was the thing itself, the
argument was another struct. Compared are the declarations of the word in the functions around it, upstream's after the patch
and the target's after it, and only what makes the same words mean something else: how deep a pointer or an array is; the tag,
where the target's file speaks of upstream's too (else it may be that tag's older name); a pointer against a number; `sizeof` of
an array against that of a pointer. Nothing is said of typedefs against other words, of numbers of other sizes, many of which are
right, and of an array of bytes that is room for a union (9cac00b8f007 on 2.6.32.y). A word that one function declares more than
once is let pass where two of the declarations are alike. Wrong is this where a line uses a pointer whatever it points to
(`if (!it)`): that is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backport.csource.tokens import blank
from backport.replay.guard.landed import Fault, Landed
from backport.replay.guard.place import foot, head, name_of, shown, squeezed

_USED = re.compile(rb"(?<![\w.])(?<!->)(?<!struct )(?<!union )(?<!enum )(?<!goto )[A-Za-z_]\w*+(?!\s*\()")
_ELSEWHERE = (b".", b"->", b"struct ", b"union ", b"enum ", b"goto ")
_PART = frozenset(bytes((byte,)) for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
_MEMBER = re.compile(rb"(?:_entry\w*|_continue|_safe|_rcu|container_of|offsetof)\s*\(.*,\s*(\w+)\s*\)")
_SIZE = re.compile(rb"\b(?:sizeof|ARRAY_SIZE)\s*\(\s*(\w+)\s*\)")
_COMMENT = re.compile(rb"\s*(?:/\*|\*[\s/]|//|#)")
_KEYWORDS = frozenset(
    b"if else for while do switch case default return goto break continue sizeof struct union enum const static int long short "
    b"char void unsigned signed NULL inline extern typedef typeof volatile register".split()
)
_QUALIFIER = re.compile(rb"\b(?:const|volatile|register|static|auto|__(?![us]\d|[lb]e\d)\w+)\b")
_UNSET = re.compile(rb"\buninitialized_var\s*\(\s*(\w+)\s*\)")
_PARENS = re.compile(rb"[()]")
_NUMBERS = (
    rb"(?:unsigned|signed|int|long|short|char|bool|(?:__)?[us](?:8|16|32|64)|u?int(?:8|16|32|64)_t|__[lb]e(?:16|32|64)|s?size_t|"
    rb"l?off_t|sector_t|gfp_t|dma_addr_t|pid_t|dev_t|uint|ulong)\b"
)
_TYPE = re.compile(rb"\s*(?:(struct|union|enum)\s+(\w+)|(%b(?:\s+%b)*)|(void)\b|(\w+))(?=[\s*])" % (_NUMBERS, _NUMBERS))
_DECLARATOR = re.compile(rb"([*\s]*)(\w+)\s*((?:\[[^\]]*\]\s*)*)(?:=.*|:.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a word is: `sort` is struct, union, enum, number, void or typedef, `name` the tag or the typedef."""

    sort: bytes
    name: bytes
    stars: int
    arrays: int

    @property
    def depth(self) -> int:
        return self.stars + self.arrays

    def __str__(self) -> str:
        words = self.name if self.sort in (b"number", b"void", b"typedef") else self.sort + b" " + self.name
        return words.decode("utf-8", "replace") + " " * bool(self.depth) + "*" * self.stars + "[]" * self.arrays


def other_locals(landed: Landed) -> Iterator[Fault]:
    """Added lines that use a local or a parameter which the target's function declares as something else."""
    if not landed.is_c:
        return
    functions = _Functions(landed)
    for change in landed.here:
        for number, row in enumerate(change.added, change.new):
            lines = landed.spots.get(squeezed(row))
            if lines is None or not (used := _used(row)):
                continue
            pairs = functions.pairs(number, lines)
            faults = [functions.fault(*pair, used, row) for pair in pairs]
            if faults and all(faults):
                yield Fault(shown(row), lines[0] + 1, faults[0])


def _used(row: bytes) -> list[bytes]:
    """The words of a line that may be variables: no members, tags, calls and keywords."""
    if _COMMENT.match(row):
        return []
    plain = blank(row)
    members = {found[1] for found in _MEMBER.finditer(plain)}
    return [word for word in dict.fromkeys(_USED.findall(plain)) if word not in _KEYWORDS and word not in members]


class _Functions:
    """The functions around lines of one file, upstream and in the target, each looked for and read once."""

    def __init__(self, landed: Landed) -> None:
        self._landed = landed
        self._tops: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._texts: dict[tuple[int, int], bytes] = {}
        self._said: dict[tuple[int, int, bytes], str] = {}
        self._plain: dict[bytes, bytes] = {}

    def pairs(self, here: int, there: Sequence[int]) -> list[tuple[int, int]]:
        """The heads of the functions around a line of the target and around those upstream that are the same: of one name.

        A line that the patch adds once is that line in a function of another name too: b561e8274f75 on 2.6.32.y.
        """
        ours, theirs = self._landed.result_rows, self._landed.theirs_rows
        if (top := head(ours, here, known=self._tops[0])) < 0:
            return []
        others = [other for line in there if (other := head(theirs, line, known=self._tops[1])) >= 0]
        named = [other for other in others if name_of(theirs[other]) == name_of(ours[top])]
        return [(top, other) for other in named or (others if len(there) == 1 else ())]

    def fault(self, here: int, there: int, used: Sequence[bytes], row: bytes) -> str:
        """How one of the words that a line uses is declared otherwise, '' where none is."""
        ours, theirs = self._text(0, here), self._text(1, there)
        if ours == theirs:
            return ""
        for word in used:
            if (why := self._compared(here, there, word, ours, theirs)) or (why := self._sized(word, row, ours, theirs)):
                return why
        return ""

    def _text(self, side: int, top: int) -> bytes:
        """A function from its head to its last brace."""
        if (side, top) not in self._texts:
            lines = (self._landed.result_rows, self._landed.theirs_rows)[side]
            self._texts[side, top] = b"".join(lines[top : foot(lines, top + 1)])
        return self._texts[side, top]

    def _compared(self, here: int, there: int, word: bytes, ours: bytes, theirs: bytes) -> str:
        key = here, there, word
        if key not in self._said:
            self._said[key] = self._difference(word, ours, theirs)
        return self._said[key]

    def _difference(self, word: bytes, ours: bytes, theirs: bytes) -> str:
        """How a word is declared otherwise. What names it first is mostly its declaration, and mostly the same line."""
        first = _first(word, ours)
        if first is None or first == _first(word, theirs):
            return ""
        one, two = self._declared(word, ours), self._declared(word, theirs)
        if one and two and all(self._differ(a, b) for a in one for b in two):
            return f"{word.decode()} is {one[0]} in the target, and {two[0]} upstream"
        return ""

    def _sized(self, word: bytes, row: bytes, ours: bytes, theirs: bytes) -> str:
        """`sizeof` of what is an array on one side and a pointer on the other."""
        if word not in _SIZE.findall(row):
            return ""
        one, two = self._declared(word, ours), self._declared(word, theirs)
        same = len(one) == len(two) == 1 and (one[0].sort, one[0].name) == (two[0].sort, two[0].name)
        if same and one[0].arrays != two[0].arrays:
            return f"{word.decode()} is {one[0]} in the target, and {two[0]} upstream"
        return ""

    def _declared(self, word: bytes, text: bytes) -> list[_Declared]:
        if text not in self._plain:
            self._plain[text] = _plain(text)
        return _declared(word, self._plain[text])

    def _differ(self, here: _Declared, there: _Declared) -> bool:
        """Whether the same words about the two mean something else."""
        sorts = {here.sort, there.sort}
        if len(sorts) == 1 and (here.name == there.name or b"number" in sorts):
            return here.depth != there.depth
        if sorts & {b"typedef", b"void"} or sorts == {b"number", b"enum"}:
            plain = any(one.sort == b"number" and not one.depth for one in (here, there))
            return plain and bool(here.depth) != bool(there.depth)
        if b"number" in sorts:
            return not here.arrays and not there.arrays
        return self._known(there)

    def _known(self, there: _Declared) -> bool:
        """Whether the target's file speaks of a tag of upstream's: else its own may be the older name of that."""
        text = self._landed.ours
        return there.name in text and bool(re.search(rb"\b%b\s+%b\b" % (there.sort, there.name), text))


def _first(word: bytes, text: bytes) -> bytes | None:
    """The first line that has a word as a variable. Looked for by hand: a pattern for each word is slow to make."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        before = text[max(0, at - 7) : at]
        if before[-1:] not in _PART and text[end : end + 1] not in _PART and not before.endswith(_ELSEWHERE):
            start, stop = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", end)
            return squeezed(text[start : stop if stop >= 0 else len(text)])
        at = text.find(word, end)
    return None


def _plain(text: bytes) -> bytes:
    """A function without comments, directives, qualifiers and whatever stands in parentheses of its body."""
    lines = [row for row in blank(text).split(b"\n") if not row.lstrip().startswith(b"#")]
    plain = _QUALIFIER.sub(b" ", _UNSET.sub(rb"\1", b"\n".join(lines)))
    before, brace, body = plain.partition(b"{")
    inner = before[before.find(b"(") + 1 : before.rfind(b")")]
    return _bare(inner).replace(b",", b";") + b";" + _bare(body) if brace and b"DEFINE" not in before else _bare(body)


def _bare(text: bytes) -> bytes:
    """A text with a blank for each pair of parentheses and what is in it; one without its other stays."""
    open_at: list[int] = []
    pairs: list[tuple[int, int]] = []
    for found in _PARENS.finditer(text):
        if found[0] == b"(":
            open_at.append(found.start())
        elif open_at:
            start = open_at.pop()
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, found.end()))
    ends = (0, *(end for _, end in pairs))
    return b" ".join(text[a:b] for a, b in zip(ends, (*(start for start, _ in pairs), len(text)), strict=True))


def _declared(word: bytes, plain: bytes) -> list[_Declared]:
    """What a plain function declares a word as: once, mostly; not at all where it is no local of it."""
    found: list[_Declared] = []
    for statement in re.split(rb"[;{}]", plain):
        kind = _TYPE.match(statement) if word in statement else None
        if kind is None or kind[5] in _KEYWORDS:
            continue
        sort = kind[1] or (b"number" if kind[3] else kind[4] or b"typedef")
        name = kind[2] or squeezed(kind[3] or kind[4] or kind[5])
        for part in statement[kind.end() :].split(b","):
            told = _DECLARATOR.fullmatch(part.strip())
            if told and told[2] == word:
                found.append(_Declared(sort, name, told[1].count(b"*"), told[3].count(b"[")))
    return found

"""How a declaration is called and what it gives back, in a form that two versions can be compared in.

Names of parameters, storage, annotations and `const` do not count: they break no caller. What a typedef stands for is not
looked up, so a type that is spelled otherwise is only ever "other", never wrong by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backport.csource.mask import without_annotations
from backport.csource.outline import Declaration
from backport.csource.parse import parse_function

_STORAGE = re.compile(rb"\b(?:extern|static|__inline__|__inline|inline|register|asmlinkage|const|volatile|__\w+)\b")
_TAG = re.compile(rb"\b(?:struct|union)\s+(\w+)")
_PARAMETERS = re.compile(rb"#\s*define\s+\w+\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type as far as a caller notices: how many `*` it ends in, the tag of its struct or empty, and its words."""

    stars: int
    tag: bytes
    words: bytes

    @property
    def void(self) -> bool:
        """Whether there is no value at all."""
        return self.words == b"void" and not self.stars

    def clashes(self, other: Kind) -> bool:
        """Whether gcc warns where one is given for the other: pointers to different structs, a pointer and a number."""
        if b"void" in (self.words, other.words) and self.stars and other.stars:
            return False
        if bool(self.stars) != bool(other.stars):
            return b"_t" not in self.words + other.words  # a typedef may hide either
        return bool(self.stars) and bool(self.tag) and bool(other.tag) and (self.stars, self.tag) != (other.stars, other.tag)


@dataclass(frozen=True, slots=True)
class Shape:
    """A function's return type and parameters. `variadic`: more arguments may follow."""

    returns: Kind
    params: tuple[Kind, ...]
    variadic: bool


def shape(declaration: Declaration) -> Shape | None:
    """The shape of a function or prototype, by its head; None where the head is cut off or cannot be read."""
    head = without_annotations(declaration.signature).strip()
    if declaration.kind not in ("function", "prototype") or not head.endswith(b")"):
        return None
    source = parse_function(head + b";", 0, len(head) + 1, 1)
    function = next((f for f in source.prototypes if f.name == declaration.name), None)
    if function is None or source.errors:
        return None
    return Shape(kind(function.returns), tuple(kind(p.type) for p in function.params), function.variadic)


def kind(spelled: bytes) -> Kind:
    """A type as it is written, without the name that it is given to."""
    words = _STORAGE.sub(b" ", spelled)
    stars = words.count(b"*") + words.count(b"[")
    tag = _TAG.search(words)
    return Kind(stars, tag.group(1) if tag else b"", b" ".join(re.sub(rb"[*\[\]()]", b" ", words).split()))


def macro_parameters(declaration: Declaration) -> tuple[int, bool] | None:
    """How many named parameters a function-like macro has before its `...`, and whether it has one; None for any other macro."""
    match = _PARAMETERS.match(declaration.signature) if declaration.kind == "macro" else None
    if match is None:
        return None
    names = [name.strip() for name in match.group(1).split(b",") if name.strip()]
    variadic = bool(names) and names[-1].endswith(b"...")
    return len(names) - variadic, variadic


def macro_value(declaration: Declaration) -> bytes | None:
    """What an object-like macro stands for; None for any other declaration and where the text is cut off."""
    if declaration.kind != "macro" or _PARAMETERS.match(declaration.signature) or len(declaration.signature) > 230:
        return None
    text = re.sub(rb"/\*.*?(?:\*/|$)|//.*", b" ", declaration.signature)
    return b" ".join(text.split(None, 2)[2:]).strip() if len(text.split(None, 2)) > 2 else b""

"""What a full reading of one C file gives: plain frozen data, byte offsets into the original text and 1-based lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: bytes start..end (end excluded), lines first..last (both included)."""

    start: int
    end: int
    first: int
    last: int

    def holds(self, line: int) -> bool:
        """Whether a 1-based line is within."""
        return self.first <= line <= self.last


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its name (empty in a prototype that gives none) and its type as written, name and annotations left out."""

    name: bytes
    type: bytes


@dataclass(frozen=True, slots=True)
class Local:
    """A name that lives in a function: kind "parameter", "local", "label", or the kind of a type declared in there."""

    name: bytes
    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function definition, or a prototype (`body` None). `made_by` names the macro that it is written with: SYSCALL_DEFINE3.

    `broken` is true where the parser met something in it that it does not know: `locals` may then lack names.
    """

    name: bytes
    returns: bytes
    params: tuple[Param, ...]
    variadic: bool
    static: bool
    inline: bool
    span: Span
    body: Span | None
    made_by: bytes = b""
    broken: bool = False
    locals: tuple[Local, ...] = ()


@dataclass(frozen=True, slots=True)
class Macro:
    """A #define. `params` is None for an object-like one; `body` is as written, comments left out, on one line."""

    name: bytes
    params: tuple[bytes, ...] | None
    body: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct or union; those of nested and anonymous ones are listed with the outermost. `bits` is -1 for none.

    `path` names the members that lead to it, itself last: (b"u", b"list") for `struct { union { ... list; } u; }`.
    """

    name: bytes
    type: bytes
    bits: int
    path: tuple[bytes, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Type:
    """A struct, union or enum with a body. `name` is its tag, or the name of the typedef of an untagged one, or empty."""

    kind: str
    name: bytes
    members: tuple[Member, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Constant:
    """An enumerator, the tag of its enum, its value as written (empty: one more than the one before)."""

    name: bytes
    enum: bytes
    value: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable at file scope; `storage` is "static", "extern" or empty."""

    name: bytes
    type: bytes
    storage: str
    line: int


@dataclass(frozen=True, slots=True)
class Typedef:
    """A typedef's name and what it stands for, as written."""

    name: bytes
    type: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Made:
    """A macro call at file scope that may declare its plain arguments: `DEFINE_MUTEX(lock)`, `module_param(x, int, 0)`."""

    macro: bytes
    arguments: tuple[bytes, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file, read in full. `errors` are the pieces that could not be parsed: what is in them is not known."""

    functions: tuple[Function, ...]
    prototypes: tuple[Function, ...]
    macros: tuple[Macro, ...]
    types: tuple[Type, ...]
    typedefs: tuple[Typedef, ...]
    constants: tuple[Constant, ...]
    variables: tuple[Variable, ...]
    made: tuple[Made, ...]
    errors: tuple[Span, ...]

    def function(self, name: bytes) -> Function | None:
        """The definition of a function, the first one where #if has several."""
        return next((f for f in self.functions if f.name == name), None)

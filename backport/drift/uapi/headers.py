"""The headers of one tree as a program includes them: found, read once, and asked for names, values and sizes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from backport.csource.closure import architecture
from backport.csource.outline import Include, includes
from backport.drift.uapi import constants, ioctl, layout, structs
from backport.drift.uapi.constants import Constant
from backport.drift.uapi.expression import Names, Number, Token, UnknownError, evaluate, evaluate_tokens, split, tokens
from backport.drift.uapi.structs import Alias, Struct
from backport.drift.uapi.view import View, view
from backport.git.trees import Trees

_FAR = 80  # headers that one question may open; the closure of linux/videodev2.h has 30
_STEPS = 500  # macro calls that one value may take
_IDENTITY = {b"_AC", b"__AC", b"UL", b"_UL", b"ULL", b"_ULL", b"__UL", b"_U", b"__constant_htons", b"__constant_htonl"}
_BITS = {b"BIT", b"_BITUL", b"_BITULL", b"BIT_ULL", b"_BIT"}


class Header:
    """One file, read when somebody asks. `arch` is whose `asm/` it includes."""

    def __init__(self, path: bytes, text: bytes, arch: bytes, *, kernel: bool = False) -> None:
        self.path = path
        self.arch = arch
        self.text = text
        self._kernel = kernel

    @cached_property
    def seen(self) -> View:
        """What a program sees of it."""
        return view(self.text, kernel=self._kernel)

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """Its #include lines that a program's compiler reads."""
        return includes(self.seen.text)

    @cached_property
    def constants(self) -> tuple[Constant, ...]:
        """Its #defines and enumerators."""
        return constants.read(self.seen)

    @cached_property
    def by_name(self) -> dict[bytes, Constant]:
        """The first definition of each name."""
        found: dict[bytes, Constant] = {}
        for constant in self.constants:
            found.setdefault(constant.name, constant)
        return found

    @cached_property
    def types(self) -> tuple[dict[tuple[bytes, bytes], Struct], dict[bytes, Alias | Struct], tuple[Struct, ...]]:
        """Structs by kind and tag; typedefs by name; all structs in their order."""
        found, aliases = structs.read(self.seen)
        tags = {(s.kind.encode(), s.name): s for s in reversed(found)}
        return tags, {**{s.name: s for s in reversed(found)}, **{a.name: a for a in aliases}}, found


@dataclass(slots=True)
class Used:
    """Whether an answer leaned on other files than the one that was asked about."""

    elsewhere: bool = False


class Headers:
    """The headers of one tree. Reads nothing before it is asked."""

    def __init__(self, tree: str, trees: Trees, *, kernel: bool = False) -> None:
        self._tree = tree
        self._trees = trees
        self._kernel = kernel
        self._read: dict[tuple[bytes, bytes], Header | None] = {}

    def header(self, path: bytes, arch: bytes = b"") -> Header | None:
        """The header at a path, None where there is none."""
        arch = architecture(path) or arch or b"x86"
        if (path, arch) not in self._read:
            text = self._trees.read(self._tree, path)
            self._read[path, arch] = Header(path, text, arch, kernel=self._kernel) if text is not None else None
        return self._read[path, arch]

    def reach(self, start: Header) -> Iterator[Header]:
        """The header itself and those that it includes, near ones first; at most a few dozen."""
        pending, seen = [start], {start.path}
        for _ in range(_FAR):
            if not pending:
                return
            here = pending.pop(0)
            yield here
            for include in here.includes:
                for path in self._candidates(here, include.path, system=include.system):
                    if path not in seen and (found := self.header(path, start.arch)) is not None:
                        seen.add(path)
                        pending.append(found)
                        break

    def _candidates(self, here: Header, name: bytes, *, system: bool) -> Iterator[bytes]:
        folder = posixpath.dirname(here.path)
        if not system:
            yield posixpath.normpath(folder + b"/" + name)
        if name.startswith(b"asm/"):
            rest = name[4:]
            yield b"arch/" + here.arch + b"/include/uapi/asm/" + rest
            yield b"arch/" + here.arch + b"/include/asm/" + rest
            yield b"include/asm-" + here.arch + b"/" + rest
            yield b"include/uapi/asm-generic/" + rest
            yield b"include/asm-generic/" + rest
        yield b"include/uapi/" + name
        yield b"include/" + name


class Scope(Names):
    """The names that a header knows, for expressions and layouts: its own only, where `headers` is None.

    `used.elsewhere` is set where another file was needed.
    """

    def __init__(
        self, header: Header, headers: Headers | None, model: layout.Model = layout.LP64, used: Used | None = None
    ) -> None:
        self._header = header
        self._headers = headers
        self._model = model
        self.used = used or Used()
        self.layouts: dict[bytes, tuple[int, int] | None] = {}
        self._values: dict[bytes, Number | None] = {}
        self._open: set[bytes] = set()
        self._steps = 0

    def name(self, name: bytes, depth: int) -> Number:
        """The value of a constant of this header or of one that it includes."""
        if name not in self._values:
            self._values[name] = None  # while it is worked out, and where that fails
            constant = self._constant(name)
            if constant.params is not None or name in self._open:
                raise UnknownError(name)
            self._values[name] = self.value(constant, depth)
        found = self._values[name]
        if found is None:
            raise UnknownError(name)
        return found

    def value(self, constant: Constant, depth: int = 0) -> Number:
        """What a constant comes to; UnknownError where that cannot be said."""
        self._steps = self._steps + 1 if depth else 0
        if constant.unsure or not (constant.text or constant.enum >= 0):
            raise UnknownError(constant.name)
        self._open.add(constant.name)
        try:
            if constant.text:
                return evaluate(constant.text, self, depth + 1)
            start = self.name(constant.after, depth + 1).value if constant.after else 0
            return Number(start + constant.step)
        finally:
            self._open.discard(constant.name)

    def call(self, name: bytes, arguments: Sequence[Sequence[Token]], depth: int) -> Number:
        """A macro with arguments: the ones that everybody knows, ioctl encodings, sizeof, and those of the headers."""
        self._steps += 1
        if self._steps > _STEPS:
            raise UnknownError(name)
        if name == b"sizeof":
            return Number(self.sizeof(arguments[0]), 64)
        if name in _IDENTITY:
            return evaluate_tokens(arguments[0], self, depth)
        if name in _BITS:
            return evaluate_tokens(
                [Token("number", b"1", Number(1, 64)), Token("mark", b"<<"), *_grouped(arguments[0])], self, depth
            )
        if name in ioctl.MACROS:
            return Number(self._ioctl(name, arguments, depth), 32)
        constant = self._constant(name)
        if constant.params is None or len(constant.params) != len(arguments) or name in self._open:
            raise UnknownError(name)
        given = {param: _grouped(argument) for param, argument in zip(constant.params, arguments, strict=True)}
        pieces = [given.get(token.text, [token]) if token.kind == "name" else [token] for token in tokens(constant.text)]
        replaced = [token for piece in pieces for token in piece]
        if len(replaced) > 2000:
            raise UnknownError(name)
        self._open.add(name)
        try:
            return evaluate_tokens(replaced, self, depth + 1)
        finally:
            self._open.discard(name)

    def ioctl_parts(self, constant: Constant) -> tuple[bytes, tuple[int, int]] | None:
        """For `#define X _IOW('k', 3, int)`: the macro and (type, number); None for anything else."""
        try:
            pieces = tokens(constant.text)
            if len(pieces) < 4 or pieces[0].text not in ioctl.MACROS or pieces[1].text != b"(":
                return None
            arguments = list(split(pieces[2:-1]))
            if len(arguments) < 2:
                return None
            values = [evaluate_tokens(each, self).value for each in arguments[:2]]
        except UnknownError:
            return None
        return pieces[0].text, (values[0], values[1])

    def _ioctl(self, name: bytes, arguments: Sequence[Sequence[Token]], depth: int) -> int:
        sized = name not in (b"_IO", b"_IOC")
        if len(arguments) != {b"_IO": 2, b"_IOC": 4}.get(name, 3):
            raise UnknownError(name)
        if name == b"_IOC":
            kind, number, size = (evaluate_tokens(each, self, depth).value for each in arguments[1:])
            return ioctl.encode(self._direction(arguments[0], depth), kind, number, size)
        kind, number = (evaluate_tokens(each, self, depth).value for each in arguments[:2])
        return ioctl.encode(ioctl.MACROS[name], kind, number, self.sizeof(arguments[2]) if sized else 0)

    def _direction(self, argument: Sequence[Token], depth: int) -> int:
        replaced = [
            Token("number", t.text, Number(ioctl.DIRECTIONS[t.text])) if t.text in ioctl.DIRECTIONS else t for t in argument
        ]
        return evaluate_tokens(replaced, self, depth).value

    def sizeof(self, argument: Sequence[Token]) -> int:
        """The size of a type as it stands in a call: `struct x`, `char[16]`, `int *`."""
        words = [t.text for t in argument if t.kind == "name" and t.text not in (b"const", b"volatile", b"__user")]
        marks = [t.text for t in argument if t.kind == "mark"]
        size, _ = layout.size_of(b" ".join(words), b"*" in marks, self, self._model)
        if b"[" in marks:
            opening = next(i for i, t in enumerate(argument) if t.text == b"[")
            words = [t.text for t in argument[:opening] if t.kind == "name"]
            size, _ = layout.size_of(b" ".join(words), b"*" in marks, self, self._model)
            size *= evaluate_tokens(argument[opening + 1 : -1], self).value
        return size

    def struct(self, kind: bytes, name: bytes) -> Struct:
        """A struct or union by its tag."""
        for header in self._reach():
            if found := header.types[0].get((kind, name)):
                return found
        raise UnknownError(kind + b" " + name)

    def alias(self, name: bytes) -> Alias | Struct:
        """A typedef."""
        for header in self._reach():
            if found := header.types[1].get(name):
                return found
        raise UnknownError(name)

    def number(self, text: bytes) -> int:
        """The value of an expression in a declaration."""
        return evaluate(text, self).value

    def lay_out(self, struct: Struct, model: layout.Model) -> layout.Layout:
        """A struct of this header, in a data model."""
        return layout.lay_out(struct, Scope(self._header, self._headers, model, self.used), model)

    def _constant(self, name: bytes) -> Constant:
        for header in self._reach():
            if found := header.by_name.get(name):
                return found
        raise UnknownError(name)

    def _reach(self) -> Iterator[Header]:
        yield self._header
        if self._headers is None:
            return
        self.used.elsewhere = True
        reached = self._headers.reach(self._header)
        next(reached, None)
        yield from reached


def _grouped(argument: Sequence[Token]) -> list[Token]:
    """An argument in parentheses, so that what it is put into cannot tear it apart; a lone word stays bare, it may be a type."""
    if len(argument) == 1:
        return list(argument)
    if argument and argument[0].kind == "name" and all(token.kind == "name" or token.text in b"*[]" for token in argument):
        return list(argument)
    return [Token("mark", b"("), *argument, Token("mark", b")")]

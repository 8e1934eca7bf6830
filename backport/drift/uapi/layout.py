"""Sizes and offsets of structs, by the rules of the two kinds of ABI that Fedora builds kernels for.

LP64 (x86-64, ppc64, aarch64, s390x, ia64), and ILP32 as i386 has it, which aligns 64-bit members to 4 bytes where other 32-bit
architectures take 8. What depends on a type that is not found is "not computed", never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from backport.drift.uapi.expression import UnknownError
from backport.drift.uapi.structs import Alias, Member, Struct

_DEEP = 25
_BIG = 1 << 24


@dataclass(frozen=True, slots=True)
class Model:
    """A data model: its name, the size of a long and of a pointer, the largest alignment of a 64-bit integer."""

    name: str
    long: int
    wide: int


LP64 = Model("LP64", 8, 8)
ILP32 = Model("ILP32", 4, 4)
_FIXED = {
    b"char": 1, b"__u8": 1, b"__s8": 1, b"u8": 1, b"s8": 1, b"uint8_t": 1, b"int8_t": 1, b"u_char": 1, b"u_int8_t": 1,
    b"_Bool": 1,
    b"short": 2, b"__u16": 2, b"__s16": 2, b"u16": 2, b"s16": 2, b"uint16_t": 2, b"int16_t": 2, b"__le16": 2, b"__be16": 2,
    b"u_short": 2, b"u_int16_t": 2, b"__sum16": 2, b"umode_t": 2, b"sa_family_t": 2, b"__kernel_sa_family_t": 2,
    b"int": 4, b"__u32": 4, b"__s32": 4, b"u32": 4, b"s32": 4, b"uint32_t": 4, b"int32_t": 4, b"__le32": 4, b"__be32": 4,
    b"float": 4,
    b"u_int": 4, b"u_int32_t": 4, b"__wsum": 4, b"__kernel_pid_t": 4, b"pid_t": 4, b"uid_t": 4, b"gid_t": 4,
    b"__kernel_uid32_t": 4,
    b"__kernel_gid32_t": 4, b"__kernel_timer_t": 4, b"__kernel_clockid_t": 4, b"clockid_t": 4, b"__kernel_key_t": 4, b"enum": 4,
    b"__u64": 8, b"__s64": 8, b"u64": 8, b"s64": 8, b"uint64_t": 8, b"int64_t": 8, b"__le64": 8, b"__be64": 8, b"double": 8,
    b"loff_t": 8, b"__kernel_loff_t": 8, b"u_int64_t": 8, b"__aligned_u64": 8,
}  # fmt: skip
_LONG = frozenset(
    b"size_t ssize_t __kernel_size_t __kernel_ssize_t __kernel_time_t time_t __kernel_suseconds_t suseconds_t __kernel_off_t "
    b"off_t "
    b"__kernel_clock_t clock_t __kernel_ptrdiff_t uintptr_t __kernel_long_t __kernel_ulong_t u_long".split()
)
_BY_ARCHITECTURE = frozenset(
    b"__kernel_uid_t __kernel_gid_t __kernel_mode_t __kernel_nlink_t __kernel_ino_t __kernel_ipc_pid_t __kernel_old_dev_t "
    b"__kernel_old_uid_t __kernel_old_gid_t".split()
)


class Types(Protocol):
    """Where the names in a struct are looked up; UnknownError for what is not found.

    `layouts` keeps size and alignment by type for one data model (None: not known), so that none is worked out twice.
    """

    layouts: dict[bytes, tuple[int, int] | None]

    def struct(self, kind: bytes, name: bytes) -> Struct:
        """A struct or union by its tag."""

    def alias(self, name: bytes) -> Alias | Struct:
        """A typedef."""

    def number(self, text: bytes) -> int:
        """The value of an expression: a dimension, a width."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member with its offset and size in bytes; a bit-field's are in bits behind `bit`, -1 for none."""

    name: bytes
    offset: int
    size: int
    bit: int = -1


@dataclass(frozen=True, slots=True)
class Layout:
    """A struct in memory."""

    size: int
    align: int
    places: tuple[Place, ...]


def lay_out(struct: Struct, types: Types, model: Model, deep: int = 0) -> Layout:
    """Size, alignment and offsets; UnknownError where a part is not known."""
    if struct.opaque or deep > _DEEP:
        raise UnknownError(struct.name or b"(a nested struct)")
    if struct.obstacle:
        raise UnknownError(struct.obstacle)
    packer = _Packer(struct, model)
    for member in struct.members:
        size, align = _size(member, types, model, deep)
        if member.aligned:
            align = max(align, types.number(member.aligned))
        if member.bits:
            packer.bits(member.name, size, align, types.number(member.bits))
        else:
            packer.put(member.name, size, align)
    forced = types.number(struct.aligned) if struct.aligned else 1
    return packer.done(forced)


def size_of(type_: bytes, pointer: bool, types: Types, model: Model, deep: int = 0) -> tuple[int, int]:
    """Size and alignment of a type given in words."""
    if pointer:
        return model.long, model.long
    if type_ not in types.layouts:
        types.layouts[type_] = None
        types.layouts[type_] = _size_of(type_, types, model, deep)
    known = types.layouts[type_]
    if known is None:
        raise UnknownError(type_)
    return known


def _size_of(type_: bytes, types: Types, model: Model, deep: int) -> tuple[int, int]:
    words = type_.split()
    if len(words) == 2 and words[0] in (b"struct", b"union"):
        found = lay_out(types.struct(words[0], words[1]), types, model, deep + 1)
        return found.size, found.align
    size = _scalar(words, model)
    if size:
        return size, min(size, model.wide) if words != [b"__aligned_u64"] else 8
    if len(words) != 1 or deep > _DEEP or words[0] in _BY_ARCHITECTURE:
        raise UnknownError(type_)
    meant = types.alias(words[0])
    if isinstance(meant, Struct):
        found = lay_out(meant, types, model, deep + 1)
        return found.size, found.align
    size, align = size_of(meant.type, meant.pointer, types, model, deep + 1)
    return size * _times(meant.dimensions, types), align


def describe(struct: Struct, compute: Callable[[Model], Layout]) -> str:
    """Size and offsets in both models, on one line; what cannot be computed is said to be so, with the name that is missing."""
    members = " ".join(_told(member) for member in struct.members)
    sizes = []
    for model in (LP64, ILP32):
        try:
            found = compute(model)
        except UnknownError as error:
            missing = error.args[0] if error.args else b""
            name = missing.decode("latin-1") if isinstance(missing, bytes) else str(missing)
            return f"size not computed ({name}); {members}"
        offsets = ",".join(f"{p.offset}" if p.bit < 0 else f"{p.offset}.{p.bit}" for p in found.places)
        sizes.append((model.name, found.size, offsets))
    if sizes[0][1:] == sizes[1][1:]:
        return f"size {sizes[0][1]} at {sizes[0][2]}; {members}"
    return "; ".join([*(f"{name} size {size} at {offsets}" for name, size, offsets in sizes), members])


def _told(member: Member) -> str:
    words = member.inner.kind.encode() if member.inner is not None else member.type
    inner = " { " + " ".join(_told(each) for each in member.inner.members) + " }" if member.inner is not None else ""
    tail = (b"".join(b"[" + each + b"]" for each in member.dimensions) + (b":" + member.bits if member.bits else b"")).decode(
        "latin-1"
    )
    star = "*" if member.pointer else ""
    return f"{words.decode('latin-1')}{inner} {star}{member.name.decode('latin-1')}{tail};".replace(" ;", ";")


def _size(member: Member, types: Types, model: Model, deep: int) -> tuple[int, int]:
    if member.inner is not None and not member.pointer:
        found = lay_out(member.inner, types, model, deep + 1)
        size, align = found.size, found.align
    else:
        size, align = size_of(member.type, member.pointer, types, model, deep)
    return size * _times(member.dimensions, types), align


def _times(dimensions: tuple[bytes, ...], types: Types) -> int:
    total = 1
    for text in dimensions:
        count = types.number(text) if text else 0
        if not 0 <= count <= _BIG or total * count > _BIG:
            raise UnknownError(text)
        total *= count
    return total


def _scalar(words: list[bytes], model: Model) -> int:
    """The size of a plain type, 0 where it is none of C's or of the kernel's fixed ones."""
    plain = [word for word in words if word not in (b"unsigned", b"signed", b"__signed__")]
    if plain == [] and words:
        return 4
    if plain[:1] == [b"enum"]:
        return 4
    if b"double" in plain and b"long" in plain:
        return 0
    if plain.count(b"long") == 2:
        return 8
    if b"long" in plain or (len(plain) == 1 and plain[0] in _LONG):
        return model.long
    if b"short" in plain:
        return 2
    return _FIXED.get(plain[0], 0) if len(plain) == 1 else 0


class _Packer:
    """Puts members one behind the other, as the System V ABIs do."""

    def __init__(self, struct: Struct, model: Model) -> None:
        self._union = struct.kind == "union"
        self._packed = struct.packed
        self._model = model
        self._bit = 0  # where the next member may begin
        self._end = 0  # bits, of the widest member of a union
        self._align = 1
        self._places: list[Place] = []

    def put(self, name: bytes, size: int, align: int) -> None:
        """A member of whole bytes."""
        align = 1 if self._packed else align
        if not 0 < align <= 4096:
            raise UnknownError(name)
        at = 0 if self._union else -(-self._bit // (8 * align)) * align
        self._places.append(Place(name, at, size))
        self._bit = (at + size) * 8
        self._finish(align)

    def bits(self, name: bytes, size: int, align: int, width: int) -> None:
        """A bit-field: it may not cross a unit of its type, unless the struct is packed; one of no width ends the unit."""
        unit = size * 8
        if not 0 <= width <= unit:
            raise UnknownError(name)
        at = 0 if self._union else self._bit
        if width == 0 or (not self._packed and at // unit != (at + width - 1) // unit):
            at = -(-at // unit) * unit
        if name:
            self._places.append(Place(name, at // 8, width, at % 8))
        self._bit = at + width
        self._finish(1 if self._packed or not name else align)

    def _finish(self, align: int) -> None:
        self._end = max(self._end, self._bit)
        self._align = max(self._align, align)

    def done(self, forced: int) -> Layout:
        """The whole: padded to its alignment."""
        align = max(self._align, forced)
        size = -(-self._end // 8)
        return Layout(-(-size // align) * align, align, tuple(self._places))

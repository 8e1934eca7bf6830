"""What an exported header declares to programs, as items: constants, ioctl numbers, structs."""

from __future__ import annotations

from collections.abc import Iterator

from backport.csource.closure import architecture
from backport.drift.uapi.constants import Constant, simple
from backport.drift.uapi.expression import UnknownError
from backport.drift.uapi.headers import Header, Headers, Scope, Used
from backport.drift.uapi.ioctl import MACROS
from backport.drift.uapi.items import Item, Kind
from backport.drift.uapi.layout import LP64, describe
from backport.drift.uapi.structs import Struct


def read(header: Header, headers: Headers, name: bytes, used: Used) -> Iterator[Item]:
    """Every constant and struct of a header that programs include as `name`; `used` tells whether other files had a say."""
    scope = scope_of(header.path, name)
    names = Scope(header, headers, LP64, used)
    grouped: dict[bytes, list[Constant]] = {}
    for constant in simple(header.constants):
        grouped.setdefault(constant.name, []).append(constant)
    for found in grouped.values():
        yield _constant(found, header, scope, names)
    by_tag: dict[tuple[str, bytes], list[Struct]] = {}
    for struct in header.types[2]:
        by_tag.setdefault((struct.kind, struct.name), []).append(struct)
    for variants in by_tag.values():
        yield _struct(variants, header, scope, names)


def scope_of(path: bytes, name: bytes) -> str:
    """A header as programs know it, and the architecture whose it is: `asm/mman.h on parisc`."""
    said = name.decode("utf-8", "backslashreplace")
    arch = architecture(path)
    return f"{said} on {arch.decode('utf-8', 'backslashreplace')}" if arch else said


def places(scope: str) -> Iterator[bytes]:
    """The paths at which a header that programs know by this name may stand, in trees of any age."""
    name, _, arch = scope.partition(" on ")
    if name.endswith(".h"):
        for folder in (f"arch/{arch}/include/uapi/", f"arch/{arch}/include/") if arch else ("include/uapi/", "include/"):
            yield (folder + name).encode("utf-8", "surrogateescape")


def value_of(constant: Constant, names: Scope) -> str:
    """A constant's value in decimal; where it cannot be worked out, its text, or what it comes after."""
    try:
        return str(names.value(constant).value)
    except UnknownError:
        if constant.text:
            return constant.text.decode("utf-8", "backslashreplace")
        return (
            f"{constant.step} after {constant.after.decode('latin-1')}"
            if constant.after
            else f"number {constant.step} of its enum"
        )


def _constant(found: list[Constant], header: Header, scope: str, names: Scope) -> Item:
    first = found[0]
    value = " | ".join(dict.fromkeys(value_of(each, names) for each in found))
    notes = [first.text.decode("utf-8", "backslashreplace")] if first.text and first.text.decode("latin-1") != value else []
    if len(found) == 1 and first.condition:
        notes.append(f"if {first.condition.decode('utf-8', 'backslashreplace')}")
    if first.enum >= 0:
        notes.append(f"enum {first.tag.decode('latin-1')}".rstrip())
    return Item(_kind(first, scope), first.name.decode("latin-1"), scope, value, header.path, first.line, ", ".join(notes))


def _kind(constant: Constant, scope: str) -> Kind:
    if constant.name.startswith(b"MADV_"):
        return Kind.MADVISE
    if constant.name.startswith(b"PR_") and scope == "linux/prctl.h":
        return Kind.PRCTL
    macro, call, _ = constant.text.partition(b"(")
    return Kind.IOCTL if call and macro.strip() in MACROS else Kind.CONSTANT


def _struct(variants: list[Struct], header: Header, scope: str, names: Scope) -> Item:
    first = variants[0]
    told = []
    for struct in variants:
        if struct.opaque:
            told.append("members not understood, size not computed")
        else:
            told.append(describe(struct, lambda model, struct=struct: names.lay_out(struct, model)))  # type: ignore[misc]
    name = f"{first.kind} {first.name.decode('latin-1')}"
    note = f"if {first.condition.decode('utf-8', 'backslashreplace')}" if first.condition else ""
    return Item(Kind.STRUCT, name, scope, " | ".join(dict.fromkeys(told)), header.path, first.line, note)

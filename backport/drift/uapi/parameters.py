"""Module parameters and boot parameters that a C file takes.

A module's name is taken to be that of the file, which is wrong for modules made of several files (`scsi_mod`, from scsi_scan.c).
"""

from __future__ import annotations

from collections.abc import Iterator

from backport.drift.uapi.calls import Call, Code, string
from backport.drift.uapi.items import Item, Kind
from backport.drift.uapi.modes import mode

INTEREST = (b"module_param", b"core_param", b"__setup", b"early_param")
_MODULE = {  # name, type, permissions: which arguments (-1: none)
    b"module_param": (0, 1, 2), b"module_param_named": (0, 2, 3), b"module_param_array": (0, 1, 3),
    b"module_param_array_named": (0, 2, 4), b"module_param_string": (0, -1, 3), b"module_param_call": (0, -1, 4),
    b"module_param_cb": (0, -1, 3), b"module_param_unsafe": (0, 1, 2), b"module_param_named_unsafe": (0, 2, 3),
    b"core_param": (0, 2, 3),
}  # fmt: skip
_BOOT = (b"__setup", b"early_param", b"__setup_param")
_NAMES = frozenset((*_MODULE, *_BOOT))


def read(path: bytes, code: Code) -> Iterator[Item]:
    """Every parameter, by name."""
    for call in code.calls(_NAMES, code.segments(_NAMES)):
        if call.name in code.own_macros or not call.arguments:
            continue
        if call.name in _BOOT:
            name = string(call.arguments[0])
            if name is not None:
                yield Item(Kind.BOOT_PARAMETER, name.decode("latin-1"), "", "taken", path, call.line, call.name.decode())
        else:
            yield from _module(path, call)


def _module(path: bytes, call: Call) -> Iterator[Item]:
    name_at, type_at, mode_at = _MODULE[call.name]
    if len(call.arguments) <= max(name_at, type_at, mode_at):
        return
    name, permission = call.arguments[name_at].decode("latin-1"), mode(call.arguments[mode_at])
    kind = call.arguments[type_at].decode("latin-1") if type_at >= 0 else "string" if b"string" in call.name else "by function"
    if call.name == b"core_param":
        yield Item(Kind.BOOT_PARAMETER, name + "=", "", f"{kind} {permission}", path, call.line, "core_param")
        return
    array = "array of " if b"array" in call.name else ""
    yield Item(
        Kind.MODULE_PARAMETER, name, path.decode("utf-8", "backslashreplace"), f"{array}{kind} {permission}", path, call.line
    )

"""Files below /sys that a C file makes, with their permissions: attribute macros, arrays of them, groups, and their folders.

Read by pattern, not by following the code. May be wrong where an attribute's folder is made in another file (the attributes of
drivers/base/cpu.c): its name then stands behind `(device)` or `(?)`, and it is told apart by the source file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backport.drift.uapi.calls import Call, Code, Segment, block, string
from backport.drift.uapi.items import Item, Kind
from backport.drift.uapi.modes import mode

_READ_WRITE = {b"_RO": b"0444", b"_RW": b"0644", b"_WO": b"0200"}
_PREFIX = {
    b"DEVICE_ATTR": b"dev_attr_", b"DRIVER_ATTR": b"driver_attr_", b"BUS_ATTR": b"bus_attr_", b"CLASS_ATTR": b"class_attr_",
    b"SENSOR_DEVICE_ATTR": b"sensor_dev_attr_", b"SENSOR_DEVICE_ATTR_2": b"sensor_dev_attr_", b"SYSDEV_ATTR": b"attr_",
    b"SYSDEV_CLASS_ATTR": b"attr_", b"CLASS_DEVICE_ATTR": b"class_device_attr_",
}  # fmt: skip
_MAKERS = frozenset(
    [b"__ATTR_IGNORE_LOCKDEP", *(maker + suffix for maker in (b"__ATTR", *_PREFIX) for suffix in (b"", *_READ_WRITE))]
)
_HANGERS = frozenset(
    b"sysfs_create_group sysfs_create_file sysfs_create_files device_create_file driver_create_file bus_create_file "
    b"class_create_file class_device_create_file sysdev_create_file sysdev_class_create_file".split()
)
_FOLDERS = {
    b"mm_kobj": "/sys/kernel/mm", b"kernel_kobj": "/sys/kernel", b"power_kobj": "/sys/power", b"firmware_kobj": "/sys/firmware",
    b"hypervisor_kobj": "/sys/hypervisor", b"fs_kobj": "/sys/fs", b"block_depr": "/sys/block", b"NULL": "/sys",
}  # fmt: skip
INTEREST = (b"__ATTR", b"DEVICE_ATTR", b"DRIVER_ATTR", b"BUS_ATTR", b"CLASS_ATTR", b"SYSDEV_", b"attribute ")
_STRUCT = re.compile(rb"\bstruct\s+\w*attribute\s+(\w+)\s*=\s*\{")
_ARRAY = re.compile(rb"\bstruct\s+\w*attribute\s*\*\s*(?:const\s+)?(\w+)\s*\[[^\]]*\]\s*=\s*\{")
_GROUP = re.compile(rb"\bstruct\s+attribute_group\s+(\w+)\s*=\s*\{")
_NAME = re.compile(rb"\.\s*name\s*=\s*((?:\"[^\"]*\"\s*)+)")
_MODE = re.compile(rb"\.\s*mode\s*=\s*([^,}]+)")
_ATTRS = re.compile(rb"\.\s*attrs\s*=\s*(\w+)")
_VARIABLE = re.compile(rb"(\w+)\s*=\s*$")
_ELEMENT = re.compile(rb"(\w+)\s*\[[^\]]*\]\s*=\s*\{[^;]*$")


@dataclass(frozen=True, slots=True)
class _Attribute:
    variable: bytes
    name: bytes
    mode: bytes
    line: int


def read(path: bytes, code: Code) -> Iterator[Item]:
    """Every attribute that the file declares, at each place where the file hangs it up."""
    segments = code.segments(_MAKERS)
    attributes = list(_attributes(code, segments))
    places = _places(code)
    for attribute in attributes:
        for folder in places.get(attribute.variable, ["(?)"]):
            name = attribute.name.decode("latin-1").strip('"')
            scope = "" if folder.startswith("/") else path.decode("utf-8", "backslashreplace")
            note = f"declared as {attribute.variable.decode('latin-1')}"
            yield Item(Kind.SYSFS, f"{folder}/{name}", scope, mode(attribute.mode), path, attribute.line, note)


def _attributes(code: Code, segments: list[Segment]) -> Iterator[_Attribute]:
    for call in code.calls(_MAKERS, segments):
        if call.name in code.own_macros:
            continue
        suffix = call.name[-3:] if call.name[-3:] in _READ_WRITE else b""
        base = call.name.removesuffix(suffix)
        if not call.arguments[0] or (not suffix and len(call.arguments) < 2):
            continue
        permission = _READ_WRITE[suffix] if suffix else call.arguments[1]
        variable = _PREFIX[base] + call.arguments[0] if base in _PREFIX else _variable(call)
        yield _Attribute(variable, call.arguments[0], permission, call.line)
    for match in _STRUCT.finditer(code.text):
        body = block(code.text, match.end() - 1)
        name, said = _NAME.search(body), _MODE.search(body)
        if name and said:
            yield _Attribute(match[1], string(name[1]) or b"?", said[1].strip(), code.line(match.start()))


def _variable(call: Call) -> bytes:
    """The variable, or the array, that an initialiser belongs to."""
    before = call.segment.text[max(0, call.start - 2000) : call.start]
    found = _VARIABLE.search(before) or _ELEMENT.search(before)
    return found[1] if found else b""


def _places(code: Code) -> dict[bytes, list[str]]:
    """The folders in which each attribute variable (and array) is made."""
    text = code.text
    folders = _folders(code)
    found: dict[bytes, list[str]] = {}
    arrays = {m[1]: re.findall(rb"&\s*(\w+)", block(text, m.end() - 1)) for m in _ARRAY.finditer(text)}
    groups: dict[bytes, tuple[str, bytes]] = {}
    for match in _GROUP.finditer(text):
        body = block(text, match.end() - 1)
        name, attrs = _NAME.search(body), _ATTRS.search(body)
        said = "/" + (string(name[1]) or b"?").decode("latin-1") if name else ""
        groups[match[1]] = said, attrs[1] if attrs else b""
    hung: set[bytes] = set()
    for call in code.calls(_HANGERS, [Segment(text, 0)]):
        if len(call.arguments) < 2:
            continue
        folder = _folder(call.arguments[0], call.name, folders)
        names = re.findall(rb"\w+", call.arguments[1])
        target = names[0] if names else b""
        within, array = groups.get(target, ("", target))
        hung |= {target, array}
        for variable in arrays.get(array, [target]):
            found.setdefault(variable, []).append(folder + within)
    for group, (within, array) in groups.items():
        for variable in arrays.get(array, []) if group not in hung else ():
            found.setdefault(variable, []).append("(device)" + within)
    return {variable: sorted(set(places)) for variable, places in found.items()}


def _folders(code: Code) -> dict[bytes, str]:
    """The kobjects that the file makes by name, and the well-known ones."""
    known = dict(_FOLDERS)
    for call in code.calls([b"kobject_create_and_add"], [Segment(code.text, 0)]):
        before = _VARIABLE.search(code.text[max(0, call.start - 200) : call.start])
        name = string(call.arguments[0]) if len(call.arguments) == 2 else None
        if before and name is not None:
            known[before[1]] = f"{_folder(call.arguments[1], b'', known)}/{name.decode('latin-1')}"
    return known


def _folder(argument: bytes, maker: bytes, known: Mapping[bytes, str]) -> str:
    plain = argument.strip().lstrip(b"&")
    if plain in known:
        return known[plain]
    return "(device)" if b"kobj" in plain or maker.startswith((b"device_", b"driver_", b"bus_", b"class_", b"sysdev_")) else "(?)"

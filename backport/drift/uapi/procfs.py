"""Files below /proc that a C file makes: entries with their mode, the table of /proc/PID, and sysctl tables.

Read by pattern. May be wrong where the parent folder comes from another file (`proc_create("x", 0, my_dir, ...)`): the name then
stands behind `(?)`; a sysctl table that no table of the same file links to stands behind `/proc/sys/(?)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.drift.uapi.calls import Code, Segment, block, string
from backport.drift.uapi.items import Item, Kind
from backport.drift.uapi.modes import mode

INTEREST = (b"proc_create", b"create_proc_", b"proc_net_fops_create", b"procname", b"REG(")
_MAKERS = {  # name, mode, parent: which arguments
    b"create_proc_entry": (0, 1, 2), b"proc_create": (0, 1, 2), b"proc_create_data": (0, 1, 2),
    b"create_proc_read_entry": (0, 1, 2),
    b"proc_create_seq": (0, 1, 2), b"proc_create_seq_data": (0, 1, 2), b"proc_create_single": (0, 1, 2),
    b"proc_create_single_data": (0, 1, 2), b"proc_net_fops_create": (1, 2, -1), b"proc_create_net": (0, 1, 2),
}  # fmt: skip
_FOLDERS = {
    b"NULL": "/proc", b"0": "/proc", b"proc_net": "/proc/net", b"init_net.proc_net": "/proc/net", b"net->proc_net": "/proc/net",
    b"proc_root_driver": "/proc/driver", b"proc_root_fs": "/proc/fs", b"proc_bus": "/proc/bus", b"&proc_root": "/proc",
    b"net->proc_net_stat": "/proc/net/stat", b"init_net.proc_net_stat": "/proc/net/stat",
}  # fmt: skip
_PID_MAKERS = frozenset((b"REG", b"ONE", b"INF", b"DIR"))
_TABLE = re.compile(rb"\b(?:struct\s+ctl_table|ctl_table)\s+(\w+)\s*\[[^\]]*\]\s*=\s*\{")
_FIELD = re.compile(rb"\.\s*(procname|mode|child)\s*=\s*((?:\"[^\"]*\"|[^,}\"])+)")
_ROOTS = {b"root_table": "/proc/sys", b"sysctl_base_table": "/proc/sys"}


def read(path: bytes, code: Code) -> Iterator[Item]:
    """Every file below /proc that the file makes."""
    yield from _entries(path, code)
    if path == b"fs/proc/base.c":
        yield from _of_processes(path, code)
    if b"procname" in code.text:
        yield from _sysctls(path, code)


def _entries(path: bytes, code: Code) -> Iterator[Item]:
    segments = code.segments(frozenset(_MAKERS))
    folders = dict(_FOLDERS)
    for call in code.calls([b"proc_mkdir"], segments):
        before = re.search(rb"([\w.>-]+)\s*=\s*$", call.segment.text[max(0, call.start - 200) : call.start])
        name = string(call.arguments[0]) if len(call.arguments) == 2 else None
        if before and name is not None:
            folders[before[1]] = f"{folders.get(call.arguments[1], '(?)')}/{name.decode('latin-1')}"
    for call in code.calls(_MAKERS, segments):
        at = _MAKERS[call.name]
        name = string(call.arguments[at[0]]) if len(call.arguments) > max(at) else None
        if name is None or call.name in code.own_macros:
            continue
        folder = "/proc/net" if at[2] < 0 else folders.get(call.arguments[at[2]], "(?)")
        permission = mode(call.arguments[at[1]])
        permission = "0444" if permission == "0000" else permission  # proc_create's own default
        scope = "" if folder.startswith("/") else path.decode("utf-8", "backslashreplace")
        yield Item(
            Kind.PROCFS, f"{folder}/{name.decode('latin-1')}", scope, permission, path, call.line, "made by " + call.name.decode()
        )


def _of_processes(path: bytes, code: Code) -> Iterator[Item]:
    for call in code.calls(_PID_MAKERS, [Segment(code.text, 0)]):
        name = string(call.arguments[0]) if len(call.arguments) > 1 else None
        if name is not None:
            yield Item(Kind.PROCFS, f"/proc/PID/{name.decode('latin-1')}", "", mode(call.arguments[1]), path, call.line)


def _sysctls(path: bytes, code: Code) -> Iterator[Item]:
    tables = {match[1]: (block(code.text, match.end() - 1), match.end()) for match in _TABLE.finditer(code.text)}
    entries = {table: list(_rows(body, start)) for table, (body, start) in tables.items()}
    folders = dict(_ROOTS)
    for _ in range(6):  # as deep as tables link to tables
        for table, rows in entries.items():
            for fields, _offset in rows:
                child, name = fields.get(b"child", b"").lstrip(b"& "), string(fields.get(b"procname", b""))
                if child and name is not None and table in folders:
                    folders.setdefault(child, f"{folders[table]}/{name.decode('latin-1')}")
    for table, rows in entries.items():
        for fields, offset in rows:
            name = string(fields.get(b"procname", b""))
            if name is None or fields.get(b"child"):
                continue
            folder = folders.get(table, "/proc/sys/(?)")
            scope = "" if "(" not in folder else path.decode("utf-8", "backslashreplace")
            note = f"in {table.decode('latin-1')}"
            yield Item(
                Kind.SYSCTL,
                f"{folder}/{name.decode('latin-1')}",
                scope,
                mode(fields.get(b"mode", b"")),
                path,
                code.line(offset),
                note,
            )


def _rows(body: bytes, start: int) -> Iterator[tuple[dict[bytes, bytes], int]]:
    for match in re.finditer(rb"\{", body):
        inner = block(body, match.start())
        if b"{" not in inner:
            fields = {name: value.strip() for name, value in _FIELD.findall(inner)}
            yield fields, start + match.start()

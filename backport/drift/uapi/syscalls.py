"""System calls: those that C files define, and their numbers in the tables of newer kernels.

Numbers of older kernels are `__NR_` constants of exported headers and come with those. System calls that are written as plain
functions (`asmlinkage long sys_...`, architectures' own ones) are not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backport.drift.uapi.calls import Code
from backport.drift.uapi.items import Item, Kind

INTEREST = (b"SYSCALL_DEFINE",)
_DEFINES = frozenset(head + b"%d" % number for head in (b"SYSCALL_DEFINE", b"COMPAT_SYSCALL_DEFINE") for number in range(7))
_ROW = re.compile(rb"^(\d+)[ \t]+(\S+)[ \t]+(\S+)(?:[ \t]+(\S+))?", re.M)


def read(path: bytes, code: Code) -> Iterator[Item]:
    """Every system call that the file defines with the macro; its value is what it takes."""
    for call in code.calls(_DEFINES, code.segments(frozenset())):
        if call.arguments and re.fullmatch(rb"\w+", call.arguments[0]):
            rest = call.arguments[1:]
            takes = ", ".join(b" ".join(pair).decode("latin-1") for pair in zip(rest[::2], rest[1::2], strict=False))
            name = call.arguments[0].decode() + ("" if not call.name.startswith(b"COMPAT") else " (compat)")
            yield Item(Kind.SYSCALL, name, "", f"({takes})", path, call.line)


def is_table(path: bytes) -> bool:
    """Whether a file is a table of numbers: arch/x86/entry/syscalls/syscall_64.tbl, scripts/syscall.tbl."""
    return path.endswith(b".tbl") and b"syscall" in path


def read_table(path: bytes, text: bytes) -> Iterator[Item]:
    """Each row of a table: number, ABI, name."""
    for match in _ROW.finditer(text):
        scope = path.decode("utf-8", "backslashreplace")
        name = f"__NR_{match[3].decode('latin-1')} ({match[2].decode('latin-1')})"
        yield Item(Kind.SYSCALL, name, scope, match[1].decode(), path, text.count(b"\n", 0, match.start()) + 1)

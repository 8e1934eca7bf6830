"""Permissions as kernel code writes them: `0644`, `S_IRUGO | S_IWUSR`, `S_IFREG | 0444`."""

from __future__ import annotations

from backport.drift.uapi.expression import Names, Number, UnknownError, evaluate

_KNOWN = {
    b"S_IRWXU": 0o700, b"S_IRUSR": 0o400, b"S_IWUSR": 0o200, b"S_IXUSR": 0o100, b"S_IRWXG": 0o070, b"S_IRGRP": 0o040,
    b"S_IWGRP": 0o020, b"S_IXGRP": 0o010, b"S_IRWXO": 0o007, b"S_IROTH": 0o004, b"S_IWOTH": 0o002, b"S_IXOTH": 0o001,
    b"S_IRUGO": 0o444, b"S_IWUGO": 0o222, b"S_IXUGO": 0o111, b"S_IRWXUGO": 0o777, b"S_IALLUGO": 0o7777, b"S_IREAD": 0o400,
    b"S_IWRITE": 0o200, b"S_IFREG": 0, b"S_IFDIR": 0, b"SYSFS_PREALLOC": 0, b"S_ISVTX": 0o1000,
}  # fmt: skip


class _Modes(Names):
    def name(self, name: bytes, depth: int) -> Number:
        if name in _KNOWN:
            return Number(_KNOWN[name])
        raise UnknownError(name)


def mode(text: bytes) -> str:
    """Four octal digits, or the text where it cannot be worked out (a driver's own macro)."""
    try:
        return f"{evaluate(text, _Modes()).value & 0o7777:04o}"
    except UnknownError:
        return " ".join(text.decode("latin-1").split()) or "?"

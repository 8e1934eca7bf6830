"""An initramfs of a few files, as the kernel unpacks it: cpio "newc", gzipped, and the same bytes for the same files.

Written here and not by cpio(1), which could not make a device node without being root.
Format: Documentation/early-userspace/buffer-format.txt.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass

_FOLDER, _FILE, _NODE = 0o040755, 0o100755, 0o020600
_CONSOLE = (5, 1)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the archive: a folder, a file, or a character device."""

    path: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def initramfs(init: bytes, files: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """The archive with `/init`, `/dev/console` and some files."""
    items = [Item("dev", _FOLDER), Item("dev/console", _NODE, device=_CONSOLE), Item("init", _FILE, init)]
    items += [Item(path, 0o100644, content) for path, content in files]
    body = b"".join(_entry(number, item) for number, item in enumerate(items, 1)) + _entry(0, Item("TRAILER!!!", 0))
    return gzip.compress(body + bytes(-len(body) % 512), 9, mtime=0)


def _entry(number: int, item: Item) -> bytes:
    name = item.path.encode() + b"\0"
    links = 2 if item.mode == _FOLDER else 1
    major, minor = item.device
    numbers = (number, item.mode, 0, 0, links, 0, len(item.content), 0, 0, major, minor, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in numbers) + name
    return head + bytes(-len(head) % 4) + item.content + bytes(-len(item.content) % 4)

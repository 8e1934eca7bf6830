"""Which headers a tree gives to programs, by that version's own rules.

New trees have `uapi` folders. Older ones list names in Kbuild files (`header-y`, `unifdef-y`, sub-folders with a slash), each
folder by the one above; architectures include a common list. May be wrong where a list depends on `ifneq ($(wildcard ...))`:
both ways are taken, so `linux/kvm.h` counts as exported although the rule says so only on architectures that have KVM.
"""

from __future__ import annotations

import posixpath
import re

from backport.csource.closure import architecture
from backport.git.trees import Trees
from backport.model.series import TREE

_ASSIGN = re.compile(rb"^[ \t]*(?:header|unifdef)-y[ \t]*[:+]?=[ \t]*(.*)$", re.M)
_INCLUDE = re.compile(rb"^[ \t]*include[ \t]+(\S+)", re.M)
_CONTINUED = re.compile(rb"\\\r?\n")


class Exported:
    """The rules of one tree."""

    def __init__(self, tree: str, trees: Trees) -> None:
        self._tree = tree
        self._trees = trees
        self._lists: dict[bytes, frozenset[bytes]] = {}
        entry = trees.entry(tree, b"include/uapi")
        self._uapi = entry is not None and entry.mode == TREE

    @property
    def known(self) -> bool:
        """Whether the tree says at all what it exports."""
        return self._uapi or self._trees.entry(self._tree, b"include/Kbuild") is not None

    def name(self, path: bytes) -> bytes:
        """As what a program includes the header at `path` (`linux/mman.h`), empty for one that is the kernel's own."""
        if not path.endswith(b".h"):
            return b""
        if self._uapi:
            _, _, inside = path.partition(b"include/uapi/")
            return inside if path.startswith((b"include/uapi/", b"arch/")) else b""
        if path.startswith(b"arch/"):
            return self._of_architecture(path)
        if not path.startswith(b"include/"):
            return b""
        folder, _, name = path.rpartition(b"/")
        if architecture(path) and name in self._list(folder):  # include/asm-x86/, before 2.6.28
            return b"asm/" + name
        return path[8:] if name in self._list(folder) and self._is_listed(folder) else b""

    def listed(self, folder: bytes) -> frozenset[bytes]:
        """The headers that the list of a folder names, those of a sub-folder that it names included."""
        found = {folder + b"/" + name for name in self._list(folder) if name.endswith(b".h")}
        for name in self._list(folder):
            if name.endswith(b"/"):
                found |= {folder + b"/" + name + each for each in self._list(folder + b"/" + name[:-1]) if each.endswith(b".h")}
        return frozenset(found)

    def _of_architecture(self, path: bytes) -> bytes:
        parts = path.split(b"/", 4)
        if len(parts) < 5 or parts[2] != b"include":
            return b""
        folder, _, name = path.rpartition(b"/")
        return b"/".join(parts[3:]) if name in self._list(folder) else b""

    def _is_listed(self, folder: bytes) -> bool:
        """Whether every folder on the way down is listed by the one above it."""
        while folder != b"include":
            above, _, name = folder.rpartition(b"/")
            if name + b"/" not in self._list(above):
                return False
            folder = above
        return True

    def _list(self, folder: bytes) -> frozenset[bytes]:
        if folder not in self._lists:
            self._lists[folder] = frozenset(self._words(folder + b"/Kbuild", 0))
        return self._lists[folder]

    def _words(self, path: bytes, depth: int) -> set[bytes]:
        text = self._trees.read(self._tree, path)
        if text is None or depth > 4:
            return set()
        text = _CONTINUED.sub(b" ", text)
        found = {word for line in _ASSIGN.findall(text) for word in line.partition(b"#")[0].split()}
        for other in _INCLUDE.findall(text):
            place = re.sub(rb"^\$\(srctree\)/", b"", other)
            if b"$" not in place:
                found |= self._words(posixpath.normpath(place), depth + 1)
        return found

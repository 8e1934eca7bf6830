"""Which CONFIG_ symbols the Makefiles ask for before a file is compiled: its object's line, composites and folders above.

Not followed are ifdef and ifeq in Makefiles, and names that a variable makes. What cannot be told counts as not asked for, so
the answer may lack a symbol. An object that several lines name needs what all of them have in common.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import lru_cache

from backport.csource.conditions import Wanted

_ROW = re.compile(rb"^[ \t]*([\w.-]+?)-(?:\$[({](CONFIG_\w+)[)}]|y|m|objs)[ \t]*[:+]?=([^\n]*)", re.M)
_KINDS = (b"obj", b"lib", b"core", b"drivers", b"net", b"libs", b"init", b"head", b"subdir")
_DEEP = 6  # composites of composites, and folders
Read = Callable[[bytes], bytes | None]


def built(read: Read, path: bytes) -> Wanted:
    """What the file at `path` needs to be built, in the tree whose files `read` gives."""
    return _of(read, posixpath.splitext(path)[0] + b".o", _DEEP)


def _of(read: Read, target: bytes, left: int) -> Wanted:
    """What an object, or a folder (with its slash), needs: the line in its Makefile, and the Makefile's own folder."""
    folder, _, _ = target.rstrip(b"/").rpartition(b"/")
    if not folder or not left:
        return frozenset()  # the top-level Makefile builds its folders by lists of its own
    name = target[len(folder) + 1 :]
    rows = _rows(read(folder + b"/Makefile") or b"", read(folder + b"/Kbuild") or b"")
    ways = [
        frozenset({config} if config else ())
        | (frozenset() if kind in _KINDS else _of(read, folder + b"/" + kind + b".o", left - 1))
        for kind, config, words in rows
        if name in words
    ]
    own: Wanted = frozenset.intersection(*ways) if ways else frozenset()
    return own | _of(read, folder + b"/", left - 1)


@lru_cache(maxsize=64)
def _rows(*texts: bytes) -> tuple[tuple[bytes, bytes, frozenset[bytes]], ...]:
    """Of each assignment: `obj` or the stem of a composite, its CONFIG_ symbol or nothing, the objects and folders."""
    found = []
    for text in texts:
        for match in _ROW.finditer(text.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")):
            words = frozenset(match.group(3).partition(b"#")[0].split())
            found.append((match.group(1).removesuffix(b"-objs"), match.group(2) or b"", words))
    return tuple(found)

"""Reads one patch file as a patch: on the very blobs that its `index` lines name where the history has them.

git does the reading: `apply --cached` on an index of our own puts the file's change on a tree without a checkout, and refuses
what git refuses. A file whose blobs are unknown is tried on the target itself, where it must apply exactly.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from backport.git.diff import unquote
from backport.git.history import History
from backport.git.runner import GitFailedError
from backport.git.store import Store
from backport.model.errors import InputError
from backport.model.series import Patch

_INDEX = re.compile(rb"^index ([0-9a-f]{7,40})\.\.[0-9a-f]{7,40}(?: ([0-7]{6}))?$")
_OLD = re.compile(rb"^--- (\"?a/.*)$")
_LARGEST = 64 << 20


def read_patch_file(path: Path, onto: str, store: Store) -> Patch:
    """The patch in a file (a diff, or a mail as `git format-patch` writes it), with `onto` (a commit) as the tree around it.

    InputError where the file cannot be read, holds no diff, or does not apply.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=str(path)) from error
    if len(content) > _LARGEST or not re.search(rb"^(?:diff --git |--- )", content, re.M):
        raise InputError("there is no patch in it", where=str(path), then="give a file that git apply takes")
    tree = History(store).commit(onto).tree
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        index = Path(folder) / "index"
        store.git.run(["read-tree", tree], index=index)
        entries = _known(content, store)
        store.git.run(["update-index", "--index-info"], b"".join(entries), index=index)
        before = store.git.run(["write-tree"], index=index).decode().strip()
        try:
            store.git.run(["apply", "--cached", "--whitespace=nowarn", "-"], content, index=index)
        except GitFailedError as error:
            said = error.stderr.splitlines()[0].removeprefix("error: ") if error.stderr else "git refuses it"
            then = "give the commit instead, or a clone that has the blobs of its index lines"
            raise InputError(f"it does not apply: {said}", where=str(path), then=then) from error
        after = store.git.run(["write-tree"], index=index).decode().strip()
    changes = History(store).changes([(before, after)])[0]
    message = _message(content, path)
    ident = b"patch file <backport@localhost> 0 +0000"
    heading = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n" % (after.encode(), onto.encode(), ident, ident)
    commit = store.write("commit", heading + message)
    return Patch(commit, onto, after, before, ident, ident, b"", message, changes)


def _known(content: bytes, store: Store) -> list[bytes]:
    """`update-index --index-info` lines for each old blob of the diff that the store has."""
    found: list[tuple[bytes, bytes, bytes]] = []
    blob, mode = b"", b"100644"
    for line in content.split(b"\n"):
        if match := _INDEX.match(line):
            blob, mode = match[1], match[2] or b"100644"
        elif blob and (match := _OLD.match(line)):
            found.append((blob, mode, unquote(match[1].removesuffix(b"\t"))[2:]))
            blob = b""
    answers = store.git.run(["cat-file", "--batch-check=%(objecttype) %(objectname)"], b"".join(f[0] + b"\n" for f in found))
    full = [line.removeprefix(b"blob ") if line.startswith(b"blob ") else b"" for line in answers.split(b"\n")]
    return [b"%s %s\t%s\n" % (mode, oid, name) for (_, mode, name), oid in zip(found, full, strict=False) if oid]


def _message(content: bytes, path: Path) -> bytes:
    """The subject for display: the mail's own, without its brackets, else the file's name."""
    match = re.search(rb"^Subject: *(?:\[[^]\n]*\] *)?(.*(?:\n[ \t].*)*)", content, re.M)
    return (b" ".join(match[1].split()) if match else path.name.encode("utf-8", "surrogateescape")) + b"\n"

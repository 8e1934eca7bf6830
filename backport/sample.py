"""The embedded sample: a kernel-like tree of our own and its history, made into a repository at run time.

`patches/sample/` keeps the oldest release as plain files (`tree/`) and every later commit as a mail (`history/` upstream,
`stable/` on the target branch). Each mail names the commit that it becomes, and `build` accepts nothing else: the ids in
`series.toml` hold on every machine.
"""

from __future__ import annotations

import email
import email.policy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path

from unidiff.patch import PatchedFile, PatchSet

from backport.git.runner import Git
from backport.model.errors import InputError

_MAINTAINER = "Runa Vale <runa@mini.example>"
_RELEASED = "1252534439 +0000"  # the oldest release, which no mail describes
_RELEASE = "Mini 2.6.31"


@dataclass(frozen=True, slots=True)
class _Mail:
    """One commit as `git format-patch` writes it; `when` is in git's raw format, `commit` what it must become."""

    source: Path
    commit: str
    author: str
    when: str
    message: str
    diff: PatchSet


def build(definition_folder: Path, destination: Path) -> Path:
    """Make the bare repository `destination`, which must not exist yet, out of `patches/sample`; returns `destination`.

    Tags v2.6.31, v2.6.32 (branch master) and v2.6.31.1 (branch target). It appears whole or not at all.
    """
    if destination.exists():
        raise InputError("the sample's repository would overwrite what is there", where=str(destination), then="remove it")
    tree = _read_tree(definition_folder / "tree")
    upstream = _read_mails(definition_folder / "history")
    stable = _read_mails(definition_folder / "stable")
    stream = b"".join(_stream(tree, upstream, stable))

    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".sample-") as scratch:
        folder = Path(scratch) / "sample.git"
        git = Git(folder)
        git.run(["init", "--quiet", "--bare", "--template=", "--object-format=sha1", "--initial-branch=master", str(folder)])
        commits = git.run(["fast-import", "--quiet", "--date-format=raw"], stdin=stream).decode().split()
        for mail, commit in zip([*upstream, *stable], commits, strict=True):
            if mail.commit != commit:
                raise InputError(
                    f"the commit became {commit[:12]}, but the mail says {mail.commit[:12]}",
                    where=str(mail.source),
                    then=f"restore {definition_folder}: a file there was changed, added or removed",
                )
        folder.rename(destination)
    return destination


def _read_tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}


def _read_mails(folder: Path) -> list[_Mail]:
    return [_read_mail(path) for path in sorted(folder.glob("*.patch"))]


def _read_mail(path: Path) -> _Mail:
    """Read one mail. The body ends at the line `---`, the diff begins at the first `diff --git`."""
    envelope, _, raw = path.read_bytes().decode().partition("\n")
    mail = email.message_from_string(raw, EmailMessage, policy=email.policy.default)
    text, _, rest = mail.get_content().partition("\n---\n")
    body = text.strip("\n")
    date = parsedate_tz(mail["Date"])
    if date is None or not body:
        raise InputError("not a mail that git format-patch wrote", where=str(path), then="restore the file")
    subject = mail["Subject"].removeprefix("[PATCH] ")
    zone = mail["Date"].split()[-1]
    diff = PatchSet(rest[rest.index("diff --git ") :])
    return _Mail(path, envelope.split()[1], mail["From"], f"{mktime_tz(date)} {zone}", f"{subject}\n\n{body}\n", diff)


def _stream(tree: dict[str, str], upstream: list[_Mail], stable: list[_Mail]) -> Iterator[bytes]:
    """The input of `git fast-import`: marks count the commits, the oldest release is 1; asks for the others' ids."""
    yield _commit(1, "master", _MAINTAINER, _RELEASED, f"{_RELEASE}\n\nSigned-off-by: {_MAINTAINER}\n")
    yield from (_file(path, text) for path, text in tree.items())
    yield _tag("v2.6.31", 1, _RELEASED)
    yield from _branch("master", "v2.6.32", 2, tree, upstream)
    yield from _branch("target", "v2.6.31.1", 2 + len(upstream), tree, stable)


def _branch(name: str, tag: str, mark: int, tree: dict[str, str], mails: list[_Mail]) -> Iterator[bytes]:
    """The commits of one branch on top of the oldest release, and the tag at its end."""
    files = dict(tree)
    for number, mail in enumerate(mails, mark):
        yield _commit(number, name, mail.author, mail.when, mail.message)
        yield f"from :{number - 1 if number > mark else 1}\n".encode()
        for change in mail.diff:
            files[change.path] = _patched(files.get(change.path, ""), change, mail.source)
            yield _file(change.path, files[change.path])
        yield f"get-mark :{number}\n".encode()
    yield _tag(tag, mark + len(mails) - 1, mails[-1].when)


def _patched(text: str, change: PatchedFile, source: Path) -> str:
    """The file after the change. Every line must be where the hunk says: no offset, no fuzz."""
    old = text.splitlines(keepends=True)
    new: list[str] = []
    at = 0
    for hunk in change:
        start = max(hunk.source_start - 1, 0)
        new += old[at:start]
        at = start + hunk.source_length
        if old[start:at] != [line.value for line in hunk if not line.is_added]:
            raise InputError(f"does not apply to {change.path} line {start + 1}", where=str(source), then="restore the file")
        new += [line.value for line in hunk if not line.is_removed]
    return "".join(new + old[at:])


def _commit(mark: int, branch: str, author: str, when: str, message: str) -> bytes:
    head = f"commit refs/heads/{branch}\nmark :{mark}\nauthor {author} {when}\ncommitter {_MAINTAINER} {when}\n"
    return head.encode() + _data(message)


def _tag(name: str, mark: int, when: str) -> bytes:
    return f"tag {name}\nfrom :{mark}\ntagger {_MAINTAINER} {when}\n".encode() + _data(f"Mini {name[1:]}\n")


def _file(path: str, text: str) -> bytes:
    return f"M 100644 inline {path}\n".encode() + _data(text)


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)

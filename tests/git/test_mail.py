"""Patch mails as the real `git am`, `git mailinfo` and patch(1) read them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backport.git.mail import format_patches
from backport.model.series import decode
from tests.gitrepo import Checkout, Repo, link, numbered, program, replayed, run

QUOTED = b"--- a/g\n+++ b/g\n@@ -1 +1 @@\n-g\n+applied by mistake\n"

MESSAGES: dict[str, bytes] = {
    "plain": b"subject\n\nbody\n",
    "latin-1 without encoding header": b"caf\xe9: subject\n\nb\xf6dy\n\nSigned-off-by: J\xf6rg <j@example.com>\n",
    "latin-1 in the body only": b"subject\n\nb\xf6dy\n",
    "utf-8": "süßes subject\n\nböse → body\n".encode(),
    "no final newline": b"subject\n\nbody",
    "only a subject": b"subject\n",
    "only a subject, no newline": b"subject",
    "many newlines at the end": b"subject\n\nbody\n\n\n\n",
    "leading blank lines": b"\n\n  \nsubject\n\nbody\n",
    "multi-line subject": b"subject that\ngoes on\nand on\n\nbody\n",
    "no blank line after the subject, trailers": b"subject\nSigned-off-by: A <a@example.com>\n",
    "blank line of spaces": b"subject\n   \nbody\n \t \nmore\n",
    "a line of a form feed": b"subject\n\f\nstill subject\n\nbody\n\f\nmore\n\n\v\nlast\n",
    "three dashes": b"subject\n\nbody\n---\nmore\n--- \nand\n---\tmore\n----\nstill\n",
    "three dashes last": b"subject\n\nbody\n---\n",
    "three dashes first": b"subject\n\n---\nbody\n",
    "diff --git": b"subject\n\nsee\n\ndiff --git a/g b/g\nindex 123..456\n" + QUOTED + b"\nend\n",
    "diff -u": b"subject\n\ndiff -u old/g new/g\n" + QUOTED,
    "indented diff": b"subject\n\nsee\n\n" + b"".join(b"    " + line for line in QUOTED.splitlines(keepends=True)) + b"\nend\n",
    "diff that deletes": b"subject\n\n  diff --git a/g b/g\n  deleted file mode 100644\n  --- a/g\n  +++ /dev/null\n",
    "diff that renames": b"subject\n\n diff --git a/g b/h\n similarity index 100%\n rename from g\n rename to h\n",
    "context diff": b"subject\n\n*** a/g\n--- b/g\n***************\n*** 1 ****\n! g\n--- 1 ----\n! applied by mistake\n",
    "normal diff": b"subject\n\nIndex: g\n1c1\n< g\n---\n> applied by mistake\n",
    "ed script": b"subject\n\nIndex: g\n1d\n",
    "Prereq": b"subject\n\nPrereq: 2.0\n",
    "Index:": b"subject\n\nIndex: g\n=======\nbody\n",
    "From line": b"subject\n\nFrom the beginning\nFrom a@b Mon Sep 17 00:00:00 2001\nbody\nFrom c Thu Jan  1 10:11:12 1970\n",
    "From line first": b"subject\n\nFrom 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\nbody\n",
    "in-body From": b"subject\n\nFrom: Somebody Else <else@example.com>\n\nbody\n",
    "in-body headers": b"subject\n\nDate: Thu, 1 Jan 1970 00:00:00 +0000\nSubject: other\n\nbody\n",
    "in-body From, quoted": b"subject\n\n>From: x\n>From me\nbody\n",
    "in-body [PATCH": b"subject\n\n[PATCH] other subject\n\nbody\n",
    "scissors": b"subject\n\nbody\n-- >8 --\nmore\n",
    "signature": b"subject\n\nbody\n-- \nnot a signature\n",
    "trailing spaces": b"subject  \n\nbody  \nmore\t\n",
    "tabs": b"subject\n\n\tbody\n\t\tmore\n",
    "CR at line ends": b"subject\r\n\r\nbody\r\nmore\r\n",
    "[SCSI] prefix": b"[SCSI] subject\n\nbody\n",
    "several prefixes": b"[SCSI] [v2] subject [not me]\n\nbody\n",
    "colon first": b"foo: bar: baz\n\nfoo: bar\n\nbody\n",
    "very long subject": b"word " * 90 + b"end\n\nbody\n",
    "one long word": b"x" * 400 + b"\n\nbody\n",
    "subject like an encoded word": b"=?utf-8?q?no?= subject\n\n=?utf-8?q?no?=\n",
    "subject with odd signs": b'a "quoted" <mail@example.com>, (comment); \\ $HOME `x`\n\nbody\n',
    "cherry-picked before": b"subject\n\nbody\n\n(cherry picked from commit 1234567890123456789012345678901234567890)\n",
    "boundary of MIME": b"subject\n\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n--x--\n",
    "a dot alone": b"subject\n\n.\n..\nbody\n",
    "long line": b"subject\n\n" + b"y" * 3000 + b"\n",
}
NAMES_OF_AUTHORS: dict[str, bytes] = {
    "latin-1": b"J\xf6rg <j@example.com>",
    "utf-8": "Jörg Ünal <j@example.com>".encode(),
    "comma": b"Doe, John <j@example.com>",
    "quotes and dots": b'J. "Q" O\'Doe <j@example.com>',
    "no name": b" <j@example.com>",
    "very long": b"N" * 59 + b" <j@example.com>",
    "parentheses": b"John (work) <j@example.com>",
}


def formatted(repo: Repo, tmp_path: Path, message: bytes, **options: object) -> tuple[Checkout, bytes, str, str]:
    """A patch with this message: a checkout of the target, the mail, our commit, and the run's repository."""
    base = repo.commit({b"f": numbered(9), b"g": b"g\n"}, b"base\n")
    target = repo.on(base, {b"f": numbered(9, l1=b"target")}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l6=b"patch")}, message, **options)  # type: ignore[arg-type]
    with replayed(repo, [patch], target, tmp_path / "store", subjects=[subject(repo, patch)]) as session:
        (commit,) = session.landed
        (mail,) = format_patches(session.store, session.landed)
        assert [mail] == format_patches(session.store, session.landed)
    return Checkout(repo, tmp_path / "work", target), mail, commit, str(tmp_path / "store")


def subject(repo: Repo, commit: str) -> str:
    """The commit's first paragraph, squeezed."""
    content = repo.git("cat-file", "commit", commit).partition(b"\n\n")[2]
    return decode(repo.git("log", "-1", "--format=%s", commit, "--encoding=x").strip(b"\n")) if content else ""


def unshielded(lines: list[bytes], expected: list[bytes]) -> list[bytes]:
    """`lines` with one space or one `| ` taken away where that gives the expected line: the documented shielding."""
    shields = [(line, want) for line, want in zip(lines, expected, strict=False) if line in (b" " + want, b"| " + want)]
    assert len(shields) <= 8
    return [want if line in (b" " + want, b"| " + want) else line for line, want in zip(lines, expected, strict=False)] + lines[
        len(expected) :
    ]


def stored(checkout: Checkout, commit: str, store: str) -> tuple[bytes, list[bytes]]:
    """Author with date, and the message as git am may store it at best: subject on one line, line ends trimmed, UTF-8."""
    environment = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{store}/objects"}
    author = checkout.git("log", "-1", "--format=%an%n%ae%n%ad", "--date=raw", commit, **environment)
    text = checkout.git("log", "-1", "--format=%s%n%n%b", "--encoding=UTF-8", commit, **environment)
    return author, checkout.git("stripspace", stdin=text).split(b"\n")


@pytest.mark.parametrize("odd", MESSAGES)
def test_git_am_gives_the_same_tree_author_and_message(repo: Repo, tmp_path: Path, odd: str) -> None:
    checkout, mail, commit, store = formatted(repo, tmp_path, MESSAGES[odd])
    done = checkout.am(mail)
    assert done.returncode == 0, done.stderr
    assert checkout.git("rev-parse", "HEAD^{tree}") == run(["git", "rev-parse", f"{commit}^{{tree}}"], Path(store)).stdout
    author, message = stored(checkout, commit, store)
    got_author, got = stored(checkout, "HEAD", store)
    assert got_author == author
    if "latin-1" in odd:  # git log prints what is no UTF-8 as it is; the mail said latin-1, so am stored UTF-8
        message = [line.decode("latin-1").encode() for line in message]
    assert unshielded(got, message) == message


@pytest.mark.parametrize("odd", [name for name in MESSAGES if name != "CR at line ends"])
@pytest.mark.skipif(not shutil.which("patch"), reason="needs GNU patch")
def test_patch_applies_the_patch_and_nothing_that_the_message_quotes(repo: Repo, tmp_path: Path, odd: str) -> None:
    checkout, mail, commit, store = formatted(repo, tmp_path, MESSAGES[odd])
    done = run(["patch", "-p1", "-F0", "-f", "--no-backup-if-mismatch"], checkout.path, mail, ok=None)
    assert done.returncode == 0, done.stdout
    assert done.stdout == b"patching file f\n"
    checkout.git("add", "-A")
    tree = checkout.git("write-tree").decode().strip()
    assert tree == run(["git", "rev-parse", f"{commit}^{{tree}}"], Path(store)).stdout.decode().strip()


@pytest.mark.parametrize("odd", NAMES_OF_AUTHORS)
def test_odd_authors_survive_git_am(repo: Repo, tmp_path: Path, odd: str) -> None:
    checkout, mail, commit, store = formatted(repo, tmp_path, b"subject\n\nbody\n", author=NAMES_OF_AUTHORS[odd])
    assert checkout.am(mail).returncode == 0
    (expected, _), (got, _) = (stored(checkout, c, store) for c in (commit, "HEAD"))
    if odd == "no name":  # git am takes the address for the name of who has none
        expected = b"j@example.com" + expected
    assert got in (expected, expected.decode("utf-8", "replace").encode(), expected.decode("latin-1").encode())


@pytest.mark.parametrize("date", [b"0 +0000", b"1250000000 +1400", b"1250000000 -0330", b"4070908799 +0000"])
def test_odd_dates_survive_git_am(repo: Repo, tmp_path: Path, date: bytes) -> None:
    checkout, mail, *_ = formatted(repo, tmp_path, b"subject\n\nbody\n", date=date)
    assert checkout.am(mail).returncode == 0
    assert checkout.git("log", "-1", "--format=%ad", "--date=raw").strip() == date


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "ISO-8859-15", "UTF-8", "EUC-JP", "nonsense"])
def test_an_encoding_header_is_kept_and_understood(repo: Repo, tmp_path: Path, encoding: str) -> None:
    text = {"EUC-JP": "日本", "UTF-8": "Größe", "nonsense": "plain"}.get(encoding, "Größe")
    raw = text.encode("ascii" if encoding == "nonsense" else encoding)
    checkout, mail, commit, store = formatted(
        repo, tmp_path, raw + b"\n\n" + raw + b"\n", headers=b"encoding %s\n" % encoding.encode()
    )
    assert b"\nencoding %s\n" % encoding.encode() in run(["git", "cat-file", "commit", commit], Path(store)).stdout
    assert checkout.am(mail).returncode == 0
    assert checkout.git("log", "-1", "--format=%B").decode().startswith(f"{text}\n\n{text}\n")


def test_an_encoding_header_that_lies(repo: Repo, tmp_path: Path) -> None:
    """Says UTF-8 but is latin-1: nothing is lost, and the patch applies."""
    checkout, mail, *_ = formatted(repo, tmp_path, b"caf\xe9\n\nb\xf6dy\n", headers=b"encoding UTF-8\n")
    assert checkout.am(mail).returncode == 0
    assert "bödy" in checkout.git("log", "-1", "--format=%b").decode()


def test_an_empty_message(repo: Repo, tmp_path: Path) -> None:
    """git am refuses a mail without subject; ours has the trailers at least."""
    checkout, mail, *_ = formatted(repo, tmp_path, b"")
    done = checkout.am(mail)
    assert done.returncode == 0, done.stderr
    assert b"cherry picked from commit" in checkout.git("log", "-1", "--format=%B")


def mixed_series(repo: Repo) -> tuple[str, list[str]]:
    """Edits, a rename, a mode change, a link, binary and CRLF files, odd names, a missing newline."""
    base = repo.commit(
        {b"f": numbered(9), b"bin": b"\0\1" * 99, b"old": numbered(30), b"crlf": numbered(9).replace(b"\n", b"\r\n")}, b"base\n"
    )
    target = repo.on(base, {b"f": numbered(9, l1=b"target")}, b"target\n")
    steps = [
        {b"f": numbered(9, l6=b"six"), b"new": b"no newline"},
        {b"old": None, b"d/n w": numbered(30, l3=b"three")},
        {b"f": program(numbered(9, l6=b"six")), b"ln": link(b"f")},
        {b"bin": b"\0\2" * 99, b'caf\xe9 "q"\t': b"odd\n"},
        {b"crlf": numbered(9, l4=b"four").replace(b"\n", b"\r\n"), b"lone": b"a\rb\r\nc\r"},
        {b"new": b"a newline\n", b"empty": b""},
        {b"empty": None, b"bin": None, b"ln": link(b"new")},
    ]
    at, commits = base, []
    for number, changes in enumerate(steps):
        at = repo.on(at, changes, b"step %d\n\nFrom: x\n---\n" % number)
        commits.append(at)
    return target, commits


def test_a_topic_file_of_many_mails_works_with_git_am(repo: Repo, tmp_path: Path) -> None:
    target, commits = mixed_series(repo)
    with replayed(repo, commits, target, tmp_path / "store") as session:
        assert len(session.landed) == len(commits)
        mails = format_patches(session.store, session.landed)
    checkout = Checkout(repo, tmp_path / "work", target)
    done = checkout.am(b"".join(mails), "--keep-cr")
    assert done.returncode == 0, done.stderr
    assert checkout.tree() == session.replayed.tree
    assert checkout.git("log", "--format=%s", f"{target}..").split(b"\n")[:-1] == [b"step %d" % i for i in range(6, -1, -1)]


@pytest.mark.skipif(not shutil.which("patch"), reason="needs GNU patch")
def test_a_topic_file_of_many_mails_works_with_patch(repo: Repo, tmp_path: Path) -> None:
    """Without the binary file and the latin-1 name, which patch(1) does not know; a rename is a deletion and an addition."""
    base = repo.commit({b"f": numbered(9), b"old": numbered(30), b"gone": b"x\n"}, b"base\n")
    target = repo.on(base, {b"f": numbered(9, l1=b"target")}, b"target\n")
    steps = [
        {b"f": numbered(9, l6=b"six"), b"new": b"no newline"},
        {b"old": None, b"d/n w": numbered(30, l3=b"three")},
        {b"f": numbered(9, l6=b"SIX"), b"new": b"newline\n", b"gone": None},
        {b"gone": b"back\n"},
    ]
    at, commits = base, []
    for changes in steps:
        at = repo.on(at, changes, b"step\n\n" + QUOTED)
        commits.append(at)
    with replayed(repo, commits, target, tmp_path / "store") as session:
        mails = format_patches(session.store, session.landed)
        assert len(mails) == 4
    checkout = Checkout(repo, tmp_path / "work", target)
    run(["patch", "-p1", "-F0", "-f", "--no-backup-if-mismatch"], checkout.path, b"".join(mails))
    checkout.git("add", "-A")
    assert checkout.git("write-tree").decode().strip() == session.replayed.tree


def test_git_mailinfo_finds_the_whole_patch_after_the_message(repo: Repo, tmp_path: Path) -> None:
    """The patch part of the mail is what `git format-patch` writes, byte for byte, latin-1 lines and CRs included."""
    base = repo.commit({b"f": b"caf\xe9\r\n" * 3 + numbered(9)}, b"base\n")
    patch = repo.on(base, {b"f": b"caf\xea\r\n" * 3 + numbered(9)}, b"subject\n\n\xe9\n---\n")
    with replayed(repo, [patch], base, tmp_path / "store") as session:
        (mail,) = format_patches(session.store, session.landed)
        raw = session.git("format-patch", "--stdout", "--no-signature", "--full-index", "--no-renames", "-1", session.landed[0])
    run(["git", "mailinfo", "-b", "msg", "diff"], tmp_path, mail)
    found = (tmp_path / "diff").read_bytes()
    assert found[found.index(b"diff --git") :] == raw[raw.index(b"\ndiff --git") + 1 :]


def test_no_commit_gives_no_mail(repo: Repo, tmp_path: Path) -> None:
    with replayed(repo, [repo.commit({b"f": b"f\n"})], repo._last, tmp_path / "store") as session:
        assert format_patches(session.store, []) == []

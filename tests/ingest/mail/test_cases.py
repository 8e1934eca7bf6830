"""Every odd mail of tests/data/mail, as we read and apply it and as the real git does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.store import Store
from backport.ingest.mail import message, posts
from backport.ingest.mail.boxes import Found
from backport.ingest.mail.posted import make
from backport.model.errors import InputError
from tests.gitrepo import Checkout, Repo, run

DATA = Path(__file__).parents[2] / "data" / "mail"
CASES = sorted(path.name for path in DATA.iterdir())
REFUSED = {
    "wrapped": "corrupt patch|does not apply|garbage",
    "cut-off-in-a-hunk": "corrupt patch",
    "wrong-counts": "corrupt patch",
    "leaves-the-tree": "invalid path|does not exist",
    "touches-git-itself": "invalid path",
    "does-not-apply": "patch failed|does not apply",
}
OURS = {"hides-bidi": "hides the character U\\+202E"}


def base_of(repo: Repo, case: str) -> str:
    """A commit with the files of `before`."""
    before = DATA / case / "before"
    files = {str(path.relative_to(before)).encode(): path for path in sorted(before.rglob("*")) if path.is_file()}
    return repo.commit({name: path.read_bytes() for name, path in files.items()}, b"base\n")


def by_git(repo: Repo, base: str, mail: bytes, scratch: Path) -> tuple[str, str, str] | None:
    """Tree, author and message as `git am` makes them of a maildir with this mail; None where it refuses."""
    for number, option in enumerate(("--keep-cr", "--no-keep-cr", "--quoted-cr=strip")):
        work = Checkout(repo, scratch / f"am{number}", base)
        box = scratch / f"box{number}" / "cur"
        box.mkdir(parents=True)
        (box / "1").write_bytes(mail)
        command = ["git", "am", "-q", option, "--no-scissors", "--keep-non-patch", str(box.parent)]
        if run(command, work.path, ok=None).returncode == 0:
            author = work.git("log", "-1", "--format=%an <%ae> %ad", "--date=raw").decode()
            return work.tree(), author, work.git("log", "-1", "--format=%B").decode()
    return None


@pytest.mark.parametrize("case", CASES)
def test_what_git_applies_we_apply_and_what_it_refuses_we_refuse(repo: Repo, tmp_path: Path, case: str) -> None:
    base = base_of(repo, case)
    mail = (DATA / case / "mail").read_bytes()
    expected = by_git(repo, base, mail, tmp_path)
    clones = [open_clone(repo.path)]
    repo.branch("master", base)
    with Store(tmp_path / "store" / "run.git", [clones[0].objects]) as store:
        if case in REFUSED or case in OURS:
            assert (expected is None) == (case in REFUSED)
            with pytest.raises(InputError, match=REFUSED.get(case) or OURS[case]) as told:
                make([Found("the mail", mail)], clones, store, fallback="master")
            assert told.value.where.startswith("the mail:"), "the line is named"
            return
        made = make([Found("the mail", mail)], clones, store, fallback="master")
        (commit,) = made.commits
        assert expected is not None, "git refuses it, we must not be laxer"
        shown = run(["git", "log", "-1", "--format=%T%n%an <%ae> %ad%n%B", "--date=raw", commit], store.folder).stdout.decode()
        tree, author, text = shown.split("\n", 2)
        assert (tree, text) == (expected[0], expected[2])
        assert author == expected[1].strip() or case == "no-date"  # git takes the clock, which would make other ids each time
        assert made.base.commit == base


def mailinfo(mail: bytes, scratch: Path) -> tuple[dict[str, str], bytes, bytes]:
    """What `git mailinfo` says: its headers, the message, the patch."""
    done = run(["git", "mailinfo", "-b", str(scratch / "msg"), str(scratch / "patch")], scratch, mail)
    said = dict(line.split(": ", 1) for line in done.stdout.decode("utf-8", "replace").splitlines() if ": " in line)
    return said, (scratch / "msg").read_bytes(), (scratch / "patch").read_bytes()


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_the_quick_reader_sees_what_mailinfo_and_patch_id_see(tmp_path: Path, case: str) -> None:
    mail = (DATA / case / "mail").read_bytes()
    found = posts.read(mail, "here")
    raw = mail.replace(b"\r\n", b"\n") if case == "crlf-mail" else mail
    said, _, patch = mailinfo(raw, tmp_path)
    if case not in ("no-subject", "body-with-in-body-from"):
        assert " ".join(found.label.title.split()) == " ".join(said["Subject"].split())
        assert f"{found.mail.name} {found.mail.address}" == f"{said['Author']} {said['Email']}"
    assert found.diff is not None
    assert not found.diff.problem
    if case == "base64-crlf-text":  # mailinfo keeps MIME's CRs unless it is told otherwise
        patch = patch.replace(b"\r\n", b"\n")
    numstat = run(["git", "apply", "--numstat", "-z", "-"], tmp_path, patch).stdout
    names = [row.split(b"\t", 2)[2] for row in numstat.split(b"\0") if row.count(b"\t") >= 2]
    counts = [row.split(b"\t", 2)[:2] for row in numstat.split(b"\0") if row.count(b"\t") >= 2]
    assert [file.path for file in found.diff.files] == names
    ours = [[b"%d" % len(file.added), b"%d" % len(file.removed)] for file in found.diff.files]
    assert [mine for mine, git in zip(ours, counts, strict=True) if git[0] != b"-"] == [git for git in counts if git[0] != b"-"]


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_the_patch_id_is_gits(repo: Repo, tmp_path: Path, case: str) -> None:
    """Compared with the id of the commit that the mail becomes: git's own reader stumbles over what mail programs do."""
    base = base_of(repo, case)
    mail = (DATA / case / "mail").read_bytes()
    expected = by_git(repo, base, mail, tmp_path)
    assert expected is not None
    objects = str(tmp_path / "am0" / ".git" / "objects")
    shown = repo.git("diff-tree", "-p", "-M", base, expected[0], ok=None, GIT_ALTERNATE_OBJECT_DIRECTORIES=objects)
    for other in ("am1", "am2"):
        objects = str(tmp_path / other / ".git" / "objects")
        shown = shown or repo.git("diff-tree", "-p", "-M", base, expected[0], ok=None, GIT_ALTERNATE_OBJECT_DIRECTORIES=objects)
    done = subprocess.run(["git", "patch-id", "--stable"], input=shown, capture_output=True, check=True)
    found = posts.read(mail, "here").diff
    assert found is not None
    if case in ("binary", "nul-byte"):  # git's id has the literal data in it or not, by its version: equal mails, equal ids
        again = posts.read(mail, "there").diff
        assert again is not None
        assert found.patch_id == again.patch_id
        return
    assert found.patch_id == done.stdout.split()[0].decode()


def test_a_mail_of_many_parts_is_refused_at_once() -> None:
    part = b"--x\nContent-Type: text/plain\n\nhello\n"
    with pytest.raises(message.MailRefusedError, match="MIME parts"):
        message.read(b"From: a@b.c\nContent-Type: multipart/mixed; boundary=x\n\n" + part * 10_000 + b"--x--\n")

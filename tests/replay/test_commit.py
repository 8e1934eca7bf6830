"""The commits that landed patches become, against `git cherry-pick -x`, `git interpret-trailers` and `git fsck`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backport.replay.commit import with_trailers
from tests.gitrepo import Checkout, Repo, numbered, replayed, run

SOB, ACK = b"Signed-off-by: A <a@example.com>", b"Acked-by: B <b@example.com>"
PICKED = b"(cherry picked from commit 1234567890123456789012345678901234567890)"

MESSAGES: dict[str, bytes] = {
    "only a subject": b"subject\n",
    "only a subject that looks like a trailer": b"mm: ksm\n",
    "subject and trailers without a blank line": b"subject\n" + SOB + b"\n",
    "body": b"subject\n\nbody\n",
    "trailers": b"subject\n\nbody\n\n" + SOB + b"\n" + ACK + b"\n",
    "trailers directly after the subject": b"subject\n\n" + SOB + b"\n",
    "no final newline": b"subject\n\nbody\n\n" + SOB,
    "body without final newline": b"subject\n\nbody",
    "trailer that is unknown": b"subject\n\nbody\n\nReported-and-eaten-by: C\n",
    "last paragraph with a colon": b"subject\n\nThis is prose, see: the note\n",
    "last paragraph that begins like a trailer": b"subject\n\nNote: this is prose\nthat goes on\n",
    "bracketed note between trailers": b"subject\n\nbody\n\n" + SOB + b"\n[a@b: cast to u64]\n" + ACK + b"\n",
    "bracketed note of two lines": b"subject\n\nbody\n\n" + SOB + b"\n[a@b: cast\n to u64]\n" + ACK + b"\n",
    "bracketed note first": b"subject\n\nbody\n\n[a@b: cast to u64]\n" + SOB + b"\n",
    "bracketed note alone": b"subject\n\n[a@b: cast to u64]\n",
    "continuation line": b"subject\n\nbody\n\n" + SOB + b"\nCc: one,\n  two\n",
    "prose inside the trailers": b"subject\n\nbody\n\n" + SOB + b"\nprose that somebody left\n" + ACK + b"\n",
    "much prose, one sign-off": b"subject\n\nbody\n\nprose\nprose\nprose\nprose\n" + SOB + b"\n",
    "prose and one unknown trailer": b"subject\n\nbody\n\nprose\nUnknown-by: x\n",
    "cherry-picked before": b"subject\n\nbody\n\n" + PICKED + b"\n",
    "trailers and cherry-picked before": b"subject\n\nbody\n\n" + SOB + b"\n" + PICKED + b"\n",
    "space before the colon": b"subject\n\nbody\n\nSigned-off-by : A\n",
    "no space after the colon": b"subject\n\nbody\n\nFixes:1234\n",
    "link": b"subject\n\nbody\n\nhttp://example.com/\n",
    "scissors": b"subject\n\nbody\n\n" + SOB + b"\n---\nfile | 2\n",
    "comment lines": b"subject\n\nbody\n\n" + SOB + b"\n# comment\n",
    "blank line of spaces before the trailers": b"subject\n\nbody\n  \n" + SOB + b"\n",
    "CR": b"subject\r\n\r\nbody\r\n\r\n" + SOB + b"\r\n",
    "latin-1": b"subject\n\nb\xf6dy\n\nSigned-off-by: J\xf6rg <j@example.com>\n",
    "indented trailers": b"subject\n\nbody\n\n  " + SOB + b"\n",
    "two blank lines": b"subject\n\nbody\n\n\n" + SOB + b"\n",
    "underscore in the key": b"subject\n\nbody\n\nSigned_off_by: A\n",
}


def picked(repo: Repo, tmp_path: Path, message: bytes) -> bytes:
    """What `git cherry-pick -x` makes of a message; its note's id is PICKED's."""
    base = repo.commit({b"f": b"1\n"}, b"base\n")
    patch = repo.on(base, {b"f": b"2\n"}, message)
    checkout = Checkout(repo, tmp_path / "work", base)
    assert checkout.pick(patch, "-x") == "landed", checkout.said
    return checkout.git("cat-file", "commit", "HEAD").partition(b"\n\n")[2].replace(patch.encode(), PICKED[-41:-1])


@pytest.mark.parametrize("odd", MESSAGES)
def test_the_note_goes_where_cherry_pick_puts_it(repo: Repo, tmp_path: Path, odd: str) -> None:
    ours = run(["git", "stripspace"], tmp_path, with_trailers(MESSAGES[odd], [PICKED])).stdout
    theirs = picked(repo, tmp_path, MESSAGES[odd])
    assert ours in (theirs, theirs.decode().encode("latin-1", "replace"))  # git stores UTF-8 where it takes latin-1 in


def test_random_last_paragraphs(repo: Repo, tmp_path: Path) -> None:
    """Against `git interpret-trailers`, which finds the block as cherry-pick does, in one process a message."""
    rows = [SOB, ACK, PICKED, b"prose", b"[note]", b" indented", b"Key: value", b"a b: c", b"Fixes: 1234"]
    dice = random.Random(7)
    for _ in range(60):
        paragraph = b"\n".join(dice.choices(rows, k=dice.randint(1, 6)))
        message = b"subject\n\nbody\n\n" + paragraph + b"\n"
        ours = with_trailers(message, [PICKED])
        done = run(
            ["git", "interpret-trailers", "--no-divider", "--if-exists", "add", "--trailer", "Zz-new: x"], tmp_path, message
        )
        assert ours == done.stdout.replace(b"Zz-new: x", PICKED), message


def test_our_trailers_are_trailers_for_git(repo: Repo, tmp_path: Path) -> None:
    for message in MESSAGES.values():
        ours = with_trailers(message, [PICKED, b"Backport-verdict: exact"])
        found = run(["git", "interpret-trailers", "--parse", "--no-divider"], tmp_path, ours).stdout
        assert b"Backport-verdict: exact\n" in found, message


def test_an_empty_message_gets_the_trailers_alone() -> None:
    assert with_trailers(b"", [PICKED]).strip(b"\n") == PICKED


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"author": b"J\xf6rg <j@example.com>"},
        {"author": b" <>"},
        {"committer": b"No Mail <>"},
        {"committer": b"Angle > Bracket <c@example.com>"},
        {"headers": b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n"},
        {"headers": b"encoding ISO-8859-1\n"},
        {"headers": b"mergetag object 1234\n type commit\n encoding x\n \n tag\n"},
        {"message": b""},
        {"message": b"\xff\xfe\n"},
        {"message": b"encoding x\n\nparent 1\n"},
    ],
    ids=[
        "plain",
        "latin-1",
        "no author",
        "no mail",
        "bracket",
        "signed",
        "encoding",
        "mergetag",
        "no message",
        "bytes",
        "like headers",
    ],
)
def test_author_is_kept_and_git_fsck_has_no_word_against_the_commit(
    repo: Repo, tmp_path: Path, options: dict[str, bytes]
) -> None:
    base = repo.commit({b"f": numbered(3)}, b"base\n")
    patch = repo.on(base, {b"f": numbered(3, l2=b"x")}, **({"message": b"subject\n\nbody\n"} | options))
    upstream = repo.git("cat-file", "commit", patch)
    with replayed(repo, [patch], base, tmp_path / "store", subjects=[decoded(options)]) as session:
        (commit,) = session.landed
        ours = session.git("cat-file", "commit", commit)
        complaints = run(["git", "fsck", "--strict", "--no-dangling", commit], session.store.folder, ok=None).stderr
    assert commit.encode() not in complaints or patch.encode() in complaints
    headers, _, message = ours.partition(b"\n\n")
    (author,) = [line for line in upstream.split(b"\n") if line.startswith(b"author ")]
    assert author in headers.split(b"\n")
    assert b"committer backport <backport@localhost> %d +0000" % repo.clock in headers.replace(
        b"%d" % (repo.clock + 60), b"%d" % repo.clock
    )
    assert b"gpgsig" not in headers
    assert message.startswith(upstream.partition(b"\n\n")[2].rstrip(b"\n") if b"gpgsig" not in upstream else b"subject")
    assert b"(cherry picked from commit %s)\nBackport-verdict: exact\n" % patch.encode() in message


def decoded(options: dict[str, bytes]) -> str:
    return {b"": "", b"\xff\xfe\n": "ÿþ", b"encoding x\n\nparent 1\n": "encoding x"}.get(
        options.get("message", b"subject"), "subject"
    )


@pytest.mark.parametrize(
    "committer", [b"C 1250000099 +0000", b"C <c@example.com>", b"C <c@example.com> x"], ids=["no mail", "no date", "no number"]
)
def test_a_broken_committer_line_gives_a_sound_commit(repo: Repo, tmp_path: Path, committer: bytes) -> None:
    base = repo.commit({b"f": b"1\n"}, b"base\n")
    tree = repo.tree({b"f": b"2\n"})
    patch = repo.write(
        "commit",
        b"tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter %s\n\nsubject\n" % (tree.encode(), base.encode(), committer),
    )
    with replayed(repo, [patch], base, tmp_path / "store", subjects=["subject"]) as session:
        (commit,) = session.landed
        session.store.flush()
        assert commit.encode() not in run(["git", "fsck", "--strict", commit], session.store.folder, ok=None).stderr

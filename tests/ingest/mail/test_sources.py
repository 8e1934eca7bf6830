"""Where mails come from: files, folders, archives, a server; and what of each is refused."""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.ingest.mail import boxes, inbox, lore, message, posts
from backport.ingest.mail.archive import Archive
from backport.ingest.mail.boxes import Box
from backport.ingest.mail.lives import all_revisions, life
from backport.ingest.mail.quilt import Quilt
from backport.ingest.mail.source import is_thread, open_mails
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.progress import Silent
from tests.gitrepo import Repo, run
from tests.ingest.mail.letters import diff, letter

SEPARATOR = b"From x@y Mon Sep 17 00:00:00 2001\n"


def mbox(*mails: bytes) -> bytes:
    """An mbox of these mails."""
    return b"".join(SEPARATOR + mail + b"\n" for mail in mails)


ODD_BOXES = {
    "plain": mbox(letter("[PATCH 1/2] a", "a"), letter("[PATCH 2/2] b", "b")),
    "a From line in a body": mbox(
        letter(
            "[PATCH 1/2] a", "a", text="see\n\nFrom 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\nmore\n"
        ),
        letter("[PATCH 2/2] b", "b"),
    ),
    "From that is only a word": mbox(letter("a", "a", text="From here on at 10:20 nothing\nFrom x\n"), letter("b", "b")),
    "no newline at the end": mbox(letter("a", "a"), letter("b", "b")).rstrip(b"\n"),
    "cut off": mbox(letter("a", "a"), letter("b", "b"))[:-90],
}


@pytest.mark.parametrize("odd", ODD_BOXES)
def test_an_mbox_is_cut_where_git_mailsplit_cuts_it(tmp_path: Path, odd: str) -> None:
    (tmp_path / "m.mbox").write_bytes(ODD_BOXES[odd])
    (tmp_path / "out").mkdir()
    run(["git", "mailsplit", "--keep-cr", "-oout", "m.mbox"], tmp_path)
    expected = [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())]
    assert [found.raw for found in Box(tmp_path / "m.mbox").walk()] == expected


def test_a_gz_of_more_than_we_unpack_keeps_what_came_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "MOST_UNPACKED", 3 << 20)
    (tmp_path / "m.mbox.gz").write_bytes(gzip.compress(mbox(letter("a", "a")) + b"\0" * (64 << 20)))
    *_, last = Box(tmp_path / "m.mbox.gz").walk()
    assert last.refused is not None
    assert "unpacks to more than 3 MB" in last.refused.why


def test_a_gz_that_is_cut_off_keeps_its_whole_mails(tmp_path: Path) -> None:
    packed = gzip.compress(mbox(*(letter(f"[PATCH] {n}", f"m{n}") for n in range(400))), 1)
    (tmp_path / "m.mbox.gz").write_bytes(packed[: len(packed) // 2])
    with open_mails(str(tmp_path / "m.mbox.gz"), tmp_path, Silent()) as mails:
        assert mails.archive.count() > 50
        (refused,) = mails.archive.refused()
    assert "cut off" in refused.why


def test_a_mail_that_is_too_large_is_refused_and_the_rest_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "LARGEST", 1 << 20)
    (tmp_path / "m.mbox").write_bytes(
        mbox(letter("[PATCH] a", "a"), letter("big", "b", text="x" * (2 << 20)), letter("[PATCH] c", "c"))
    )
    with open_mails(str(tmp_path / "m.mbox"), tmp_path, Silent()) as mails:
        assert mails.archive.count() == 2
        (refused,) = mails.archive.refused()
    assert refused.where.endswith("m.mbox#2")
    assert "MB" in refused.why


HOSTILE = {
    "headers of a megabyte": b"Subject: " + b"x" * (1 << 20) + b"\n\nbody\n",
    "NUL bytes": letter("[PATCH] a\0b", "a\0", text="\0\0\0\n"),
    "control characters and shell": letter("[PATCH] \x1b[31m$(rm -rf /) %{lua:os.exit()}", "`id`;<x>"),
    "a million references": b"References: " + b"<a@b> " * 30_000 + b"\nMessage-ID: <c@d>\n\nx\n",
    "broken base64": b"From: a@b\nContent-Transfer-Encoding: base64\n\n!!!!\n",
    "broken MIME": b"From: a@b\nContent-Type: multipart/mixed; boundary=\n\n--\n--\n",
    "nested MIME": b"From: a@b\nSubject: deep\nContent-Transfer-Encoding: base64\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(3000)),
    "an unknown charset": b"From: =?nonsense?q?a?= <a@b>\nSubject: =?utf-8?b?!?= =?punycode?q?-?=\n\nx\n",
    "a date that is none": b"Date: Tue, 99 Foo 99999999999999999999 25:61:61 +9999\nFrom: a@b\n\nx\n",
    "empty": b"",
    "only a newline": b"\n",
}


@pytest.mark.parametrize("odd", HOSTILE)
def test_hostile_mails_are_read_or_refused_but_never_fatal(odd: str) -> None:
    refused = {"headers of a megabyte", "nested MIME"}
    if odd in refused:
        with pytest.raises(message.MailRefusedError):
            posts.read(HOSTILE[odd], "here")
    else:
        assert len(posts.read(HOSTILE[odd], "here").mail.parents) <= 201


LABORIOUS = {
    "a line of hyphens": letter("[PATCH] a", "a", text="\n" + "A-" * (8 << 20) + "-by: x\n"),
    "links that never name a mail": letter("[PATCH] a", "a", text="https://lore.kernel.org/" * 400_000 + "\n"),
    "one link without end": letter("[PATCH] a", "a", text="https://lore.kernel.org/" + "a/" * (4 << 20) + "\n"),
    "two million trailers": letter("Re: a", "a", text="Reviewed-by: x\n" * (2 << 20), change=""),
    "90 MIME parts one in the other": b"From: a@b\nSubject: [PATCH] d\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(90))
    + b"Content-Type: text/plain\n\n"
    + b"+++ line\n" * 1_500_000,
    "10,000 MIME parts": b"From: a@b\nSubject: [PATCH] d\nContent-Type: multipart/mixed; boundary=q\n\n"
    + b"--q\nContent-type: text/plain\n\n+++ x\n" * 10_000,
}


@pytest.mark.parametrize("odd", LABORIOUS)
def test_a_mail_that_is_laborious_costs_little_time_and_memory(tmp_path: Path, odd: str) -> None:
    """Each took minutes or a gigabyte once. The mail itself is there a few times over: 20 MB are 100."""
    (tmp_path / "m.eml").write_bytes(LABORIOUS[odd])
    ask = (
        "import re, sys, time; from pathlib import Path\n"
        "from backport.ingest.mail.source import open_mails; from backport.model.progress import Silent\n"
        "with open_mails(sys.argv[1], Path(), Silent()) as mails:\n"
        "    print(mails.archive.count() + len(mails.archive.refused()), time.process_time())\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    count, seconds, peak = run([sys.executable, "-c", ask, tmp_path / "m.eml"], tmp_path).stdout.split()
    assert int(count) == 1
    assert float(seconds) < 8
    assert int(peak) < 300 << 10


def test_a_maildir_and_a_folder_of_patches(tmp_path: Path) -> None:
    for name in ("cur", "new"):
        (tmp_path / "dir" / name).mkdir(parents=True)
    (tmp_path / "dir" / "cur" / "1").write_bytes(letter("[PATCH 1/2] a", "20090909221359.1-1-a@x"))
    (tmp_path / "dir" / "new" / "2").write_bytes(letter("[PATCH 2/2] b", "20090909221359.1-2-a@x"))
    folder = tmp_path / "patches"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"000{number}-x.patch").write_bytes(
            SEPARATOR + letter(f"[PATCH {number}/2] p{number}", change=f"mm/{number}.c x")
        )
    (folder / "README").write_text("no mail")
    for source in ("dir", "patches"):
        with open_mails(str(tmp_path / source), tmp_path, Silent()) as mails:
            (series,) = all_revisions(mails.archive)
            assert [post.label.number for post in series.posts] == [1, 2]
            assert b"Subject: [PATCH 2/2]" in mails.read([series.posts[1].where])[0].raw


QUILT = """# comment
first.patch
+xen only-xen.patch
-rt not-rt.patch -p0
"""


def quilt(tmp_path: Path, text: str = QUILT) -> Path:
    """A quilt series of four patches of our own."""
    folder = tmp_path / "patches"
    folder.mkdir(exist_ok=True)
    (folder / "series").write_text(text)
    for name in ("first", "only-xen", "not-rt"):
        (folder / f"{name}.patch").write_text(f"Subject: {name} does it\n\nwhy\n\n{diff(f'mm/{name}.c')}")
    (tmp_path / "outside.patch").write_text(diff())
    return folder / "series"


@pytest.mark.parametrize(
    ("guards", "names"), [((), ["first", "not-rt"]), (("xen",), ["first", "only-xen", "not-rt"]), (("rt",), ["first"])]
)
def test_quilt_guards_and_strip_levels(tmp_path: Path, guards: tuple[str, ...], names: list[str]) -> None:
    found = list(Quilt(quilt(tmp_path), guards).walk())
    titles = [posts.read(each.raw, each.where).label.title for each in found]
    assert titles == [f"{name} does it" for name in names]
    assert [each.strip for each in found] == [0 if name == "not-rt" else 1 for name in names]


def test_a_quilt_series_is_one_series(tmp_path: Path) -> None:
    quilt(tmp_path)
    with open_mails(str(tmp_path), tmp_path, Silent()) as mails:
        (series,) = all_revisions(mails.archive)
        assert [post.label.number for post in series.posts] == [1, 2]


@pytest.mark.parametrize("line", ["first.patch -R", "../outside.patch", "missing.patch"])
def test_what_a_quilt_series_cannot_say_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    first, second = Quilt(quilt(tmp_path, f"first.patch\n{line}\n")).walk()
    assert first.refused is None
    assert second.refused is not None
    assert second.refused.where.endswith("series:2")


def test_a_broken_quilt_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        list(Quilt(quilt(tmp_path, "first.patch\na b c\n")).walk())
    assert told.value.where.endswith("series:2")


def epoch(repo: Repo, *mails: bytes, after: str = "") -> str:
    """Commits of a public-inbox epoch, one a mail; the last one's id."""
    last = after
    for mail in mails:
        last = repo.commit({b"m": mail}, b"mail\n", parents=[last] if last else [])
    repo.branch("master", last)
    return last


def names(archive: Archive) -> list[str]:
    """The Message-IDs of an archive."""
    return [post.message_id for post in archive.posts()]


def test_an_epoch_is_read_on_from_where_it_was_left(repo: Repo, tmp_path: Path) -> None:
    tip = epoch(repo, letter("[PATCH] a", "a"), letter("[PATCH] b", "b", change="mm/b.c x"))
    cache = tmp_path / "cache"
    with open_mails(str(repo.path), cache, Silent()) as mails:
        assert (mails.new, names(mails.archive)) == (2, ["a", "b"])
    epoch(repo, letter("[PATCH v2] a", "c"), after=tip)
    with open_mails(str(repo.path), cache, Silent()) as mails:
        assert (mails.new, names(mails.archive)) == (1, ["a", "b", "c"])
        assert [each.identity for each in life(mails.archive, "c").revisions] == ["a", "c"]
        (raw,) = mails.read([mails.archive.posts()[2].where])
        assert raw.raw == letter("[PATCH v2] a", "c")
    with open_mails(str(repo.path), cache, Silent()) as mails:
        assert mails.new == 0


def test_an_epoch_whose_history_was_rewritten_is_read_again(repo: Repo, tmp_path: Path) -> None:
    epoch(repo, letter("[PATCH] a", "a"), letter("[PATCH] secret", "s"), letter("[PATCH] b", "b"))
    with open_mails(str(repo.path), tmp_path, Silent()):
        pass
    epoch(repo, letter("[PATCH] a", "a"), letter("[PATCH] b", "b"))
    with open_mails(str(repo.path), tmp_path, Silent()) as mails:
        assert names(mails.archive) == ["a", "b"]


def test_a_mail_that_was_taken_back_is_gone(repo: Repo, tmp_path: Path) -> None:
    tip = epoch(repo, letter("[PATCH] a", "a"), letter("[PATCH] b", "b"))
    with open_mails(str(repo.path), tmp_path, Silent()):
        pass
    repo.branch("master", repo.commit({b"d": letter("[PATCH] a", "a")}, b"rm\n", parents=[tip]))
    with open_mails(str(repo.path), tmp_path, Silent()) as mails:
        assert names(mails.archive) == ["b"]


def test_killed_in_the_middle_nothing_is_half_there(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch(repo, *(letter(f"[PATCH] {n}", f"m{n}") for n in range(9)))
    monkeypatch.setattr(inbox, "_CHUNK", 3)

    class Killed(Silent):
        """Dies at the seventh mail."""

        count = 0

        def step(self, what: str) -> None:
            self.count += 1
            if self.count == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_mails(str(repo.path), tmp_path, Killed()):
        pass
    with open_mails(str(repo.path), tmp_path, Silent()) as mails:
        assert names(mails.archive) == [f"m{n}" for n in range(9)]


def test_a_disk_that_is_full_is_said_and_nothing_is_half_there(repo: Repo, tmp_path: Path) -> None:
    """A limit on the size of a file is what SQLite meets on a full disk: it goes back by itself, and then cannot be told to."""
    epoch(repo, *(letter(f"[PATCH] {n}", f"m{n}", text="x" * 200, change=f"{'d' * 200}{n} x") for n in range(900)))
    program = "from backport.cli import main; main()"
    ask = [sys.executable, "-c", program, "ingest", str(repo.path), "--list"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    small = "ulimit -f 200; exec " + shlex.join(ask)
    done = subprocess.run(["bash", "-c", small], env=environment, capture_output=True, text=True)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "cannot use the archive of mails" in done.stderr
    assert "Traceback" not in done.stderr
    again = subprocess.run(ask, env=environment, capture_output=True, text=True)
    assert again.returncode == 0
    assert "900 mails (900 new)" in again.stdout


def damage(repo: Repo, oid: str) -> None:
    """Cut an object in half."""
    path = repo.path / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("how", ["cut off", "missing"])
def test_a_mail_that_git_cannot_read_is_refused_and_the_rest_kept(repo: Repo, tmp_path: Path, how: str) -> None:
    epoch(repo, *(letter(f"[PATCH] {n}", f"m{n}", change=f"mm/a.c {n}") for n in range(40)))
    oid = repo.git("rev-parse", "master~20:m").decode().strip()
    if how == "cut off":
        damage(repo, oid)
    else:
        (repo.path / "objects" / oid[:2] / oid[2:]).unlink()
    with open_mails(str(repo.path), tmp_path, Silent()) as mails:
        assert names(mails.archive) == [f"m{n}" for n in range(40) if n != 19]
        (refused,) = mails.archive.refused()
    assert refused.where == oid
    assert "git cannot read the mail" in refused.why


def test_a_mail_of_an_archive_that_is_too_large_is_not_even_unpacked(repo: Repo, tmp_path: Path) -> None:
    """Neither we hold it, nor git, which tells the size first and is ended there. The mails around it are kept."""
    epoch(repo, letter("[PATCH] a", "a"), b"x" * (100 << 20), letter("[PATCH] c", "c"))
    ask = (
        "import re, resource, sys; from pathlib import Path\n"
        "from backport.ingest.mail.source import open_mails; from backport.model.progress import Silent\n"
        "with open_mails(sys.argv[1], Path(sys.argv[2]), Silent()) as mails:\n"
        "    print(mails.archive.count(), *(each.why for each in mails.archive.refused()))\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    said, *peaks = run([sys.executable, "-c", ask, repo.path, tmp_path / "cache"], tmp_path).stdout.decode().splitlines()
    assert said == "2 the mail has 100 MB, and more than 32 are not read"
    assert max(map(int, peaks)) < 80 << 10, "kB at most, of us and of git"


def test_an_archive_that_is_cut_off_in_the_middle_gives_what_is_newer(repo: Repo, tmp_path: Path) -> None:
    epoch(repo, *(letter(f"[PATCH] {n}", f"m{n}") for n in range(9)))
    commit = repo.git("rev-parse", "master~4").decode().strip()
    path = repo.path / "objects" / commit[:2] / commit[2:]
    kept = path.read_bytes()
    path.unlink()
    for _ in range(2):
        with open_mails(str(repo.path), tmp_path, Silent()) as mails:
            assert names(mails.archive) == [f"m{n}" for n in range(9)][-len(names(mails.archive)) :]
            assert len(names(mails.archive)) >= 3
            (refused,) = mails.archive.refused()
        assert "the archive is cut off" in refused.why
    path.write_bytes(kept)
    with open_mails(str(repo.path), tmp_path, Silent()) as mails:
        assert names(mails.archive) == [f"m{n}" for n in range(9)]
        assert mails.archive.refused() == []


def test_several_epochs(tmp_path: Path) -> None:
    for number in (0, 1, 10):
        epoch(Repo.make(tmp_path / "inbox" / "git" / f"{number}.git"), letter(f"[PATCH] {number}", f"m{number}"))
    with open_mails(str(tmp_path / "inbox"), tmp_path, Silent()) as mails:
        assert names(mails.archive) == ["m0", "m1", "m10"]


def test_a_kernel_clone_is_no_archive(repo: Repo) -> None:
    repo.branch("master", repo.commit({b"Makefile": b"x\n"}, b"x\n"))
    assert inbox.epochs(repo.path) == []
    assert open_clone(repo.path)


# A server of our own.


@contextmanager
def server(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that gives these answers in turn (the last one for ever); its URL, and what it was asked by whom."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[min(len(asked), len(answers) - 1)]
            asked.append((self.path, self.headers["User-Agent"]))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            if status != 302:
                self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/list/", asked
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def test_a_thread_is_asked_for_once_by_name(tmp_path: Path) -> None:
    packed = gzip.compress(mbox(letter("[PATCH] a", "a@b")))
    with server((200, packed)) as (url, asked), open_mails(f"{url}a@b/", tmp_path, Silent()) as mails:
        (series,) = all_revisions(mails.archive)
        assert series.identity == "a@b"
        assert mails.read([series.posts[0].where])[0].raw.startswith(SEPARATOR)
    ((path, agent),) = asked
    assert path == "/list/a@b/t.mbox.gz"
    assert agent.startswith("backport/")


@pytest.mark.parametrize("source", ["a@b", "<a@b>", "{}a@b", "{}a@b/", "{}a@b/T/#t", "{}a@b/t.mbox.gz", "{}a@b/raw"])
def test_the_ways_in_which_people_name_a_thread(source: str) -> None:
    place = "https://lore.kernel.org/all/"
    assert is_thread(source.format(place))
    assert lore.thread_url(source.format(place)) == f"{place}a@b/t.mbox.gz"


def test_a_server_that_is_busy_is_asked_again_later_and_later(tmp_path: Path) -> None:
    slept: list[float] = []
    with server((503, b""), (429, b""), (200, b"x")) as (url, asked):
        lore.fetch(f"{url}a@b/t.mbox.gz", tmp_path / "x", slept.append)
    assert (len(asked), slept) == (3, [1, 2])


def test_a_server_that_never_answers_well(tmp_path: Path) -> None:
    slept: list[float] = []
    with server((500, b"")) as (url, asked), pytest.raises(EnvironmentFailedError, match="the server answers 500"):
        lore.fetch(f"{url}a@b/t.mbox.gz", tmp_path / "x", slept.append)
    assert (len(asked), slept) == (4, [1, 2, 4])


@pytest.mark.parametrize(("status", "error"), [(404, InputError), (403, EnvironmentFailedError)])
def test_an_answer_that_no_waiting_mends_is_not_asked_for_again(tmp_path: Path, status: int, error: type[Exception]) -> None:
    with server((status, b"")) as (url, asked), pytest.raises(error):
        lore.fetch(f"{url}a@b/t.mbox.gz", tmp_path / "x", lambda _: pytest.fail("slept"))
    assert len(asked) == 1


def test_a_thread_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lore, "MOST", 1 << 16)
    with server((200, b"x" * (1 << 18))) as (url, _), pytest.raises(InputError, match="larger"):
        lore.fetch(f"{url}a@b/t.mbox.gz", tmp_path / "x")


def test_a_redirect_to_a_file_is_not_followed(tmp_path: Path) -> None:
    with server((302, b"file:///etc/passwd")) as (url, _), pytest.raises(EnvironmentFailedError):
        lore.fetch(f"{url}a@b/t.mbox.gz", tmp_path / "x")


@pytest.mark.parametrize("url", ["ftp://x/y/z/", "https://x/", "https://lore.kernel.org/"])
def test_what_is_no_thread(url: str) -> None:
    with pytest.raises(InputError):
        lore.thread_url(url)

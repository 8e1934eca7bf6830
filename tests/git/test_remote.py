"""Histories at a URL, from real servers on loopback: git daemon, smart HTTP, and file://."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from backport.git.clone import resolve_one
from backport.git.history import History
from backport.git.remote import Remote, is_url
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.ingest.sources import open_sources
from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.progress import Silent
from backport.replay.engine import replay
from tests.gitrepo import Repo, definition, environment, numbered, run

CORE = Path(run(["git", "--exec-path"], Path("/")).stdout.decode().strip())


@pytest.fixture
def served(tmp_path: Path) -> Repo:
    """The server's repository: branches master and target, the tag v1; some hundred blobs that no run needs."""
    (tmp_path / "srv").mkdir()
    repo = Repo.make(tmp_path / "srv" / "linux.git")
    files = {b"junk/f%d" % i: b"junk %d\n" % i * 50 for i in range(200)} | {
        b"f": numbered(20),
        b"old": numbered(30),
        b"k": b"k\n",
    }
    base = repo.commit(files, b"base\n")
    repo.files[base] = files
    target = repo.on(
        base,
        {b"f": numbered(20, l1=b"target"), b"junk/f1": b"x\n", b"old": None, b"elsewhere": numbered(30, l2=b"moved")},
        b"target\n",
    )
    drift = repo.on(base, {b"f": numbered(20, l5=b"drift")}, b"drift\n")
    merged = repo.on(drift, {b"f": numbered(20, l5=b"drift", l12=b"patch"), b"new": b"new\n"}, b"merges\n")
    moved = repo.on(merged, {b"old": numbered(30, l20=b"patch")}, b"moves\n")
    clash = repo.on(moved, {b"f": numbered(20, l1=b"clash", l5=b"drift", l12=b"patch")}, b"conflicts\n")
    for name, commit in (("master", clash), ("target", target)):
        repo.branch(name, commit)
    repo.git("tag", "-a", "-m", "v1", "v1", base)
    repo.files = {"base": base, "target": target, "merged": merged, "moved": moved, "clash": clash}  # type: ignore[dict-item]
    return repo


def allow(repo: Repo, *names: str) -> None:
    for name in names:
        repo.git("config", f"uploadpack.{name}", "true")


@pytest.fixture
def daemon(tmp_path: Path, served: Repo) -> Iterator[str]:
    """git daemon on a free port of loopback."""
    allow(served, "allowFilter", "allowAnySHA1InWant")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "git",
        "daemon",
        "--listen=127.0.0.1",
        f"--port={port}",
        "--export-all",
        "--reuseaddr",
        f"--base-path={tmp_path}/srv",
        "--log-destination=none",
    ]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"git://127.0.0.1:{port}/linux.git"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5)


class _Backend(BaseHTTPRequestHandler):
    """git http-backend as a CGI program, and nothing else."""

    root: Path
    cut = 0

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        variables = {
            "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "CONTENT_LENGTH": str(len(body)),
        }  # fmt: skip
        done = subprocess.run([CORE / "git-http-backend"], input=body, env=environment(**variables), capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        if type(self).cut and self.command == "POST" and len(content) > type(self).cut:
            content = content[: type(self).cut]
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def http(tmp_path: Path, served: Repo) -> Iterator[tuple[str, type[_Backend]]]:
    """Smart HTTP on a free port of loopback; `cut` of the handler ends long answers after so many bytes."""
    if not (CORE / "git-http-backend").exists() or not (CORE / "git-remote-http").exists():
        pytest.skip("git has no http here")
    allow(served, "allowFilter", "allowAnySHA1InWant")
    handler = type("Backend", (_Backend,), {"root": tmp_path / "srv", "cut": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/linux.git", handler
    server.shutdown()
    server.server_close()


def walk(url: str, served: Repo, tmp_path: Path, name: str = "store") -> list[str]:
    """The whole replay of a three-patch series from a URL: the verdicts."""
    ids: dict[str, str] = served.files  # type: ignore[assignment]
    told = definition(served, [ids["merged"], ids["moved"], ids["clash"]], "v1")
    sources = open_sources([url], ["target", "v1", *(c.commit for c in told.commits)], tmp_path / "cache", Silent())
    with sources.store(tmp_path / name) as store:
        trees, history = Trees(store), History(store)
        series = ingest(told, sources.clones, store, Silent())
        result = replay(series, resolve_one(sources.clones, "target"), store, trees, history, Silent())
        history.added_lines([(c.parent_tree, c.tree) for c in series.patches])
        return [str(outcome.verdict) for outcome in result.outcomes]


VERDICTS = ["merged", "merged", "conflict"]


def clone_of(tmp_path: Path) -> Repo:
    (path,) = (tmp_path / "cache" / "clones").glob("*.git")
    return Repo(path)


def objects(repo: Repo) -> dict[str, int]:
    """How many objects of each kind there really are."""
    rows = repo.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").decode().split()
    return {kind: rows.count(kind) for kind in ("commit", "tree", "blob")}


def packs(repo: Repo) -> set[str]:
    return {path.name for path in (repo.path / "objects").rglob("*") if path.is_file()}


def test_a_clone_from_git_daemon_is_partial_and_the_second_run_fetches_nothing(daemon: str, served: Repo, tmp_path: Path) -> None:
    assert walk(daemon, served, tmp_path) == VERDICTS
    clone = clone_of(tmp_path)
    assert objects(clone)["commit"] == 6
    assert objects(clone)["blob"] < 20, "the junk stayed where it was"
    before = packs(clone)
    assert walk(daemon, served, tmp_path, "again") == VERDICTS
    assert packs(clone) == before
    clone.git("fsck", "--connectivity-only")


def test_the_same_over_http(http: tuple[str, type[_Backend]], served: Repo, tmp_path: Path) -> None:
    assert walk(http[0], served, tmp_path) == VERDICTS
    assert objects(clone_of(tmp_path))["blob"] < 20


@pytest.mark.parametrize(
    "allowed", [("allowFilter", "allowAnySHA1InWant"), ("allowFilter",), ()], ids=["all", "filter only", "nothing"]
)
def test_file_url_with_and_without_what_the_server_may_refuse(served: Repo, tmp_path: Path, allowed: tuple[str, ...]) -> None:
    allow(served, *allowed)
    assert walk(served.path.as_uri(), served, tmp_path) == VERDICTS
    assert (objects(clone_of(tmp_path))["blob"] < 20) == bool(allowed)


def test_blame_looks_through_a_rename_and_a_merge_in_a_partial_clone(daemon: str, served: Repo, tmp_path: Path) -> None:
    """git reads what was deleted beside an added file to see whether it was a rename: none of it may be missing."""
    base = served.commit({b"old": numbered(30), b"gone": b"other\n" * 9, b"k": b"k\n"}, b"base\n", parents=[])
    target = served.on(base, {b"old": numbered(30, l5=b"target")}, b"target\n")
    early = served.on(base, {b"old": numbered(30, l5=b"early")}, b"edit before the rename\n")
    drift = served.on(early, {b"old": None, b"gone": None, b"new": numbered(30, l5=b"early", l6=b"drift")}, b"rename and edit\n")
    side = served.on(drift, {b"new": numbered(30, l5=b"early", l6=b"drift", l20=b"side")}, b"side\n")
    merge = served.commit(served.files[side], b"merge\n", parents=[drift, side])
    patch = served.on(merge, {b"new": numbered(30, l5=b"patch", l6=b"drift", l20=b"side")}, b"patch\n")
    served.branch("patch", patch)
    served.branch("onto", target)
    told = definition(served, [patch], base)
    sources = open_sources([daemon], ["onto", "patch"], tmp_path / "cache", Silent())
    with sources.store(tmp_path / "store") as store:
        trees, history = Trees(store), History(store)
        result = replay(ingest(told, sources.clones, store, Silent()), target, store, trees, history, Silent())
    assert [o.verdict for o in result.outcomes] == ["conflict"]
    assert early in [cause.commit for cause in result.outcomes[0].causes]


def test_single_ids_come_where_no_branch_reaches_them(daemon: str, served: Repo, tmp_path: Path) -> None:
    """A commit that only a mail or a pull request names."""
    hidden = served.commit({b"x": b"x\n"}, b"hidden\n", parents=[])
    sources = open_sources([daemon], [hidden], tmp_path / "cache", Silent())
    assert resolve_one(sources.clones, hidden) == hidden


def test_objects_are_fetched_many_at_a_time(daemon: str, served: Repo, tmp_path: Path) -> None:
    steps: list[str] = []
    remote = Remote(daemon, tmp_path / "cache", steps.append)
    remote.fetch(["master"])
    blobs = [row.split()[2] for row in served.text("ls-tree", "-r", "master").splitlines()][:150]
    before = objects(clone_of(tmp_path))["blob"]
    remote.fetch_objects(blobs)
    assert objects(clone_of(tmp_path))["blob"] == before + len(set(blobs))
    assert any("150" in step for step in steps)


def test_a_branch_that_moved_is_followed_and_one_rewritten_too(daemon: str, served: Repo, tmp_path: Path) -> None:
    for parents in ([served.text("rev-parse", "master")], []):
        tip = served.commit({b"x": b"%d" % len(parents)}, b"moved\n", parents=parents)
        served.branch("master", tip)
        sources = open_sources([daemon], ["master"], tmp_path / "cache", Silent())
        assert resolve_one(sources.clones, "master") == tip


def test_names_that_the_server_does_not_have_are_left_to_whoever_resolves_them(daemon: str, served: Repo, tmp_path: Path) -> None:
    sources = open_sources(
        [daemon], ["v99", "HEAD", "v1^", "-x", "a b", "f" * 12, "e" * 40, "", "v1"], tmp_path / "cache", Silent()
    )
    assert resolve_one(sources.clones, "v1")
    with pytest.raises(InputError, match="v99"):
        resolve_one(sources.clones, "v99")


def test_progress_is_told(daemon: str, served: Repo, tmp_path: Path) -> None:
    steps: list[str] = []
    Remote(daemon, tmp_path / "cache", steps.append).fetch(["v1"])
    assert any("eceiving objects" in step for step in steps)
    assert not any("\r" in step or "\n" in step for step in steps)


def test_an_answer_that_breaks_off_is_an_error_and_the_next_run_goes_on(
    http: tuple[str, type[_Backend]], served: Repo, tmp_path: Path
) -> None:
    url, handler = http
    handler.cut = 3000
    with pytest.raises(EnvironmentFailedError) as caught:
        walk(url, served, tmp_path)
    assert url in caught.value.where
    assert "again" in caught.value.then
    handler.cut = 0
    assert walk(url, served, tmp_path, "again") == VERDICTS


def test_a_run_killed_while_it_fetches_leaves_a_clone_that_goes_on(daemon: str, served: Repo, tmp_path: Path) -> None:
    big = {b"d%d/f" % i: os.urandom(20_000) for i in range(100)}
    served.branch("big", served.commit(big, b"big\n", parents=[]))
    program = (
        "import sys; from pathlib import Path; from backport.git.remote import Remote\n"
        "Remote(sys.argv[1], Path(sys.argv[2]), lambda step: print(step, flush=True)).fetch(['master', 'big', 'v1', 'target'])\n"
    )
    for moment in (0.12, 0.2, 0.3):
        child = subprocess.Popen(
            [sys.executable, "-c", program, daemon, tmp_path / "cache"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert walk(daemon, served, tmp_path) == VERDICTS


def test_two_runs_at_once_share_the_clone(daemon: str, served: Repo, tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def one(name: str) -> None:
        try:
            assert walk(daemon, served, tmp_path, name) == VERDICTS
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=one, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("url", ["git://127.0.0.1:1/x.git", "http://127.0.0.1:1/x.git", "file:///nowhere/x.git"])
def test_a_server_that_does_not_answer(url: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailedError) as caught:
        open_sources([url], ["master"], tmp_path / "cache", Silent())
    assert caught.value.where == url


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentFailedError, match="cache"):
        Remote("file:///x", tmp_path / "cache", lambda _: None)


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c date",
        "fd::17",
        "ext://x",
        "https://a b",
        "http://x\ny",
        "/a/path",
        "./a:b",
        "-x@y:z",
        "--upload-pack=x",
        "",
        "C:\\x",
        "transport::https://x",
        "foo://x",
    ],
)
def test_what_could_run_a_command_is_no_url(text: str, tmp_path: Path) -> None:
    assert not is_url(text)
    with pytest.raises(InputError):
        Remote(text, tmp_path, lambda _: None)


@pytest.mark.parametrize(
    "text",
    ["https://git.kernel.org/x.git", "git://h:9418/x", "ssh://u@h:22/~u/x", "git@github.com:torvalds/linux.git", "file:///a%20b"],
)
def test_what_is_a_url(text: str) -> None:
    assert is_url(text)


def test_the_user_s_configuration_does_not_redirect_the_fetch(daemon: str, served: Repo, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (Path(os.environ["HOME"]) / ".gitconfig").write_text(f'[url "ext::touch {canary} #"]\n\tinsteadOf = git://\n')
    try:
        assert walk(daemon, served, tmp_path) == VERDICTS
    finally:
        (Path(os.environ["HOME"]) / ".gitconfig").unlink()
    assert not canary.exists()


def test_a_cache_that_was_deleted_is_made_again(daemon: str, served: Repo, tmp_path: Path) -> None:
    assert walk(daemon, served, tmp_path) == VERDICTS
    shutil.rmtree(tmp_path / "cache")
    assert walk(daemon, served, tmp_path, "again") == VERDICTS

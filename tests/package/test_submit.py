"""An SRPM on its way to Koji: the real client against a small hub of our own, over TLS on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.model.errors import BackportError, EnvironmentFailedError, InputError, MissingToolError
from backport.model.progress import Silent
from backport.package.submit import commands, record, stage
from backport.package.submit.commands import Wish
from tests.package import koji_hub
from tests.package.koji_hub import ASSIGNED, CANCELED, CLOSED, FAILED, FREE, OPEN, Hub

needs_koji = pytest.mark.skipif(
    importlib.util.find_spec("koji") is None or not shutil.which("openssl"),
    reason="needs koji (pip install --no-deps koji requests python-dateutil defusedxml six) and openssl",
)
LEAD = b"\xed\xab\xee\xdb\x03\x00\x00\x01"


@pytest.fixture
def srpm(tmp_path: Path) -> Path:
    path = tmp_path / "kernel-2.6.31-1.ksm.src.rpm"
    path.write_bytes(LEAD + os.urandom(300_000))
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"))
    yield hub
    hub.stop()


@pytest.fixture
def hub(running: Hub) -> Hub:
    running.behaviour, running.seen = koji_hub.Behaviour(), koji_hub.Seen()
    return running


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, what: str) -> None:
        self.lines.append(what)


def submit(hub: Hub, srpm: Path, *, target: str = "f12-candidate", wait: bool = True, resume: bool = False) -> stage.Submitted:
    wish = Wish(srpm, "mini", target, scratch=True)
    return stage.submit(wish, Silent(), wait=wait, resume=resume, config=hub.config(srpm.parent))


@needs_koji
def test_a_build_goes_all_the_way(hub: Hub, srpm: Path) -> None:
    hub.behaviour.states = [FREE, ASSIGNED, OPEN, OPEN, CLOSED]
    told = Told()
    wish = Wish(srpm, "mini", "f12-candidate", scratch=True)
    made = stage.submit(wish, told, wait=True, resume=False, config=hub.config(srpm.parent))
    assert (made.task, made.state, made.failed) == (1001, "CLOSED", False)
    assert made.url == "https://koji.example.org/koji/taskinfo?taskID=1001"
    ((source, target, options),) = hub.seen.builds
    assert (target, options) == ("f12-candidate", {"scratch": True})
    assert hub.seen.files[str(source)] == srpm.read_bytes()
    assert hub.seen.calls.index("getBuildTarget") < hub.seen.calls.index("rawUpload"), "the hub accepts any target"
    assert [line for line in told.lines if line.endswith("0.3 MB")][-1] == "0.3 of 0.3 MB"
    assert [line for line in told.lines if line.startswith("task 1001 ") and "of jane" not in line] == [
        f"task 1001 {state}" for state in ("FREE", "ASSIGNED", "OPEN", "CLOSED")
    ]


@needs_koji
def test_without_wait_the_task_is_left_to_itself(hub: Hub, srpm: Path) -> None:
    assert submit(hub, srpm, wait=False).state == "FREE"
    assert hub.seen.polls == 1


@needs_koji
def test_a_failed_build_brings_its_logs(hub: Hub, srpm: Path) -> None:
    hub.behaviour.states = [OPEN, FAILED]
    made = submit(hub, srpm)
    assert made.failed
    assert "mock exited with status 1" in made.reason
    (log,) = made.logs
    assert log == srpm.parent / "koji-1001" / "2001-x86_64-build.log"
    assert log.read_bytes() == koji_hub.LOG
    assert not list(srpm.parent.rglob("evil.log"))


@needs_koji
def test_a_canceled_build_has_failed(hub: Hub, srpm: Path) -> None:
    hub.behaviour.states = [OPEN, CANCELED]
    assert submit(hub, srpm).reason == "canceled"


@needs_koji
def test_an_unknown_target_is_refused_before_the_upload(hub: Hub, srpm: Path) -> None:
    with pytest.raises(InputError, match="no build target 'f99'"):
        submit(hub, srpm, target="f99")
    assert not hub.seen.files
    assert not record.path_of(srpm).exists()


@needs_koji
def test_a_locked_tag_takes_scratch_builds_only(hub: Hub, srpm: Path) -> None:
    hub.behaviour.locked = True
    assert not submit(hub, srpm).failed
    wish = Wish(srpm, "mini", "f12-candidate", scratch=False)
    with pytest.raises(InputError, match="dist-f12, is locked"):
        stage.submit(wish, Silent(), wait=True, resume=False, config=hub.config(srpm.parent))


@needs_koji
def test_a_hub_that_is_down(hub: Hub, srpm: Path) -> None:
    config = hub.config(srpm.parent, server="https://127.0.0.1:9/kojihub")
    with pytest.raises(EnvironmentFailedError, match=r"refused|does not answer"):
        stage.submit(Wish(srpm, "mini", "t", scratch=True), Silent(), wait=True, resume=False, config=config)


@needs_koji
def test_a_hub_that_is_slow(hub: Hub, srpm: Path) -> None:
    hub.behaviour.delay = 2
    config = hub.config(srpm.parent, timeout=1, auth_timeout=1)
    with pytest.raises(EnvironmentFailedError, match=r"timed out|does not answer"):
        stage.submit(Wish(srpm, "mini", "t", scratch=True), Silent(), wait=True, resume=False, config=config)


@needs_koji
def test_a_hub_that_rejects_the_login(hub: Hub, srpm: Path) -> None:
    hub.behaviour.rejects_login = True
    with pytest.raises(EnvironmentFailedError, match=r"rejects the login: .*not trusted"):
        submit(hub, srpm)


@needs_koji
def test_a_certificate_that_is_not_ours(hub: Hub, srpm: Path) -> None:
    config = hub.config(srpm.parent, serverca="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(EnvironmentFailedError, match=r"login|certificate"):
        stage.submit(Wish(srpm, "mini", "t", scratch=True), Silent(), wait=True, resume=False, config=config)


@needs_koji
def test_dying_in_the_middle_of_an_upload_loses_nothing(hub: Hub, srpm: Path) -> None:
    hub.behaviour.dies_after_bytes = 150_000
    with pytest.raises(EnvironmentFailedError, match="upload failed, the hub does not answer") as caught:
        submit(hub, srpm)
    assert "--resume" in caught.value.then
    assert not hub.seen.builds
    hub.behaviour.dies_after_bytes = -1
    assert submit(hub, srpm, resume=True).task == 1001
    assert list(hub.seen.files.values()) == [srpm.read_bytes()]


@needs_koji
def test_a_wrong_sum_is_noticed(hub: Hub, srpm: Path) -> None:
    hub.behaviour.wrong_sum = True
    with pytest.raises(EnvironmentFailedError, match="checksum"):
        submit(hub, srpm)
    assert not hub.seen.builds


@needs_koji
def test_an_answer_that_is_lost_does_not_make_a_second_task(hub: Hub, srpm: Path) -> None:
    hub.behaviour.loses_answer_of = "build"
    with pytest.raises(EnvironmentFailedError):
        submit(hub, srpm)
    made = len(hub.seen.builds)
    hub.behaviour.loses_answer_of = ""
    assert submit(hub, srpm, resume=True).task > 1000
    assert len(hub.seen.builds) == made


@needs_koji
def test_a_hub_that_is_away_for_a_while_is_waited_for(hub: Hub, srpm: Path) -> None:
    hub.behaviour.silent_polls = 5
    assert submit(hub, srpm).state == "CLOSED"


@needs_koji
def test_resume_follows_the_task_on_record(hub: Hub, srpm: Path) -> None:
    submit(hub, srpm, wait=False)
    uploads = hub.seen.calls.count("rawUpload")
    assert submit(hub, srpm, resume=True).state == "CLOSED"
    assert hub.seen.calls.count("rawUpload") == uploads
    assert json.loads(record.path_of(srpm).read_bytes())["task"] == 1001


@needs_koji
def test_resume_needs_something_to_resume(hub: Hub, srpm: Path) -> None:
    with pytest.raises(InputError, match="nothing to resume"):
        submit(hub, srpm, resume=True)
    submit(hub, srpm, wait=False)
    srpm.write_bytes(LEAD + b"another")
    with pytest.raises(InputError, match="not the one that was submitted"):
        submit(hub, srpm, resume=True)
    record.path_of(srpm).write_bytes(b"{")
    with pytest.raises(InputError, match="cannot be read"):
        submit(hub, srpm, resume=True)


@needs_koji
def test_a_profile_that_is_not_there(hub: Hub, srpm: Path) -> None:
    with pytest.raises(InputError, match="no usable profile other"):
        stage.submit(Wish(srpm, "other", "t", True), Silent(), wait=True, resume=False, config=hub.config(srpm.parent))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"", "no RPM"), (b"PK\3\4", "no RPM"), (b"\xed\xab\xee\xdb\x03\x00\x00\x00", "binary package, not a source RPM")],
)
def test_only_a_source_rpm_is_submitted(data: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "x.rpm"
    path.write_bytes(data)
    with pytest.raises(InputError, match=complaint):
        stage.submit(Wish(path, "koji", "t", True), Silent(), wait=True, resume=False)
    with pytest.raises(InputError, match="cannot be read"):
        commands.check(tmp_path / "none.rpm")


def test_without_the_client_it_says_how_to_get_it(srpm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "koji", None)
    with pytest.raises(MissingToolError) as caught:
        stage.submit(Wish(srpm, "koji", "t", True), Silent(), wait=True, resume=False)
    assert "backport[koji]" in caught.value.then


def test_dry_run_prints_the_exact_commands(srpm: Path) -> None:
    odd = srpm.with_name("a b.src.rpm")
    srpm.rename(odd)
    command = [sys.executable, "-m", "backport", "submit", str(odd), "--koji", "fedora", "--target", "f12-candidate", "--dry-run"]
    done = subprocess.run(
        [*command, "--scratch"], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "400"}
    )
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["koji"] == f"koji --profile=fedora build --scratch f12-candidate '{odd}'"
    assert lines["fedpkg"] == f"fedpkg scratch-build --target f12-candidate --srpm '{odd}'"
    assert lines["copr"] == f"copr-cli build OWNER/PROJECT '{odd}'"
    assert lines["packit"] == "packit build in-koji --scratch --koji-target f12-candidate ."


def test_errors_are_ours() -> None:
    assert issubclass(stage.LostConnectionError, BackportError)

"""An SRPM on its way to Koji's own hub (KOJI_SRC names a checkout): upload, target, task and login by its rules, not by ours.

    git clone https://pagure.io/koji.git; apt-get install postgresql python3-rpm; pip install psycopg2-binary
    KOJI_SRC=koji python -m pytest tests/package/test_submit_real.py

There is no builder: the test is one, with the calls that kojid makes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backport.model.errors import EnvironmentFailedError, InputError
from backport.model.progress import Silent
from backport.package.submit import record, stage
from backport.package.submit.commands import Wish
from tests.package import kerberos
from tests.package.kerberos import Realm
from tests.package.koji_real import RealHub, missing

SOURCE = os.environ.get("KOJI_SRC", "")
WHY_NOT = missing(SOURCE)
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
needs_kerberos = pytest.mark.skipif(bool(kerberos.missing()), reason=f"not installed: {kerberos.missing()}")


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm | None]:
    if kerberos.missing():
        yield None
        return
    started = Realm(tmp_path_factory.mktemp("realm"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def hub(realm: Realm | None) -> Iterator[RealHub]:
    folder = Path(tempfile.mkdtemp(prefix="koji-hub-"))  # not pytest's: the path of a Unix socket has 107 bytes at most
    try:
        started = RealHub(Path(SOURCE), folder, realm.env if realm else {})
        yield started
        started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def srpm(tmp_path: Path) -> Path:
    path = tmp_path / "kernel-2.6.31-1.ksm.src.rpm"
    path.write_bytes(b"\xed\xab\xee\xdb\x03\x00\x00\x01" + os.urandom(3 << 20))
    return path


@pytest.fixture
def builder(hub: RealHub) -> Iterator[Any]:
    session = hub.session("builder.example.org")
    session.exclusiveSession(force=True)
    yield session
    session.logout()


def submit(hub: RealHub, srpm: Path, *, wait: bool = False, resume: bool = False, scratch: bool = True,
           target: str = "f12-candidate", **more: Any) -> stage.Submitted:  # fmt: skip
    wish = Wish(srpm, "real", target, scratch)
    return stage.submit(wish, Silent(), wait=wait, resume=resume, config=hub.config(srpm.parent, **more))


def test_a_scratch_build_is_created_and_canceled(hub: RealHub, srpm: Path) -> None:
    made = submit(hub, srpm)
    assert (made.state, made.failed) == ("FREE", False)
    jane = hub.session("jane")
    task = jane.getTaskInfo(made.task, request=True)
    source, target, options = task["request"][:3]
    assert (task["method"], target, options) == ("build", "f12-candidate", {"scratch": True})
    assert hub.uploaded(source) == srpm.read_bytes()
    jane.cancelTask(made.task)
    ended = submit(hub, srpm, wait=True, resume=True)
    assert (ended.task, ended.state, ended.failed, ended.reason) == (made.task, "CANCELED", True, "canceled")


def test_a_build_that_is_no_scratch_build(hub: RealHub, srpm: Path) -> None:
    made = submit(hub, srpm, scratch=False)
    assert hub.session("jane").getTaskInfo(made.task, request=True)["request"][1:3] == ["f12-candidate", {}]


def test_a_lost_answer_makes_no_second_task(hub: RealHub, srpm: Path) -> None:
    """The record says that it was uploaded, and no task: as it is when the connection broke at the call `build`."""
    made = submit(hub, srpm)
    kept = record.load(srpm)
    assert kept is not None
    record.save(srpm, record.Record(kept.sha256, kept.profile, kept.target, kept.scratch, kept.upload))
    assert submit(hub, srpm, resume=True).task == made.task


def test_a_builder_fails_and_its_log_is_fetched(hub: RealHub, builder: Any, srpm: Path) -> None:
    import koji

    made = submit(hub, srpm)
    assert builder.host.openTask(made.task)
    log = srpm.parent / "build.log"
    log.write_bytes(b"gcc\n" * 1_000_000 + b"mm/ksm.c:7: error: oops\n")
    builder.uploadWrapper(str(log), koji.pathinfo.taskrelpath(made.task))
    builder.host.failTask(made.task, koji.xmlrpcplus.dumps(koji.xmlrpcplus.Fault(1005, "BuildError: mock exited with status 1")))
    ended = submit(hub, srpm, wait=True, resume=True)
    assert (ended.state, ended.reason) == ("FAILED", "BuildError: mock exited with status 1")
    assert [path.read_bytes() for path in ended.logs] == [log.read_bytes()]


def test_a_builder_builds_it(hub: RealHub, builder: Any, srpm: Path) -> None:
    import koji

    made = submit(hub, srpm)
    assert builder.host.openTask(made.task)
    assert submit(hub, srpm, resume=True).state == "OPEN"
    builder.host.closeTask(made.task, koji.xmlrpcplus.dumps(({},), methodresponse=True))
    assert submit(hub, srpm, wait=True, resume=True).state == "CLOSED"


def test_targets_and_tags_are_asked_for_first(hub: RealHub, srpm: Path) -> None:
    with pytest.raises(InputError, match="no build target 'f99'"):
        submit(hub, srpm, target="f99")
    admin = hub.session("admin")
    admin.editTag2("dist-f12", locked=True)
    try:
        with pytest.raises(InputError, match="dist-f12, is locked"):
            submit(hub, srpm, scratch=False)
    finally:
        admin.editTag2("dist-f12", locked=False)
    assert not record.path_of(srpm).exists()


def test_a_person_whom_the_hub_does_not_know(hub: RealHub, srpm: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match=r"rejects the login: .*Unknown user: stranger"):
        submit(hub, srpm, who="stranger")


def test_a_certificate_of_another_authority(hub: RealHub, srpm: Path, tmp_path: Path) -> None:
    from tests.package.koji_hub import certificates

    (tmp_path / "other").mkdir()
    certificates(tmp_path / "other", "jane")
    with pytest.raises(EnvironmentFailedError, match=r"login|does not answer"):
        submit(hub, srpm, cert=tmp_path / "other" / "jane.pem")


@needs_kerberos
def test_a_ticket_logs_in(hub: RealHub, realm: Realm, srpm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in realm.env.items():
        monkeypatch.setenv(name, value)
    realm.kinit()
    with pytest.raises(EnvironmentFailedError, match=r"rejects the login: .*Unknown user: jane@EXAMPLE.ORG"):
        submit(hub, srpm, authtype="gssapi", cert="")
    hub.session("admin").addUserKrbPrincipal("jane", f"jane@{kerberos.REALM}")
    made = submit(hub, srpm, authtype="gssapi", cert="")
    assert hub.session("jane").getTaskInfo(made.task)["owner"] == hub.session("jane").getLoggedInUser()["id"]
    realm.kdestroy()
    with pytest.raises(EnvironmentFailedError, match="no Kerberos ticket: No Kerberos credentials available"):
        submit(hub, srpm, authtype="gssapi", cert="")


def test_the_command(hub: RealHub, srpm: Path) -> None:
    words = ["submit", str(srpm), "--koji", "real", "--target", "f12-candidate", "--scratch", "--config"]
    command = [sys.executable, "-m", "backport", *words, str(hub.config(srpm.parent))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    task = record.load(srpm)
    assert task is not None
    assert f"https://koji.example.org/koji/taskinfo?taskID={task.task}" in done.stdout
    hub.session("jane").cancelTask(task.task)
    done = subprocess.run([*command, "--resume", "--wait"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"task {task.task} CANCELED" in done.stdout

"""The login by Kerberos: a KDC on loopback, the real client, a hub of our own that wants a ticket; and each reason to have none.

apt-get install krb5-kdc krb5-admin-server krb5-user libkrb5-dev; pip install gssapi requests-gssapi
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.model.errors import EnvironmentFailedError, MissingToolError
from backport.model.progress import Silent
from backport.package.submit import stage
from backport.package.submit.commands import Wish
from tests.package import kerberos, koji_hub
from tests.package.kerberos import REALM, Realm
from tests.package.koji_hub import Hub

WHY_NOT = kerberos.missing()
needs_kerberos = pytest.mark.skipif(bool(WHY_NOT), reason=f"not installed: {WHY_NOT}")
needs_koji = pytest.mark.skipif(importlib.util.find_spec("koji") is None, reason="koji is not installed")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"))
    yield hub
    hub.stop()


@pytest.fixture
def hub(running: Hub) -> Hub:
    running.behaviour, running.seen = koji_hub.Behaviour(negotiates=True), koji_hub.Seen()
    return running


@pytest.fixture
def realm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Realm]:
    (tmp_path / "realm").mkdir()
    started = Realm(tmp_path / "realm")
    for name, value in started.env.items():
        monkeypatch.setenv(name, value)
    yield started
    started.stop()


@pytest.fixture
def srpm(tmp_path: Path) -> Path:
    path = tmp_path / "kernel-2.6.31-1.ksm.src.rpm"
    path.write_bytes(b"\xed\xab\xee\xdb\x03\x00\x00\x01" + os.urandom(3000))
    return path


def submit(hub: Hub, srpm: Path, **more: object) -> stage.Submitted:
    config = hub.config(srpm.parent, **{"authtype": "gssapi", "cert": "", **more})
    return stage.submit(Wish(srpm, "mini", "f12-candidate", scratch=True), Silent(), wait=True, resume=False, config=config)


@needs_kerberos
def test_a_ticket_logs_in(hub: Hub, realm: Realm, srpm: Path) -> None:
    realm.kinit()
    assert submit(hub, srpm).state == "CLOSED"
    assert hub.seen.principals == [f"jane@{REALM}"]


@needs_kerberos
def test_a_keytab_logs_in_without_kinit(hub: Hub, realm: Realm, srpm: Path) -> None:
    assert submit(hub, srpm, principal=f"jane@{REALM}", keytab=realm.keytab).state == "CLOSED"
    assert hub.seen.principals == [f"jane@{REALM}"]


@needs_kerberos
def test_no_authtype_and_no_certificate_means_a_ticket(hub: Hub, realm: Realm, srpm: Path) -> None:
    realm.kinit()
    assert submit(hub, srpm, authtype="").state == "CLOSED"


@needs_kerberos
def test_no_ticket(hub: Hub, realm: Realm, srpm: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match="no Kerberos ticket: No Kerberos credentials available") as caught:
        submit(hub, srpm)
    assert caught.value.then == "run kinit"
    assert not hub.seen.files


@needs_kerberos
@pytest.mark.parametrize(
    ("principal", "keytab"), [("joe", "jane.keytab"), ("jane", "nowhere.keytab")], ids=["another-principal", "no-keytab"]
)
def test_a_keytab_that_does_not_fit(principal: str, keytab: str, hub: Hub, realm: Realm, srpm: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match=f"no Kerberos ticket: .*{principal}@") as caught:
        submit(hub, srpm, principal=f"{principal}@{REALM}", keytab=realm.keytab.with_name(keytab))
    assert caught.value.then == "look at keytab and principal in koji.conf"


@needs_kerberos
def test_a_kdc_that_is_down(hub: Hub, realm: Realm, srpm: Path) -> None:
    realm.stop()
    with pytest.raises(EnvironmentFailedError, match="no Kerberos ticket: Cannot contact any KDC for realm"):
        submit(hub, srpm, principal=f"jane@{REALM}", keytab=realm.keytab)


@needs_kerberos
def test_a_hub_that_knows_the_ticket_and_not_the_person(hub: Hub, realm: Realm, srpm: Path) -> None:
    realm.kinit()
    hub.behaviour.rejects_login = True
    with pytest.raises(EnvironmentFailedError, match=r"the hub rejects the login: .*not trusted"):
        submit(hub, srpm)


@needs_kerberos
def test_a_hub_that_is_down(hub: Hub, realm: Realm, srpm: Path) -> None:
    realm.kinit()
    with pytest.raises(EnvironmentFailedError, match="does not answer"):
        submit(hub, srpm, server="https://localhost:9/kojihub")


@needs_koji
def test_the_packages_are_not_installed(hub: Hub, srpm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import koji

    monkeypatch.setattr(koji, "reqgssapi", None)
    monkeypatch.setitem(sys.modules, "gssapi", None)
    with pytest.raises(MissingToolError, match="the login needs requests-gssapi"):
        submit(hub, srpm)

"""A Kerberos realm on loopback: MIT's krb5kdc with one user and one HTTP service, and the service's side of Negotiate."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

REALM = "EXAMPLE.ORG"
TOOLS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "kdestroy")
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/lib/mit/sbin"


def missing() -> str:
    """What is not there of programs and Python packages; '' where nothing is missing."""
    import importlib.util

    tools = [tool for tool in TOOLS if not shutil.which(tool, path=_PLACES)]
    packages = [name for name in ("gssapi", "requests_gssapi", "koji") if importlib.util.find_spec(name) is None]
    return ", ".join([*tools, *packages])


class Realm:
    """A running KDC. `env` is what makes a process belong to the realm; jane has a keytab, the service HTTP/localhost another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "krb5.conf").write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n rdns = false\n"
            f" dns_canonicalize_hostname = false\n udp_preference_limit = 0\n"
            f"[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n"
        )
        (folder / "kdc.conf").write_text(
            f"[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n {REALM} = {{\n"
            f"  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n  acl_file = {folder}/acl\n }}\n"
            f"[logging]\n kdc = FILE:{folder}/kdc.log\n"
        )
        self.env = {
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{folder}/ccache",
            "KRB5_KTNAME": str(folder / "service.keytab"),
        }
        self.keytab = folder / "jane.keytab"
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for principal, keytab in (("jane", self.keytab), ("HTTP/localhost", folder / "service.keytab")):
            self._run("kadmin.local", "-q", f"addprinc -randkey {principal}")
            self._run("kadmin.local", "-q", f"ktadd -k {keytab} {principal}")
        self._kdc = subprocess.Popen(
            [_tool("krb5kdc"), "-n"], env=os.environ | self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)

    def kinit(self) -> None:
        """A ticket for jane."""
        self._run("kinit", "-k", "-t", str(self.keytab), f"jane@{REALM}")

    def kdestroy(self) -> None:
        """No ticket any more."""
        self._run("kdestroy", "-q", check=False)

    def stop(self) -> None:
        self._kdc.terminate()
        self._kdc.wait(10)

    def _run(self, tool: str, *words: str, check: bool = True) -> None:
        done = subprocess.run([_tool(tool), *words], env=os.environ | self.env, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{tool}: {done.stdout}{done.stderr}"


def accept(authorization: str) -> tuple[str, str]:
    """The principal of an `Authorization: Negotiate ...`, and the header to answer with. KRB5_KTNAME has the service's key."""
    import gssapi

    context = gssapi.SecurityContext(usage="accept")
    token = context.step(base64.b64decode(authorization.removeprefix("Negotiate ")))
    return str(context.initiator_name), "Negotiate " + base64.b64encode(token or b"").decode()


def _tool(name: str) -> str:
    found = shutil.which(name, path=_PLACES)
    assert found, name
    return found

"""Koji's own hub, from a checkout, over a PostgreSQL cluster of its own: started in a folder, and gone with it.

Neither root nor a service is needed; where root runs the tests, the database is that of the user postgres or nobody.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.package.koji_hub import certificates

_HERE = Path(__file__).resolve()
_PEOPLE = ("admin", "jane", "stranger", "builder.example.org")
_PACKAGES = (
    "/usr/lib/python3/dist-packages",
    *map(str, Path("/usr").glob("lib*/python3*/site-packages")),
)  # where rpm's bindings are


def missing(source: str) -> str:
    """Why the hub cannot be started; '' where it can."""
    if not source:
        return "KOJI_SRC is not set: give it a checkout of Koji (https://pagure.io/koji)"
    if not (Path(source) / "kojihub" / "kojixmlrpc.py").is_file():
        return f"KOJI_SRC, {source}, is no checkout of Koji"
    packages = [name for name in ("koji", "psycopg2") if importlib.util.find_spec(name) is None]
    tools = [tool for tool in ("initdb", "postgres", "psql") if not _tool(tool)] + ["openssl"] * (not shutil.which("openssl"))
    if not any((Path(place) / "rpm").is_dir() for place in _PACKAGES):
        packages.append("rpm (python3-rpm)")
    return f"not installed: {', '.join([*tools, *packages])}" if tools or packages else ""


class RealHub:
    """A running hub with the target f12-candidate, one builder, and the people of whom NAME.pem is in `folder`."""

    def __init__(self, source: Path, folder: Path, realm: dict[str, str]) -> None:
        self.folder, self._source = folder, source
        self.ca = certificates(folder, *_PEOPLE)
        self._user = _unprivileged()
        (folder / "koji" / "work").mkdir(parents=True)
        (folder / "hub.conf").write_text(
            f"[hub]\nDBName = koji\nDBUser = koji\nDBHost = {folder}/socket\nKojiDir = {folder}/koji\nLoginCreatesUser = Off\n"
            "KojiTraceback = none\nDisableNotifications = True\nAllowedKrbRealms = *\n"
            "[policy]\nbuild_from_srpm =\n    all :: allow\n"
        )
        folder.chmod(0o711)
        self._database = self._start_database()
        environ = {"PYTHONPATH": os.pathsep.join([str(_HERE.parents[2]), str(source), *sys.path[1:], *_PACKAGES]), **realm}
        self._hub = self._start(
            [
                sys.executable,
                str(_HERE.with_name("koji_server.py")),
                str(folder / "hub.conf"),
                str(self.ca),
                str(folder / "localhost.pem"),
                str(folder / "port"),
            ],
            environ,
        )
        self._wait(lambda: (folder / "port").is_file(), self._hub, "hub")
        self.server = f"https://localhost:{(folder / 'port').read_text()}/kojihub"
        self._populate()

    def session(self, who: str) -> Any:
        """Koji's own client, logged in with the certificate of that person (or builder)."""
        koji = _koji()
        session = koji.ClientSession(self.server, {"max_retries": 1, "serverca": str(self.ca), "use_fast_upload": True})
        session.ssl_login(str(self.folder / f"{who}.pem"), None, str(self.ca))
        return session

    def config(self, place: Path, who: str = "jane", **more: object) -> Path:
        """A koji.conf with which `who` reaches the hub."""
        options = {
            "server": self.server,
            "weburl": "https://koji.example.org/koji",
            "authtype": "ssl",
            "serverca": self.ca,
            "cert": self.folder / f"{who}.pem",
            "poll_interval": 0,
            "max_retries": 1,
            "retry_interval": 0,
            **more,
        }
        path = place / "koji.conf"
        path.write_text("[real]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
        return path

    def uploaded(self, source: object) -> bytes:
        """The file behind the source string of a build."""
        return (self.folder / "koji" / "work" / str(source)).read_bytes()

    def stop(self) -> None:
        for process in (self._hub, self._database):
            process.terminate()
            process.wait(20)

    def _populate(self) -> None:
        """A tag with its build tag, a target, a builder: by the hub's own calls, as an administrator would."""
        admin = self.session("admin")
        admin.createUser("jane")
        admin.createTag("dist-f12")
        admin.createTag("dist-f12-build", arches="x86_64")
        admin.createBuildTarget("f12-candidate", "dist-f12-build", "dist-f12")
        admin.addHost("builder.example.org", ["x86_64"])
        admin.logout()

    def _start_database(self) -> subprocess.Popen[bytes]:
        data, socket = self.folder / "db", str(self.folder / "socket")
        for place in (data, self.folder / "socket"):
            place.mkdir(mode=0o700)
            if self._user:
                shutil.chown(place, self._user["user"], self._user["group"])
        self._run([_tool("initdb"), "-D", str(data), "-A", "trust", "-U", "koji", "-E", "UTF8", "--no-sync"])
        command = [_tool("postgres"), "-D", str(data), "-k", socket, "-c", "listen_addresses=", "-c", "fsync=off"]
        process = self._start(command, {}, **self._user)
        psql = [_tool("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "koji"]
        self._wait(
            lambda: (
                (self.folder / "socket" / ".s.PGSQL.5432").exists() and self._run([*psql, "-c", "SELECT 1", "postgres"], False)
            ),
            process,
            "PostgreSQL",
        )
        self._run([*psql, "-c", "CREATE DATABASE koji", "postgres"])
        self._run([*psql, "-f", str(self._source / "schemas" / "schema.sql"), "koji"])
        # The first administrator has nobody who could make them one: Koji's own manual says SQL.
        first = (
            "INSERT INTO users (name, status, usertype) VALUES ('admin', 0, 0);"
            "INSERT INTO user_perms (user_id, perm_id, creator_id) SELECT users.id, permissions.id, users.id"
            " FROM users, permissions WHERE permissions.name = 'admin'"
        )
        self._run([*psql, "-c", first, "koji"])
        return process

    def _start(self, command: list[str], environ: dict[str, str], **user: Any) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{Path(command[0]).name}.log").open("wb")
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder, env=os.environ | environ, **user
        )

    def _run(self, command: list[str], check: bool = True) -> bool:
        done = subprocess.run(command, capture_output=True, cwd=self.folder, check=False, **self._user)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.returncode == 0

    def _wait(self, ready: Any, process: subprocess.Popen[bytes], name: str) -> None:
        for _ in range(600):
            if ready():
                return
            assert process.poll() is None, f"{name} ended: " + "".join(p.read_text()[-800:] for p in self.folder.glob("*.log"))
            time.sleep(0.05)
        raise AssertionError(f"{name} does not answer")


def _unprivileged() -> dict[str, Any]:
    """What makes a process somebody's who is not root; PostgreSQL refuses root."""
    if os.getuid():
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _tool(name: str) -> str:
    places = os.pathsep.join(
        [os.environ.get("PATH", ""), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]
    )
    return shutil.which(name, path=places) or ""


def _koji() -> ModuleType:
    import koji

    return koji

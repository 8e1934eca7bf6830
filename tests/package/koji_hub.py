# ruff: noqa: N802 - the methods have the names that the hub has
"""A Koji hub that fits in a file: XML-RPC over TLS on loopback, upload by POST with adler32, and faults on demand.

Written from what the client sends (koji 1.36: sslLogin at /ssllogin, by certificate or, where the hub `negotiates`, by ticket;
rawUpload with its arguments in the query); it keeps what it was told, so that a test can look.
"""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
import time
import xmlrpc.client
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.package import kerberos

FREE, OPEN, CLOSED, CANCELED, ASSIGNED, FAILED = range(6)


class Fault(Exception):  # noqa: N818 - XML-RPC's own word
    """An answer that says no: code as in koji's exceptions (1000 GenericError, 1002 AuthError)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Behaviour:
    """What goes wrong, and what the builder does: the states that a task goes through, one a poll."""

    states: list[int] = field(default_factory=lambda: [FREE, OPEN, CLOSED])
    targets: tuple[str, ...] = ("f12-candidate",)
    locked: bool = False
    rejects_login: bool = False
    dies_after_bytes: int = -1
    loses_answer_of: str = ""
    delay: float = 0.0
    silent_polls: int = 0
    wrong_sum: bool = False
    negotiates: bool = False


@dataclass
class Seen:
    """What the hub was told."""

    calls: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    builds: list[tuple[object, ...]] = field(default_factory=list)
    polls: int = 0
    principals: list[str] = field(default_factory=list)


LOG = b"line\n" * 300_000 + b"mm/ksm.c: error: oops\n"


class Hub:
    """A running hub; `behaviour` may be changed while it runs."""

    def __init__(self, folder: Path) -> None:
        self.behaviour, self.seen = Behaviour(), Seen()
        self.ca = certificates(folder, "jane")
        server, self.client = folder / "localhost.pem", folder / "jane.pem"
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def config(self, folder: Path, **more: object) -> Path:
        """A koji.conf that names it."""
        options = {
            "server": f"https://localhost:{self.port}/kojihub",
            "weburl": "https://koji.example.org/koji",
            "authtype": "ssl",
            "cert": self.client,
            "serverca": self.ca,
            "poll_interval": 0,
            "max_retries": 1,
            "retry_interval": 0,
            "timeout": 2,
            "auth_timeout": 2,
            "upload_blocksize": 65536,
            **more,
        }
        path = folder / "koji.conf"
        path.write_text("[mini]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
        return path

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        time.sleep(self.behaviour.delay)
        reply = {}
        if self.behaviour.negotiates and url.path.endswith("/ssllogin"):
            said = request.headers.get("Authorization", "")
            if not said.startswith("Negotiate "):
                request.send_response(401)
                request.send_header("WWW-Authenticate", "Negotiate")
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            principal, reply["WWW-Authenticate"] = kerberos.accept(said)
            self.seen.principals.append(principal)
        if request.headers.get("Content-Type") == "application/octet-stream":
            name, made = "rawUpload", lambda: self._store(query, body)
        else:
            arguments, name = xmlrpc.client.loads(body)
            made = lambda: self._call(name, list(arguments))  # noqa: E731
        self.seen.calls.append(name)
        try:
            data = xmlrpc.client.dumps((made(),), methodresponse=True, allow_none=True)
        except Fault as fault:
            data = xmlrpc.client.dumps(xmlrpc.client.Fault(fault.code, str(fault)), allow_none=True)
        except _DropError:
            request.connection.close()
            request.close_connection = True
            return
        if self.behaviour.loses_answer_of == name:
            request.connection.close()
            request.close_connection = True
            return
        request.send_response(200)
        request.send_header("Content-Type", "text/xml")
        request.send_header("Content-Length", str(len(data.encode())))
        for name, value in reply.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data.encode())

    def _store(self, query: dict[str, str], chunk: bytes) -> dict[str, object]:
        path = f"{query['filepath']}/{query['filename']}"
        limit = self.behaviour.dies_after_bytes
        if 0 <= limit < int(query["offset"]) + len(chunk):
            raise _DropError
        have = b"" if int(query["offset"]) == 0 else self.seen.files[path]
        assert len(have) == int(query["offset"])
        assert query["fileverify"] == "adler32"
        self.seen.files[path] = have + chunk
        summed = zlib.adler32(chunk) & 0xFFFFFFFF
        return {"size": len(chunk), "hexdigest": f"{summed ^ self.behaviour.wrong_sum:08x}"}

    def _call(self, name: str, arguments: list[object]) -> object:
        options: dict[str, object] = {}
        if arguments and isinstance(arguments[-1], dict) and arguments[-1].pop("__starstar", False):
            options = arguments.pop()
        method: Callable[..., object] | None = getattr(self, f"do_{name}", None)
        if method is None:
            raise Fault(1000, f"Invalid method: {name}")
        return method(*arguments, **options)

    def do_sslLogin(self, **_: object) -> object:
        if self.behaviour.rejects_login:
            raise Fault(1002, "client certificate is not trusted")
        return {"session-id": 7, "session-key": "k", "header-auth": True}

    def do_logout(self, *_: object, **__: object) -> object:
        return None

    def do_getLoggedInUser(self) -> object:
        return {"id": 3, "name": "jane"}

    def do_getBuildTarget(self, name: str, **_: object) -> object:
        return {"id": 1, "name": name, "dest_tag": 5, "dest_tag_name": "dist-f12"} if name in self.behaviour.targets else None

    def do_getTag(self, number: int, **_: object) -> object:
        return {"id": number, "name": "dist-f12", "locked": self.behaviour.locked}

    def do_checkUpload(self, path: str, name: str, **_: object) -> object:
        data = self.seen.files.get(f"{path}/{name}")
        return None if data is None else {"size": len(data), "hexdigest": ""}

    def do_build(self, source: str, target: str, options: dict[str, object] | None = None, **_: object) -> object:
        assert source in self.seen.files
        self.seen.builds.append((source, target, options))
        return 1000 + len(self.seen.builds)

    def do_listTasks(self, *_: object, **__: object) -> object:
        return [{"id": 1000 + n, "request": list(build)} for n, build in enumerate(self.seen.builds, 1)]

    def do_getTaskInfo(self, task: int, **_: object) -> object:
        if not 1000 < task <= 1000 + len(self.seen.builds):
            return None
        if self.behaviour.silent_polls:
            self.behaviour.silent_polls -= 1
            raise _DropError
        state = self.behaviour.states[min(self.seen.polls, len(self.behaviour.states) - 1)]
        self.seen.polls += 1
        return {"id": task, "state": state, "method": "build"}

    def do_getTaskResult(self, task: int, **_: object) -> object:
        raise Fault(1005, "BuildError: error building package (arch x86_64), mock exited with status 1; see build.log")

    def do_getTaskDescendents(self, task: int, **_: object) -> object:
        return {str(task): [{"id": 2001, "state": FAILED, "arch": "x86_64"}, {"id": 2002, "state": CLOSED, "arch": "i686"}]}

    def do_listTaskOutput(self, task: int, **_: object) -> object:
        return {"build.log": {"st_size": str(len(LOG))}, "../../evil.log": {"st_size": "1"}, "state.log": {"st_size": "3"}}

    def do_downloadTaskOutput(self, task: int, name: str, offset: int = 0, size: int = -1, **_: object) -> object:
        return base64.b64encode(LOG[offset : offset + size]).decode()


class _DropError(Exception):
    """The connection goes away."""


def certificates(folder: Path, *people: str) -> Path:
    """A CA; a certificate for localhost, and one for each person: NAME.pem, with its key; by openssl."""

    def openssl(*words: str | Path) -> None:
        subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=mini ca", "-days", "2")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("localhost", *people):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"),
            *("-out", f"{name}.crt", "-extfile", "san"),
        )
        (folder / f"{name}.pem").write_bytes((folder / f"{name}.key").read_bytes() + (folder / f"{name}.crt").read_bytes())
    return folder / "ca.pem"
